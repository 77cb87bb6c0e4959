"""All kinds by name: what a document's ``apiVersion`` and ``kind`` mean, and how each is listed.

Source: Knative reference §1.1, Eventing reference §2 (names, short names, printer columns).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Literal

import msgspec

from knlite.kinds.codec import Problem, decode, encode
from knlite.kinds.conditions import Condition, find
from knlite.kinds.config.bundle import Config
from knlite.kinds.core import (
    configmap,
    deployment,
    endpoints,
    event,
    hpa,
    k8sservice,
    namespace,
    node,
    persistentvolumeclaim,
    pod,
    secret,
    serviceaccount,
)
from knlite.kinds.eventing import broker, trigger
from knlite.kinds.fielderror import Errors
from knlite.kinds.labels import BROKER_CLASS, CONFIGURATION, CONFIGURATION_GENERATION
from knlite.kinds.meta import Object
from knlite.kinds.serving import (
    configuration,
    domainclaim,
    domainmapping,
    image,
    ingress,
    metric,
    podautoscaler,
    revision,
    route,
    serverlessservice,
    service,
)
from knlite.kinds.sources import sinkbinding

Defaulted = Callable[[Any, Any, Config], Any]
"""(object, the stored one or None, configuration) to the object with its defaults."""

Validated = Callable[[Any, Any, Config], Errors]
"""(object with defaults, the stored one or None, configuration) to what is wrong with it."""


VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
READ_ONLY = ("get", "list", "watch")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a listing.

    Of a column of type ``date`` the cell is an RFC 3339 time, which is shown as the time since.
    Columns with a *priority* above 0 are shown with ``-o wide`` only.
    """

    name: str
    cell: Callable[[Any], str]
    type: Literal["string", "integer", "date"] = "string"
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KindInfo:
    """Everything about a kind but its behaviour."""

    type: type[Object]
    group: str
    version: str
    plural: str
    defaulted: Defaulted
    validated: Validated
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    namespaced: bool = True
    kept: bool = True
    """Whether it outlives the run in a data folder; what only mirrors a running thing does not."""
    declared: bool = True
    """Whether people write it; the others come and go with what they belong to."""
    kind_name: str = ""
    """The kind where the class cannot have its name: core ``Service`` is ``KubernetesService``."""
    also_served: tuple[str, ...] = ()
    """Other versions of the group in which it is served, with the same fields."""
    verbs: tuple[str, ...] = VERBS
    """What the API offers for it."""

    @property
    def kind(self) -> str:
        """``Service``, ``Trigger``, …"""
        return self.kind_name or self.type.__name__

    @property
    def versions(self) -> tuple[str, ...]:
        """All versions in which it is served, the one it is written in first."""
        return (self.version, *self.also_served)

    @property
    def custom(self) -> bool:
        """Whether a cluster knows it by a CustomResourceDefinition, as all of Knative's kinds."""
        return self.group.endswith("knative.dev")

    @property
    def has_status(self) -> bool:
        """Whether it has a ``status`` subresource."""
        return "status" in self.type.__struct_fields__

    @property
    def api_version(self) -> str:
        """``serving.knative.dev/v1``, ``v1``, …"""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """``services.serving.knative.dev``, ``secrets``, …"""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def singular(self) -> str:
        """``service``, ``trigger``, …"""
        return self.kind.lower()


def _ready(obj: Any) -> Condition:
    return find(obj.status.conditions) or Condition(type="Ready", status="Unknown")


def _status_of(name: str) -> Callable[[Any], str]:
    return lambda obj: str(getattr(obj.status, name) or "")


def _address(obj: Any) -> str:
    return obj.status.address.url if obj.status.address else ""


NAME = Column("Name", lambda obj: obj.metadata.name)
AGE = Column("Age", lambda obj: obj.metadata.creation_timestamp or "", "date")
READY_COLUMNS = (
    Column("Ready", lambda obj: _ready(obj).status),
    Column("Reason", lambda obj: _ready(obj).reason),
)
URL = Column("URL", _status_of("url"))
ADDRESS_URL = Column("URL", _address)
LATEST = (
    Column("LatestCreated", _status_of("latest_created_revision_name")),
    Column("LatestReady", _status_of("latest_ready_revision_name")),
)


def _label(key: str) -> Callable[[Any], str]:
    return lambda obj: obj.metadata.labels.get(key, "")


def _replicas(name: str) -> Callable[[Any], str]:
    def cell(obj: Any) -> str:
        count = getattr(obj.status, name)
        return "" if count is None else str(count)

    return cell


def _unchanged(obj: Any, _old: Any, _config: Config) -> Any:
    return obj


def _nothing_wrong(_obj: Any, _old: Any, _config: Config) -> Errors:
    return ()


SERVING = "serving.knative.dev"
EVENTING = "eventing.knative.dev"
SOURCES = "sources.knative.dev"

KINDS: tuple[KindInfo, ...] = (
    KindInfo(
        type=service.Service,
        group=SERVING,
        version="v1",
        plural="services",
        short_names=("kservice", "ksvc"),
        categories=("all", "knative", "serving"),
        columns=(URL, *LATEST, *READY_COLUMNS),
        defaulted=service.defaulted,
        validated=service.validated,
    ),
    KindInfo(
        type=configuration.Configuration,
        group=SERVING,
        version="v1",
        plural="configurations",
        short_names=("config", "cfg"),
        categories=("all", "knative", "serving"),
        columns=(*LATEST, *READY_COLUMNS),
        defaulted=configuration.defaulted,
        validated=configuration.validated,
    ),
    KindInfo(
        type=revision.Revision,
        group=SERVING,
        version="v1",
        plural="revisions",
        short_names=("rev",),
        categories=("all", "knative", "serving"),
        columns=(
            Column("Config Name", _label(CONFIGURATION)),
            Column("Generation", _label(CONFIGURATION_GENERATION)),
            *READY_COLUMNS,
            Column("Actual Replicas", _replicas("actual_replicas")),
            Column("Desired Replicas", _replicas("desired_replicas")),
        ),
        defaulted=revision.defaulted,
        validated=revision.validated,
        declared=False,
    ),
    KindInfo(
        type=route.Route,
        group=SERVING,
        version="v1",
        plural="routes",
        short_names=("rt",),
        categories=("all", "knative", "serving"),
        columns=(URL, *READY_COLUMNS),
        defaulted=route.defaulted,
        validated=route.validated,
    ),
    KindInfo(
        type=domainmapping.DomainMapping,
        group=SERVING,
        version="v1beta1",
        plural="domainmappings",
        short_names=("dm",),
        categories=("all", "knative", "serving"),
        columns=(URL, *READY_COLUMNS),
        defaulted=domainmapping.defaulted,
        validated=domainmapping.validated,
    ),
    KindInfo(
        type=podautoscaler.PodAutoscaler,
        group="autoscaling.internal.knative.dev",
        version="v1alpha1",
        plural="podautoscalers",
        short_names=("kpa", "pa"),
        categories=("knative-internal", "autoscaling"),
        columns=(
            Column("DesiredScale", _replicas("desired_scale")),
            Column("ActualScale", _replicas("actual_scale")),
            *READY_COLUMNS,
        ),
        defaulted=_unchanged,
        validated=_nothing_wrong,
        declared=False,
    ),
    KindInfo(
        type=image.Image,
        group="caching.internal.knative.dev",
        version="v1alpha1",
        plural="images",
        short_names=("img",),
        categories=("knative-internal", "caching"),
        columns=(
            Column("Image", lambda obj: obj.spec.image),
            Column("Runs As", _status_of("runs_as")),
            *READY_COLUMNS,
        ),
        defaulted=_unchanged,
        validated=_nothing_wrong,
        declared=False,
    ),
    KindInfo(
        type=ingress.Ingress,
        group="networking.internal.knative.dev",
        version="v1alpha1",
        plural="ingresses",
        short_names=("kingress", "king"),
        categories=("knative-internal", "networking"),
        columns=READY_COLUMNS,
        defaulted=_unchanged,
        validated=_nothing_wrong,
        declared=False,
    ),
    KindInfo(
        type=domainclaim.ClusterDomainClaim,
        group="networking.internal.knative.dev",
        version="v1alpha1",
        plural="clusterdomainclaims",
        short_names=("cdc",),
        categories=("knative-internal", "networking"),
        namespaced=False,
        defaulted=_unchanged,
        validated=domainclaim.validated,
    ),
    KindInfo(
        type=broker.Broker,
        group=EVENTING,
        version="v1",
        plural="brokers",
        categories=("all", "knative", "eventing"),
        columns=(
            ADDRESS_URL,
            AGE,
            *READY_COLUMNS,
            Column("Class", lambda obj: obj.metadata.annotations.get(BROKER_CLASS, "")),
        ),
        defaulted=broker.defaulted,
        validated=broker.validated,
    ),
    KindInfo(
        type=trigger.Trigger,
        group=EVENTING,
        version="v1",
        plural="triggers",
        categories=("all", "knative", "eventing"),
        columns=(
            Column("Broker", lambda obj: obj.spec.broker),
            Column("Subscriber_URI", _status_of("subscriber_uri")),
            AGE,
            *READY_COLUMNS,
        ),
        defaulted=trigger.defaulted,
        validated=trigger.validated,
    ),
    KindInfo(
        type=sinkbinding.SinkBinding,
        group=SOURCES,
        version="v1",
        plural="sinkbindings",
        categories=("all", "knative", "sources", "bindings"),
        columns=(Column("Sink", _status_of("sink_uri")), AGE, *READY_COLUMNS),
        defaulted=sinkbinding.defaulted,
        validated=sinkbinding.validated,
    ),
    KindInfo(
        type=namespace.Namespace,
        group="",
        version="v1",
        plural="namespaces",
        short_names=("ns",),
        columns=(Column("Status", _status_of("phase")), AGE),
        namespaced=False,
        defaulted=namespace.defaulted,
        validated=namespace.validated,
    ),
    KindInfo(
        type=configmap.ConfigMap,
        group="",
        version="v1",
        plural="configmaps",
        short_names=("cm",),
        columns=(
            Column("Data", lambda obj: str(len(obj.data) + len(obj.binary_data)), "integer"),
            AGE,
        ),
        defaulted=configmap.defaulted,
        validated=configmap.validated,
    ),
    KindInfo(
        type=secret.Secret,
        group="",
        version="v1",
        plural="secrets",
        columns=(
            Column("Type", lambda obj: obj.type),
            Column("Data", lambda obj: str(len(obj.data)), "integer"),
            AGE,
        ),
        defaulted=secret.defaulted,
        validated=secret.validated,
    ),
    KindInfo(
        type=persistentvolumeclaim.PersistentVolumeClaim,
        group="",
        version="v1",
        plural="persistentvolumeclaims",
        short_names=("pvc",),
        columns=(
            Column("Status", _status_of("phase")),
            Column("Volume", lambda obj: obj.spec.volume_name),
            Column("Capacity", lambda obj: str(obj.status.capacity.get("storage", ""))),
            Column("Access Modes", persistentvolumeclaim.modes_column),
            Column("StorageClass", lambda obj: obj.spec.storage_class_name or ""),
            AGE,
            Column("VolumeMode", lambda obj: obj.spec.volume_mode, priority=1),
        ),
        defaulted=persistentvolumeclaim.defaulted,
        validated=persistentvolumeclaim.validated,
    ),
    KindInfo(
        type=k8sservice.KubernetesService,
        kind_name="Service",
        group="",
        version="v1",
        plural="services",
        short_names=("svc",),
        categories=("all",),
        columns=(
            Column("Type", lambda obj: obj.spec.type),
            Column("Cluster-IP", lambda obj: obj.spec.cluster_ip or "<none>"),
            Column("External-IP", k8sservice.external_column),
            Column("Port(s)", k8sservice.ports_column),
            AGE,
        ),
        defaulted=k8sservice.defaulted,
        validated=k8sservice.validated,
    ),
    KindInfo(
        type=pod.Pod,
        kept=False,
        group="",
        version="v1",
        plural="pods",
        short_names=("po",),
        categories=("all",),
        columns=(
            Column("Ready", pod.ready_column),
            Column("Status", pod.status_column),
            Column("Restarts", pod.restarts_column),
            AGE,
            Column("IP", _status_of("pod_ip"), priority=1),
            Column("Node", lambda obj: obj.spec.node_name or "<none>", priority=1),
        ),
        defaulted=_unchanged,
        validated=_nothing_wrong,
        declared=False,
    ),
    KindInfo(
        type=serviceaccount.ServiceAccount,
        group="",
        version="v1",
        plural="serviceaccounts",
        short_names=("sa",),
        columns=(Column("Secrets", lambda obj: str(len(obj.secrets)), "integer"), AGE),
        defaulted=_unchanged,
        validated=serviceaccount.validated,
    ),
    KindInfo(
        type=node.Node,
        group="",
        version="v1",
        plural="nodes",
        short_names=("no",),
        columns=(
            Column("Status", node.status_column),
            Column("Roles", lambda _: "<none>"),
            AGE,
            Column("Version", lambda obj: obj.status.node_info.kubelet_version),
        ),
        namespaced=False,
        defaulted=_unchanged,
        validated=_nothing_wrong,
        declared=False,
        verbs=READ_ONLY,
    ),
    KindInfo(
        type=event.Event,
        group="",
        version="v1",
        plural="events",
        short_names=("ev",),
        columns=(
            Column("Last Seen", lambda obj: obj.last_timestamp or "", type="date"),
            Column("Type", lambda obj: obj.type),
            Column("Reason", lambda obj: obj.reason),
            Column("Object", event.object_column),
            Column("Source", lambda obj: obj.source.component, priority=1),
            Column("Message", lambda obj: obj.message),
            Column("First Seen", lambda obj: obj.first_timestamp or "", type="date", priority=1),
            Column("Count", lambda obj: str(obj.count), type="integer", priority=1),
            replace(NAME, priority=1),
        ),
        defaulted=_unchanged,
        validated=_nothing_wrong,
        declared=False,
        verbs=READ_ONLY,
    ),
    KindInfo(
        type=endpoints.Endpoints,
        group="",
        version="v1",
        plural="endpoints",
        short_names=("ep",),
        columns=(Column("Endpoints", endpoints.addresses_column), AGE),
        defaulted=_unchanged,
        validated=_nothing_wrong,
        declared=False,
        verbs=READ_ONLY,
    ),
    KindInfo(
        type=endpoints.EndpointSlice,
        group="discovery.k8s.io",
        version="v1",
        plural="endpointslices",
        columns=(
            Column("AddressType", lambda obj: obj.address_type),
            Column("Ports", endpoints.slice_ports_column),
            Column("Endpoints", endpoints.slice_addresses_column),
            AGE,
        ),
        defaulted=_unchanged,
        validated=_nothing_wrong,
        declared=False,
        verbs=READ_ONLY,
    ),
    KindInfo(
        type=deployment.Deployment,
        group="apps",
        version="v1",
        plural="deployments",
        short_names=("deploy",),
        categories=("all",),
        columns=(
            Column("Ready", deployment.ready_column),
            Column("Up-to-date", lambda obj: str(obj.status.updated_replicas), type="integer"),
            Column("Available", lambda obj: str(obj.status.available_replicas), type="integer"),
            AGE,
            Column("Containers", deployment.containers_column, priority=1),
            Column("Images", deployment.images_column, priority=1),
            Column("Selector", deployment.selector_column, priority=1),
        ),
        defaulted=_unchanged,
        validated=_nothing_wrong,
        declared=False,
        verbs=READ_ONLY,
    ),
    KindInfo(
        type=hpa.HorizontalPodAutoscaler,
        group="autoscaling",
        version="v2",
        plural="horizontalpodautoscalers",
        short_names=("hpa",),
        categories=("all",),
        columns=(
            Column("Reference", hpa.reference_column),
            Column("Targets", hpa.targets_column),
            Column("MinPods", lambda obj: str(obj.spec.min_replicas or 1)),
            Column("MaxPods", lambda obj: str(obj.spec.max_replicas), type="integer"),
            Column("Replicas", lambda obj: str(obj.status.current_replicas), type="integer"),
            AGE,
        ),
        defaulted=_unchanged,
        validated=_nothing_wrong,
        declared=False,
        verbs=READ_ONLY,
    ),
    KindInfo(
        type=metric.Metric,
        group="autoscaling.internal.knative.dev",
        version="v1alpha1",
        plural="metrics",
        categories=("knative-internal", "autoscaling"),
        columns=READY_COLUMNS,
        defaulted=_unchanged,
        validated=_nothing_wrong,
        declared=False,
        verbs=READ_ONLY,
    ),
    KindInfo(
        type=serverlessservice.ServerlessService,
        group="networking.internal.knative.dev",
        version="v1alpha1",
        plural="serverlessservices",
        short_names=("sks",),
        categories=("knative-internal", "networking"),
        columns=(
            Column("Mode", lambda obj: obj.spec.mode),
            Column("Activators", lambda obj: str(obj.spec.num_activators), type="integer"),
            Column("ServiceName", _status_of("service_name")),
            Column("PrivateServiceName", _status_of("private_service_name")),
            *READY_COLUMNS,
        ),
        defaulted=_unchanged,
        validated=_nothing_wrong,
        declared=False,
        verbs=READ_ONLY,
    ),
)

_BY_TYPE: Mapping[type[Object], KindInfo] = {info.type: info for info in KINDS}
_BY_NAME = {
    (f"{info.group}/{version}" if info.group else version, info.kind): info
    for info in KINDS
    for version in info.versions
}
_BY_RESOURCE = {
    (info.group, version, info.plural): info for info in KINDS for version in info.versions
}
_BY_WORD: Mapping[str, KindInfo] = {
    word: info
    # The first kind listed wins an ambiguous word: a service is Knative's unless one says svc.
    # (kubectl looks into the core group first, where services are Kubernetes' own.)
    for info in reversed(KINDS)
    for word in (info.plural, info.singular, *info.short_names, info.resource)
}


def info_of(kind: type[Object]) -> KindInfo:
    """What the catalog says of *kind*."""
    return _BY_TYPE[kind]


def find_kind(word: str) -> KindInfo | None:
    """The kind that a person means by *word*: plural, singular or short name, in any case."""
    return _BY_WORD.get(word.lower())


def kind_named(api_version: str, kind: str) -> KindInfo | None:
    """The kind that a document or a reference names."""
    return _BY_NAME.get((api_version, kind))


def by_resource(group: str, version: str, plural: str) -> KindInfo | None:
    """The kind served at ``/apis/GROUP/VERSION/…/PLURAL``."""
    return _BY_RESOURCE.get((group, version, plural))


def document(obj: Object) -> dict[str, Any]:
    """*obj* as a whole document, ``apiVersion`` and ``kind`` first."""
    info = info_of(type(obj))
    return {"apiVersion": info.api_version, "kind": info.kind, **encode(obj)}


def tree_of(obj: Object) -> dict[str, Any]:
    """The same as a tree of lists and dicts only, as a client would have sent it."""
    tree: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document(obj)))
    return tree


@dataclass(frozen=True, slots=True)
class Read:
    """What a document turned out to be; *value* is None when there are problems."""

    value: Object | None
    problems: tuple[Problem, ...] = ()
    unknown: tuple[str, ...] = ()
    """What was pruned, in the words of field validation."""


def read(tree: object, *, strict: bool = True) -> Read:
    """The object that the document *tree* describes, or everything wrong with its shape."""
    if not isinstance(tree, Mapping):
        return Read(None, (Problem("", "a document must be a map with apiVersion and kind"),))
    absent = [name for name in ("apiVersion", "kind") if not isinstance(tree.get(name), str)]
    if absent:
        return Read(None, tuple(Problem("", f"{name}: Required value") for name in absent))
    api_version, kind = str(tree["apiVersion"]), str(tree["kind"])
    info = _BY_NAME.get((api_version, kind))
    if info is None:
        return Read(None, (Problem("kind", _no_match(api_version, kind)),))
    fields = {name: value for name, value in tree.items() if name not in {"apiVersion", "kind"}}
    decoded = decode(info.type, fields, strict=strict)
    return Read(decoded.value, decoded.problems, decoded.unknown)


def _no_match(api_version: str, kind: str) -> str:
    text = f'no matches for kind "{kind}" in version "{api_version}"'
    known = {f"{info.kind} ({info.api_version})": info for info in KINDS if info.declared}
    same_kind = [name for name, info in known.items() if info.kind == kind]
    close = same_kind or get_close_matches(f"{kind} ({api_version})", known, n=1)
    return f"{text}; did you mean {close[0]}?" if close else f"{text}; knlite has no such kind"
