"""Where references and URLs lead: to a node of the map, or to one of what is not there.

What an object has made for itself is part of it: the Route of a Service, the InMemoryChannel behind
a Channel, the channels and Subscriptions of a Sequence. A URL by which something here is reached,
from inside the cluster or from this machine, leads to that.

Source: Eventing reference §1.4 (references), README "Addresses" (path addresses).
"""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from knlite.console.graph.inboxes import inbox_of
from knlite.console.graph.nodes import ROLES, id_of, kind_name, node_of, role_of
from knlite.console.graph.values import EXTERNAL, Node, node_id
from knlite.eventing.channels import (
    BACKING_CHANNELS,
    CHANNEL_ENDING,
    CLUSTER_DOMAIN,
)
from knlite.eventing.references import group_in, kind_of, not_found
from knlite.kinds.addressable import Addressable
from knlite.kinds.catalog import info_of
from knlite.kinds.core.k8sservice import KubernetesService
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.eventtransform import EventTransform
from knlite.kinds.eventing.kafkasink import KafkaSink
from knlite.kinds.eventing.requestreply import RequestReply
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.kreference import KReference, group_of
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.meta import Object, controller_of
from knlite.kinds.serving.domainmapping import DomainMapping
from knlite.kinds.serving.route import Route
from knlite.kinds.serving.service import Service
from knlite.kinds.sinks.jobsink import JobSink
from knlite.kinds.sources.container import ContainerSource
from knlite.reconcile import View

_WHOLES: Final = (Service, Channel, Sequence, Parallel, ContainerSource, RequestReply)
"""Kinds that make others for themselves."""
_DEEPEST: Final = 3
_ADDRESSED: Final[tuple[type[Object], ...]] = (Route, DomainMapping, *ROLES)
"""Kinds whose objects say in their status where they are."""
_LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "::1"))
_COLLECTIONS: Final[Mapping[str, tuple[type[Object], ...]]] = {
    "services": (Service, Route, KubernetesService),
    "brokers": (Broker,),
    "channels": (Channel, *BACKING_CHANNELS),
    "eventtransforms": (EventTransform,),
    "requestreplies": (RequestReply,),
    "kafkasinks": (KafkaSink,),
}
"""What stands in path addresses."""

_Address = tuple[str, str]
"""Host and path; an empty path stands for all paths."""


class Places:
    """The nodes of one graph, made as something leads to them."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.nodes: dict[str, Node] = {}
        self._addresses: Mapping[_Address, str] | None = None

    def of(self, obj: Object) -> str:
        """The node that *obj*, which exists, is or is part of."""
        whole = self.whole(obj)
        name = id_of(whole)
        if name not in self.nodes:
            port = self.view.config.external_port
            self.nodes[name] = node_of(whole, inbox_of(whole, self.view), port)
        return name

    def whole(self, obj: Object) -> Object:
        """What has made *obj* for itself; else *obj*."""
        # Who writes owners by hand may write a circle; knlite's own are three deep.
        for _ in range(_DEEPEST):
            owner = controller_of(obj)
            kind = owner and kind_of(group_in(owner.api_version), owner.kind)
            if owner is None or kind is None or kind not in _WHOLES:
                break
            found = self.view.get(kind, obj.metadata.namespace, owner.name)
            if found is None or found.metadata.uid != owner.uid:
                break
            obj = found
        return obj

    def at(self, kind: type[Object], namespace: str, name: str) -> str:
        """The node of the object of that name, whether it is there or not."""
        found = self.view.get(kind, namespace, name)
        if found is None:
            return self._missing(kind, namespace, name)
        if isinstance(found, DomainMapping) and found.spec.ref.kind != kind_name(DomainMapping):
            # It is another name of what it points to.
            return self.named(found.spec.ref, namespace)
        return self.of(found)

    def named(self, ref: KReference, namespace: str) -> str:
        """The node that *ref* of an object in *namespace* names."""
        namespace = ref.namespace or namespace
        group = group_of(ref)
        kind = kind_of(group, ref.kind)
        if kind is None:
            return self._unknown(ref, namespace)
        if kind is KubernetesService:
            return self._kubernetes_service(namespace, ref.name)
        return self.at(kind, namespace, ref.name)

    def led_to(self, destination: Destination | None, namespace: str) -> str | None:
        """The node that *destination* leads to; None if it says nothing."""
        if destination is None:
            return None
        if destination.ref is not None:
            return self.named(destination.ref, namespace)
        return self.behind(destination.uri) if destination.uri else None

    def behind(self, url: str) -> str:
        """The node that *url* leads to: something here, or the world."""
        address = _address(url)
        if address is None:
            return self._outside(url, "it is no URL")
        host, path = address
        if host in _LOOPBACK and (found := self._by_path(path)):
            return found
        if self._addresses is None:
            self._addresses = dict(self._all_addresses())
        for way in _ways(host, path):
            if way in self._addresses:
                return self._addresses[way]
        name, _, namespace = host.partition(".")
        service = self.view.get(KubernetesService, namespace, name) if namespace else None
        if service is not None:
            return self.of(service)
        inside = (urlsplit(url).hostname or "").endswith(CLUSTER_DOMAIN)
        return self._outside(url, "nothing here has this address" if inside else "")

    def _kubernetes_service(self, namespace: str, name: str) -> str:
        """Routes and channels have one, which follows from them; brokers are behind one."""
        channel = name.removesuffix(CHANNEL_ENDING)
        kinds: tuple[type[Object], ...] = BACKING_CHANNELS if channel != name else ()
        found = (
            self.view.get(Route, namespace, name)
            or self.view.get(KubernetesService, namespace, name)
            or next(
                (obj for kind in kinds if (obj := self.view.get(kind, namespace, channel))), None
            )
        )
        if found is None:
            return self._missing(KubernetesService, namespace, name)
        return self.of(found)

    def _by_path(self, path: str) -> str | None:
        """The node of a path address, as this machine's programs write it."""
        steps = path.split("/")
        if len(steps) < 5 or steps[1] != "ns":
            return None
        namespace, collection, name = steps[2:5]
        if (namespace, collection, name) == ("knative-eventing", "services", "job-sink"):
            return self.at(JobSink, *steps[5:7]) if len(steps) > 6 else None
        kinds = _COLLECTIONS.get(collection, ())
        for kind in kinds:
            if self.view.get(kind, namespace, name) is not None:
                return self.at(kind, namespace, name)
        return self._missing(kinds[0], namespace, name) if kinds else None

    def _all_addresses(self) -> Iterator[tuple[_Address, str]]:
        for kind in _ADDRESSED:
            for obj in self.view.listed(kind, ""):
                for url in _urls(obj):
                    # Whoever may write a status may write anything there.
                    address = _address(url)
                    if address is not None and address[0]:
                        meta = obj.metadata
                        yield address, self.at(kind, meta.namespace, meta.name)

    def _missing(self, kind: type[Object], namespace: str, name: str) -> str:
        known = node_id(kind_name(kind), namespace, name)
        if known not in self.nodes:
            shown = "Service" if kind is KubernetesService else kind_name(kind)
            self.nodes[known] = Node(
                id=known,
                kind=kind_name(kind),
                namespace=namespace,
                name=name,
                role=role_of(kind),
                ready="False",
                reason="NotFound",
                message=not_found(info_of(kind).group, shown, name),
                missing=True,
            )
        return known

    def _unknown(self, ref: KReference, namespace: str) -> str:
        """The node of an object of a kind that cannot be here."""
        known = node_id(ref.kind, namespace, ref.name)
        if known not in self.nodes:
            self.nodes[known] = Node(
                id=known,
                kind=ref.kind,
                api_version=ref.api_version,
                namespace=namespace,
                name=ref.name,
                role="external",
                ready="False",
                reason="NotFound",
                message=not_found(group_of(ref), ref.kind, ref.name),
                missing=True,
            )
        return known

    def _outside(self, url: str, why: str) -> str:
        known = node_id(EXTERNAL, "", url)
        if known not in self.nodes:
            self.nodes[known] = Node(
                id=known,
                kind=EXTERNAL,
                name=url,
                role="external",
                ready="False" if why else "",
                reason="NotFound" if why else "",
                message=why,
                url="" if why else url,
                missing=bool(why),
            )
        return known


def _urls(obj: Object) -> Iterator[str]:
    """All URLs at which *obj* is reached, as its status says."""
    status = getattr(obj, "status", None)
    single: Addressable | None = getattr(status, "address", None)
    several: tuple[Addressable, ...] = getattr(status, "addresses", ())
    for each in (*several, *(() if single is None else (single,))):
        yield each.url
    if isinstance(obj, Service | Route | DomainMapping):
        yield obj.status.url
    if isinstance(obj, Service | Route):
        for target in obj.status.traffic:
            yield target.url


def _ways(host: str, path: str) -> Iterator[_Address]:
    """What may stand for *path* at *host*, the most exact first."""
    yield host, path
    while path:
        path = path.rpartition("/")[0]
        yield host, path


def _address(url: str) -> _Address | None:
    """Where *url* leads; None if it is none."""
    try:
        parts = urlsplit(url)
        return _short(parts.hostname or ""), parts.path.rstrip("/")
    except ValueError:
        return None


def _short(host: str) -> str:
    return host.lower().rstrip(".").removesuffix(".cluster.local").removesuffix(".svc")
