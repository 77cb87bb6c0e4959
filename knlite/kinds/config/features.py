"""config-features of Serving: which optional fields are accepted.

Source: knative/serving ``pkg/apis/config/features.go``; Knative reference §1.5.
Differs: a value that is none of the flag's is refused; upstream keeps the default in silence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from knlite.kinds.config.values import Values

NAME = "config-features"

ENABLED = "Enabled"
ALLOWED = "Allowed"
DISABLED = "Disabled"
ALLOW_ROOT_BOUNDED = "AllowRootBounded"

MULTI_CONTAINER = "multi-container"
MULTI_CONTAINER_PROBING = "multi-container-probing"
SECURE_POD_DEFAULTS = "secure-pod-defaults"
ADD_CAPABILITIES = "kubernetes.containerspec-addcapabilities"
FIELD_REF = "kubernetes.podspec-fieldref"
INIT_CONTAINERS = "kubernetes.podspec-init-containers"
SECURITY_CONTEXT = "kubernetes.podspec-securitycontext"
EMPTY_DIR = "kubernetes.podspec-volumes-emptydir"
HOST_PATH = "kubernetes.podspec-volumes-hostpath"
CSI = "kubernetes.podspec-volumes-csi"
EPHEMERAL = "kubernetes.podspec-volumes-ephemeral"
IMAGE_VOLUME = "kubernetes.podspec-volumes-image"
MOUNT_PROPAGATION = "kubernetes.podspec-volumes-mount-propagation"
PERSISTENT_VOLUME_CLAIM = "kubernetes.podspec-persistent-volume-claim"
PERSISTENT_VOLUME_WRITE = "kubernetes.podspec-persistent-volume-write"
TAG_HEADER_BASED_ROUTING = "tag-header-based-routing"

_ON_UNLESS_SAID = frozenset({MULTI_CONTAINER, EMPTY_DIR})

KEYS: frozenset[str] = frozenset(
    {
        MULTI_CONTAINER,
        MULTI_CONTAINER_PROBING,
        SECURE_POD_DEFAULTS,
        ADD_CAPABILITIES,
        FIELD_REF,
        INIT_CONTAINERS,
        SECURITY_CONTEXT,
        EMPTY_DIR,
        HOST_PATH,
        CSI,
        EPHEMERAL,
        IMAGE_VOLUME,
        MOUNT_PROPAGATION,
        PERSISTENT_VOLUME_CLAIM,
        PERSISTENT_VOLUME_WRITE,
        "autodetect-http2",
        "kubernetes.podspec-affinity",
        "kubernetes.podspec-dnsconfig",
        "kubernetes.podspec-dnspolicy",
        "kubernetes.podspec-hostaliases",
        "kubernetes.podspec-hostipc",
        "kubernetes.podspec-hostnetwork",
        "kubernetes.podspec-hostpid",
        "kubernetes.podspec-nodeselector",
        "kubernetes.podspec-priorityclassname",
        "kubernetes.podspec-runtimeclassname",
        "kubernetes.podspec-schedulername",
        "kubernetes.podspec-shareprocessnamespace",
        "kubernetes.podspec-tolerations",
        "kubernetes.podspec-topologyspreadconstraints",
        "queueproxy.mount-podinfo",
        "queueproxy.resource-defaults",
        TAG_HEADER_BASED_ROUTING,
    }
)


@dataclass(frozen=True, slots=True)
class FeaturesConfig:
    """Flags that differ from the shipped defaults, by the key of the ConfigMap."""

    flags: Mapping[str, str] = field(default_factory=dict)

    def flag(self, key: str) -> str:
        """``Enabled``, ``Allowed``, ``Disabled``; secure-pod-defaults also ``AllowRootBounded``."""
        return self.flags.get(key) or (ENABLED if key in _ON_UNLESS_SAID else DISABLED)

    def enabled(self, key: str) -> bool:
        """Whether the feature is actively used."""
        return self.flag(key) == ENABLED

    def permitted(self, key: str) -> bool:
        """Whether manifests may use the feature."""
        return self.flag(key) != DISABLED

    @property
    def secure_pods(self) -> bool:
        """Whether containers get restrictive defaults."""
        return self.flag(SECURE_POD_DEFAULTS) in (ENABLED, ALLOW_ROOT_BOUNDED)


def parse(data: Mapping[str, str]) -> FeaturesConfig:
    """The section that *data* describes; raises ``ConfigInvalid``."""
    values = Values(data)
    return FeaturesConfig(
        {key: values.choice(key, "", _choices(key)) for key in sorted(KEYS & data.keys())}
    )


def _choices(key: str) -> tuple[str, ...]:
    if key == SECURE_POD_DEFAULTS:
        return (DISABLED, ALLOW_ROOT_BOUNDED, ENABLED)
    return (ENABLED, ALLOWED, DISABLED)
