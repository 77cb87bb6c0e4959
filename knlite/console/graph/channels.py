"""Channels with their Subscriptions, and what is made of both: Sequences and Parallels.

Source: Eventing reference §5, §6, §7.
"""

from collections.abc import Iterator

from knlite.console.graph.drawing import Drawing, has_sink
from knlite.console.graph.nodes import id_of
from knlite.console.graph.values import node_id
from knlite.eventing.channels import BACKING_CHANNELS, Channelable, channel_namespace
from knlite.eventing.reconcilers.parallel import branch_name, filter_name
from knlite.eventing.reconcilers.sequence import child_name as step_name
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.kreference import KReference
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.channelable import SubscriberSpec
from knlite.kinds.messaging.subscription import Subscription, said


def draw_channels(drawing: Drawing) -> None:
    """All channels, Subscriptions and flows."""
    places = drawing.places
    heirs: dict[str, list[str]] = {}
    written: set[str] = set()
    for subscription in drawing.view.listed(Subscription, ""):
        written.add(subscription.metadata.uid)
        namespace = channel_namespace(subscription, drawing.view)
        channel = places.named(_in(subscription.spec.channel, namespace), namespace)
        if not has_sink(subscription.spec.delivery):
            heirs.setdefault(channel, []).append(id_of(subscription))
        if places.whole(subscription) is subscription:
            _subscription(drawing, subscription, channel)
    for each in _channels(drawing):
        node, namespace = places.of(each), each.metadata.namespace
        for subscriber in each.spec.subscribers:
            if subscriber.uid not in written:
                _by_hand(drawing, subscriber, node, namespace)
        drawing.dead_letters(node, each.spec.delivery, namespace, heirs.get(node, ()))
    for sequence in drawing.view.listed(Sequence, ""):
        _sequence(drawing, sequence)
    for parallel in drawing.view.listed(Parallel, ""):
        _parallel(drawing, parallel)


def _channels(drawing: Drawing) -> Iterator[Channelable]:
    yield from drawing.view.listed(Channel, "")
    for kind in BACKING_CHANNELS:
        yield from drawing.view.listed(kind, "")


def _in(ref: KReference, namespace: str) -> KReference:
    """Other namespaces count only where they may be named, which *namespace* has settled."""
    return KReference(
        kind=ref.kind,
        namespace=namespace,
        name=ref.name,
        api_version=ref.api_version,
        group=ref.group,
    )


def _subscription(drawing: Drawing, subscription: Subscription, channel: str) -> None:
    places, spec = drawing.places, subscription.spec
    namespace, node = subscription.metadata.namespace, places.of(subscription)
    drawing.edge(channel, node, "subscribes", f"{node}|in")
    subscriber = places.led_to(said(spec.subscriber), namespace)
    drawing.edge(node, subscriber, "delivers", f"{node}|subscriber")
    reply = places.led_to(said(spec.reply), namespace)
    drawing.edge(subscriber or node, reply, "replies", f"{node}|reply", via=node)
    drawing.dead_letters(node, spec.delivery, namespace, (node,))


def _by_hand(drawing: Drawing, subscriber: SubscriberSpec, node: str, namespace: str) -> None:
    """A subscriber that a person has written into the channel, without a Subscription."""
    egress = node_id("Subscription", namespace, subscriber.name or subscriber.uid)
    places = drawing.places
    to = places.behind(subscriber.subscriber_uri) if subscriber.subscriber_uri else None
    drawing.edge(node, to, "delivers", f"{egress}|subscriber")
    if subscriber.reply_uri:
        reply = places.behind(subscriber.reply_uri)
        drawing.edge(to or node, reply, "replies", f"{egress}|reply", via=egress)
    drawing.dead_letters(node, subscriber.delivery, namespace, (egress,))


def _sequence(drawing: Drawing, sequence: Sequence) -> None:
    """Its steps as a chain, as the answer of each goes to the next."""
    places, meta = drawing.places, sequence.metadata
    node = before = places.of(sequence)
    egress = ""
    for index, step in enumerate(sequence.spec.steps):
        egress = node_id("Subscription", meta.namespace, step_name(meta.name, index))
        target = places.led_to(step, meta.namespace)
        label = f"step {index + 1}"
        drawing.edge(before, target, "delivers", f"{egress}|subscriber", label=label, via=node)
        drawing.dead_letters(node, step.delivery, meta.namespace, (egress,))
        before = target or before
    reply = places.led_to(sequence.spec.reply, meta.namespace)
    drawing.edge(before, reply, "replies", f"{egress}|reply", label="reply", via=node)


def _parallel(drawing: Drawing, parallel: Parallel) -> None:
    """A way for each branch: its filter, then its subscriber, then where that replies to."""
    places, meta = drawing.places, parallel.metadata
    node = places.of(parallel)
    for index, branch in enumerate(parallel.spec.branches):
        label = f"branch {index + 1}"
        first = node_id("Subscription", meta.namespace, filter_name(meta.name, index))
        second = node_id("Subscription", meta.namespace, branch_name(meta.name, index))
        asked = places.led_to(branch.filter, meta.namespace)
        if asked is not None:
            words = f"filter of {label}"
            drawing.edge(node, asked, "delivers", f"{first}|subscriber", label=words, via=node)
        target = places.led_to(branch.subscriber, meta.namespace)
        begin = asked or node
        drawing.edge(begin, target, "delivers", f"{second}|subscriber", label=label, via=node)
        reply = places.led_to(branch.reply or parallel.spec.reply, meta.namespace)
        drawing.edge(target, reply, "replies", f"{second}|reply", label=label, via=node)
        drawing.dead_letters(node, branch.delivery, meta.namespace, (second,))
