"""Channels behind channels: which kinds there are, and how one is made from a template.

Source: knative/eventing ``pkg/duck/channel.go``, ``pkg/channel``; Eventing reference §5, data plane
reference §8 (host names).
"""

from collections.abc import Mapping
from typing import TypeVar

from knlite.eventing.references import group_in
from knlite.kinds.codec import decode, encode
from knlite.kinds.config.eventingfeatures import CROSS_NAMESPACE_LINKS
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.kreference import KReference, group_of
from knlite.kinds.messaging.channel import Channel, ChannelSpec
from knlite.kinds.messaging.channelable import ChannelableSpec
from knlite.kinds.messaging.channeltemplate import ChannelTemplate
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import KafkaChannel, KafkaChannelSpec
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.names import child_name
from knlite.kinds.ownership import owned_by
from knlite.reconcile import View

MESSAGING = "messaging.knative.dev"
CLUSTER_DOMAIN = "svc.cluster.local"
CHANNEL_ENDING = "-kn-channel"
ALL_CHANNELS = f"imc-dispatcher.knative-eventing.{CLUSTER_DOMAIN}"
"""The host at which a path names the channel."""

BackingChannel = InMemoryChannel | KafkaChannel
"""What can stand behind a Channel: a channel that delivers events itself."""
Channelable = BackingChannel | Channel

S = TypeVar("S", bound=ChannelableSpec)

BACKING_CHANNELS: tuple[type[BackingChannel], ...] = (InMemoryChannel, KafkaChannel)
_KINDS: Mapping[tuple[str, str], type[Channelable]] = {
    (MESSAGING, "InMemoryChannel"): InMemoryChannel,
    (MESSAGING, "KafkaChannel"): KafkaChannel,
    (MESSAGING, "Channel"): Channel,
}


class NoSuchChannel(ValueError):
    """A template cannot be followed; the text says why."""


def channel_host(namespace: str, name: str) -> str:
    """The host by which the channel *name* is called from inside the cluster."""
    return f"{child_name(name, CHANNEL_ENDING)}.{namespace}.{CLUSTER_DOMAIN}"


def channel_kind(template: ChannelTemplate) -> type[Channelable]:
    """The kind that *template* asks for; raises ``NoSuchChannel``."""
    kind = _KINDS.get((group_in(template.api_version), template.kind))
    if kind is None:
        raise NoSuchChannel(
            f'no matches for kind "{template.kind}" in version "{template.api_version}": the'
            f" channels here are the kinds InMemoryChannel of {MESSAGING}/v1 and KafkaChannel of"
            f" {MESSAGING}/v1beta1"
        )
    return kind


def names_channel(ref: KReference) -> bool:
    """Whether *ref* names a kind of channel that is here."""
    return (group_of(ref), ref.kind) in _KINDS


def backing_kind(template: ChannelTemplate) -> type[BackingChannel]:
    """The kind that *template* asks for, if it can stand behind a Channel.

    Raises ``NoSuchChannel``.
    """
    kind = channel_kind(template)
    if kind is Channel:
        raise NoSuchChannel(
            "a Channel cannot stand behind a Channel; use kind InMemoryChannel or KafkaChannel"
        )
    return KafkaChannel if kind is KafkaChannel else InMemoryChannel


def backing_of(channel: Channel, view: View) -> BackingChannel | None:
    """The channel behind *channel*, if it is there."""
    try:
        kind = backing_kind(channel.spec.channel_template or ChannelTemplate())
    except NoSuchChannel:
        return None
    return view.get(kind, channel.metadata.namespace, channel.metadata.name)


def channel_at(ref: KReference, namespace: str, view: View) -> Channelable | None:
    """The channel that *ref* names in *namespace*."""
    kind = _KINDS.get((group_of(ref), ref.kind))
    return None if kind is None else view.get(kind, namespace, ref.name)


def channel_namespace(subscription: Subscription, view: View) -> str:
    """Where the channel of *subscription* is looked for."""
    elsewhere = subscription.spec.channel.namespace
    if elsewhere and view.config.eventing.enabled(CROSS_NAMESPACE_LINKS):
        return elsewhere
    return subscription.metadata.namespace


def made_from(
    template: ChannelTemplate, name: str, owner: Object, delivery: DeliverySpec | None = None
) -> Channelable:
    """A channel of *owner* as *template* says, which goes before *delivery*.

    Raises ``NoSuchChannel``.
    """
    kind = channel_kind(template)
    metadata = ObjectMeta(
        name=name, namespace=owner.metadata.namespace, owner_references=owned_by(owner)
    )
    tree = {**encode(ChannelableSpec(delivery=delivery)), **(template.spec or {})}
    if kind is Channel:
        return Channel(metadata=metadata, spec=_read(ChannelSpec, tree))
    if kind is KafkaChannel:
        return KafkaChannel(metadata=metadata, spec=_read(KafkaChannelSpec, tree))
    return InMemoryChannel(metadata=metadata, spec=_read(ChannelableSpec, tree))


def _read(kind: type[S], tree: Mapping[str, object]) -> S:
    decoded = decode(kind, tree, strict=False)
    if decoded.value is None:
        problems = "; ".join(str(problem) for problem in decoded.problems)
        raise NoSuchChannel(f"spec.channelTemplate.spec: {problems}")
    return decoded.value
