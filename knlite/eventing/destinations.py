"""A Destination to the URL behind it, or to the sentence that says why there is none.

Whether the target is ready is not asked, only whether it has an address.

Source: knative/pkg ``resolver/addressable_resolver.go``; Eventing reference §1.4. Not here: what a
Destination may say (``kinds/eventing/destination.py``).
"""

from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

import msgspec

from knlite.eventing.channels import CHANNEL_ENDING, CLUSTER_DOMAIN
from knlite.eventing.references import kind_of, not_found
from knlite.kinds.addressable import Addressable
from knlite.kinds.core.k8sservice import KubernetesService
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.eventtransform import EventTransform
from knlite.kinds.eventing.kafkasink import KafkaSink
from knlite.kinds.eventing.requestreply import RequestReply
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.kreference import KReference, group_of, shown
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.meta import Object
from knlite.kinds.serving.domainmapping import DomainMapping
from knlite.kinds.serving.route import Route
from knlite.kinds.serving.service import Service
from knlite.kinds.sinks.jobsink import JobSink
from knlite.reconcile import View

BROKER_INGRESS = f"broker-ingress.knative-eventing.{CLUSTER_DOMAIN}"


@dataclass(frozen=True, slots=True)
class Resolved:
    """An absolute URL, with whom to trust there, and to whom a token for it is addressed.

    What the Destination says of that goes before what the address says.
    """

    url: str
    ca_certs: str | None = None
    audience: str | None = None


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why there is no URL, in upstream's words."""

    message: str


def resolve(destination: Destination, namespace: str, view: View) -> Resolved | Unresolved:
    """The URL that *destination* of an object in *namespace* stands for.

    Admission does not look at the destinations of every kind, so anything may stand there.
    """
    try:
        if destination.ref is not None:
            found = _referred(destination.ref, namespace, destination, view)
        elif destination.uri:
            found = _absolute(destination.uri)
        else:
            return Unresolved("destination missing Ref and URI, expected at least one")
    except ValueError as exc:
        return Unresolved(f'invalid URI "{destination.uri}": {exc}')
    if isinstance(found, Unresolved):
        return found
    ca_certs = destination.ca_certs or found.ca_certs or None
    return Resolved(found.url, ca_certs, destination.audience or found.audience or None)


def names_of(host: str) -> tuple[str, ...]:
    """All names of *host*, which is one of the cluster's, the longest last."""
    svc = host.removesuffix(".cluster.local")
    return (svc.removesuffix(".svc"), svc, host)


def broker_url(namespace: str, name: str) -> str:
    """Where the Broker *name* takes events in, from inside the cluster."""
    return f"http://{BROKER_INGRESS}/{namespace}/{name}"


def _referred(
    ref: KReference, namespace: str, destination: Destination, view: View
) -> Resolved | Unresolved:
    namespace = ref.namespace or namespace
    if not group_of(ref) and ref.kind == "Service":
        base = _kubernetes_service(ref.name, namespace, bool(destination.ca_certs), view)
    else:
        base = _addressed(ref, namespace, view)
    if isinstance(base, Unresolved) or not destination.uri:
        return base
    if urlsplit(destination.uri).scheme:
        return Unresolved("absolute URI is not allowed when Ref or [apiVersion, kind, name] exists")
    return replace(base, url=urljoin(base.url, destination.uri))


def _absolute(uri: str) -> Resolved | Unresolved:
    parts = urlsplit(uri)
    if parts.scheme and parts.hostname:
        return Resolved(uri)
    return Unresolved(
        f'URI is not absolute (both scheme and host should be non-empty): "{uri}"',
    )


def _kubernetes_service(name: str, namespace: str, tls: bool, view: View) -> Resolved | Unresolved:
    """The name of a Kubernetes Service; Routes and channels have one that follows from them."""
    channel = name.removesuffix(CHANNEL_ENDING)
    found = (
        view.get(Route, namespace, name)
        or view.get(KubernetesService, namespace, name)
        or (channel != name and view.get(InMemoryChannel, namespace, channel))
        or (channel != name and view.get(KafkaChannel, namespace, channel))
    )
    if not found:
        return Unresolved(
            f"failed to get object {namespace}/{name}: {not_found('', 'Service', name)}"
        )
    return Resolved(f"{'https' if tls else 'http'}://{name}.{namespace}.{CLUSTER_DOMAIN}")


def _addressed(ref: KReference, namespace: str, view: View) -> Resolved | Unresolved:
    group = group_of(ref)
    kind = kind_of(group, ref.kind)
    found = None if kind is None else view.get(kind, namespace, ref.name)
    if found is None:
        return Unresolved(
            f"failed to get object {namespace}/{ref.name}: {not_found(group, ref.kind, ref.name)}"
        )
    addresses = _addresses_of(found)
    if ref.address:
        addresses = tuple(each for each in addresses if each.name == ref.address)
        if not addresses:
            shown = _shown(ref, namespace)
            return Unresolved(f'address with name "{ref.address}" not found for {shown}')
    if not addresses:
        return Unresolved(f"address not set for {_shown(ref, namespace)}")
    url = addresses[0].url
    if not url:
        return Unresolved(f"URL missing in address of {_shown(ref, namespace)}")
    if not urlsplit(url).hostname:
        return Unresolved(f"hostname missing in address of {_shown(ref, namespace)}")
    return Resolved(url, addresses[0].ca_certs, addresses[0].audience)


def _addresses_of(obj: Object) -> tuple[Addressable, ...]:
    """The list goes before the single address."""
    match obj:
        case Broker(status=status) | EventTransform(status=status) | RequestReply(status=status):
            single, several = status.address, status.addresses
        case JobSink(status=sink_status) | KafkaSink(status=sink_status):
            single, several = sink_status.address, sink_status.addresses
        case (
            Channel(status=channel_status)
            | InMemoryChannel(status=channel_status)
            | KafkaChannel(status=channel_status)
        ):
            single, several = channel_status.address, channel_status.addresses
        case Sequence(status=flow_status) | Parallel(status=flow_status):
            single, several = flow_status.address, ()
        case Service(status=service_status):
            single, several = service_status.address, ()
        case Route(status=route_status):
            single, several = route_status.address, ()
        case DomainMapping(status=mapping_status):
            single, several = mapping_status.address, ()
        case _:
            return ()
    return several or (() if single is None else (single,))


def _shown(ref: KReference, namespace: str) -> str:
    return shown(msgspec.structs.replace(ref, namespace=namespace))
