"""Which fields of a pod are accepted; the others are refused by name.

Everything Kubernetes knows can be decoded (``fields.py``). What is accepted is a list per struct,
some of it only with a feature flag that is not ``Disabled``.

Source: knative/serving ``pkg/apis/serving/fieldmask.go``; Knative reference §1.5, §1.6.
Not here: which values an accepted field may have (``validation.py``).
"""

from collections.abc import Mapping

from knlite.kinds.config import features as flags
from knlite.kinds.config.features import FeaturesConfig
from knlite.kinds.fielderror import Errors, disallowed
from knlite.kinds.meta import Fields
from knlite.kinds.podspec.fields import (
    Capabilities,
    Container,
    ContainerPort,
    EnvVarSource,
    PodSpec,
    Resources,
    SecurityContext,
    Volume,
    VolumeMount,
)

_POD = frozenset(
    {
        "serviceAccountName",
        "containers",
        "volumes",
        "imagePullSecrets",
        "enableServiceLinks",
        # Those that RevisionSpec adds.
        "containerConcurrency",
        "timeoutSeconds",
        "responseStartTimeoutSeconds",
        "idleTimeoutSeconds",
    }
)
_POD_FLAGS: Mapping[str, tuple[str, ...]] = {
    "initContainers": (flags.INIT_CONTAINERS,),
    "securityContext": (flags.SECURITY_CONTEXT, flags.SECURE_POD_DEFAULTS),
    "affinity": ("kubernetes.podspec-affinity",),
    "dnsConfig": ("kubernetes.podspec-dnsconfig",),
    "dnsPolicy": ("kubernetes.podspec-dnspolicy",),
    "hostAliases": ("kubernetes.podspec-hostaliases",),
    "hostIPC": ("kubernetes.podspec-hostipc",),
    "hostNetwork": ("kubernetes.podspec-hostnetwork",),
    "hostPID": ("kubernetes.podspec-hostpid",),
    "nodeSelector": ("kubernetes.podspec-nodeselector",),
    "priorityClassName": ("kubernetes.podspec-priorityclassname",),
    "runtimeClassName": ("kubernetes.podspec-runtimeclassname",),
    "schedulerName": ("kubernetes.podspec-schedulername",),
    "shareProcessNamespace": ("kubernetes.podspec-shareprocessnamespace",),
    "tolerations": ("kubernetes.podspec-tolerations",),
    "topologySpreadConstraints": ("kubernetes.podspec-topologyspreadconstraints",),
}
_CONTAINER = frozenset(
    {
        "name",
        "image",
        "command",
        "args",
        "env",
        "envFrom",
        "workingDir",
        "ports",
        "resources",
        "imagePullPolicy",
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "securityContext",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "volumeMounts",
    }
)
_PORT = frozenset({"name", "containerPort", "protocol"})
_RESOURCES = frozenset({"requests", "limits"})
_ENV_SOURCE = frozenset({"configMapKeyRef", "secretKeyRef"})
_SECURITY_CONTEXT = frozenset(
    {
        "capabilities",
        "readOnlyRootFilesystem",
        "runAsUser",
        "runAsGroup",
        "runAsNonRoot",
        "allowPrivilegeEscalation",
        "seccompProfile",
    }
)
_POD_SECURITY_CONTEXT = frozenset(
    {
        "runAsUser",
        "runAsGroup",
        "runAsNonRoot",
        "fsGroup",
        "supplementalGroups",
        "seccompProfile",
    }
)
_MOUNT = frozenset({"name", "readOnly", "mountPath", "subPath"})
_VOLUME = frozenset({"name", "secret", "configMap", "projected"})
VOLUME_FLAGS: Mapping[str, str] = {
    "emptyDir": flags.EMPTY_DIR,
    "persistentVolumeClaim": flags.PERSISTENT_VOLUME_CLAIM,
    "hostPath": flags.HOST_PATH,
    "csi": flags.CSI,
    "ephemeral": flags.EPHEMERAL,
    "image": flags.IMAGE_VOLUME,
}
"""Sources of volumes that a flag opens, in the order upstream lists them."""

# In Go these are plain values, for which false and 0 are the same as absent; elsewhere (pointers)
# a field that is there is set, whatever it says.
_PLAIN = frozenset(
    {
        "stdin",
        "stdinOnce",
        "tty",
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "hostPort",
        "hostIP",
        "subPathExpr",
    }
)

_EVER: Mapping[type[Fields], frozenset[str]] = {
    PodSpec: _POD | frozenset(_POD_FLAGS) | {"automountServiceAccountToken"},
    Container: _CONTAINER,
    ContainerPort: _PORT,
    Resources: _RESOURCES,
    EnvVarSource: _ENV_SOURCE | {"fieldRef", "resourceFieldRef"},
    SecurityContext: _SECURITY_CONTEXT | {"privileged"},
    VolumeMount: _MOUNT | {"mountPropagation"},
    Volume: _VOLUME | frozenset(VOLUME_FLAGS),
}


def pod_errors(pod: PodSpec, features: FeaturesConfig) -> Errors:
    """Fields of *pod* itself."""
    accepted = _POD | {
        name for name, keys in _POD_FLAGS.items() if any(map(features.permitted, keys))
    }
    if pod.automount_service_account_token is False:
        accepted |= {"automountServiceAccountToken"}
    return _refused(pod, accepted)


def container_errors(container: Container) -> Errors:
    """Fields of *container* itself."""
    return _refused(container, _CONTAINER)


def port_errors(port: ContainerPort) -> Errors:
    """Fields of one port."""
    return _refused(port, _PORT)


def resources_errors(resources: Resources) -> Errors:
    """Fields of a container's resources."""
    return _refused(resources, _RESOURCES)


def env_source_errors(source: EnvVarSource, features: FeaturesConfig) -> Errors:
    """Fields of the ``valueFrom`` of a variable."""
    if features.permitted(flags.FIELD_REF):
        return _refused(source, _ENV_SOURCE | {"fieldRef", "resourceFieldRef"})
    return _refused(source, _ENV_SOURCE)


def security_context_errors(context: SecurityContext) -> Errors:
    """Fields of a container's security context."""
    if context.privileged is False:
        return _refused(context, _SECURITY_CONTEXT | {"privileged"})
    return _refused(context, _SECURITY_CONTEXT)


def capabilities_errors(capabilities: Capabilities, features: FeaturesConfig) -> Errors:
    """Adding capabilities, but for the one that lets a program have a port below 1024."""
    if features.enabled(flags.ADD_CAPABILITIES) or not capabilities.add:
        return ()
    if features.secure_pods and capabilities.add == ("NET_BIND_SERVICE",):
        return ()
    return (disallowed("add"),)


def pod_security_context_errors(context: Mapping[str, object], features: FeaturesConfig) -> Errors:
    """Fields of a pod's security context, as decoded."""
    accepted: frozenset[str] = frozenset()
    if features.permitted(flags.SECURITY_CONTEXT):
        accepted = _POD_SECURITY_CONTEXT
    elif features.secure_pods and _plain_profile(context.get("seccompProfile")):
        accepted = frozenset({"seccompProfile"})
    refused = [key for key, value in context.items() if value is not None and key not in accepted]
    return (disallowed(*refused),) if refused else ()


def mount_errors(mount: VolumeMount, features: FeaturesConfig) -> Errors:
    """Fields of one volume mount."""
    if features.permitted(flags.MOUNT_PROPAGATION):
        return _refused(mount, _MOUNT | {"mountPropagation"})
    return _refused(mount, _MOUNT)


def volume_errors(volume: Volume, features: FeaturesConfig) -> Errors:
    """Sources of *volume* that are not open."""
    opened = {name for name, flag in VOLUME_FLAGS.items() if features.permitted(flag)}
    return _refused(volume, _VOLUME | opened)


def acceptable(kind: type) -> frozenset[str] | None:
    """Fields of *kind* that some configuration accepts; None if nothing is masked in it."""
    return next((names for masked, names in _EVER.items() if issubclass(kind, masked)), None)


def set_fields(value: Fields) -> tuple[str, ...]:
    """Names of the fields of *value* that say something, as a manifest spells them."""
    blank = type(value)()
    return tuple(
        name
        for field, name in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        if (found := getattr(value, field)) != getattr(blank, field)
        and (found or name not in _PLAIN)
    )


def _refused(value: Fields, accepted: frozenset[str]) -> Errors:
    refused = [name for name in set_fields(value) if name not in accepted]
    return (disallowed(*refused),) if refused else ()


def _plain_profile(profile: object) -> bool:
    return isinstance(profile, Mapping) and profile.get("type") in ("RuntimeDefault", "Unconfined")
