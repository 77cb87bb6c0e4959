"""What is worth telling of Eventing's objects, in the words of Kubernetes Events.

That an object has become ready, or why not, is told of all kinds alike (``serving/happenings.py``).

Source: the events that knative/eventing's reconcilers record; Eventing reference §6.
Not here: counting and keeping them (``controlplane/eventledger.py``).
"""

from collections.abc import Iterator

from knlite.eventing.channels import BackingChannel
from knlite.kinds.conditions import find
from knlite.kinds.happening import Happening, told_by_controller
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object

_COMPONENT = "subscription-controller"


def of_change(old: Object, new: Object) -> Iterator[Happening]:
    """What it means that *old* has become *new*."""
    match old, new:
        case InMemoryChannel(), InMemoryChannel():
            yield from _subscribers(old, new)
        case KafkaChannel(), KafkaChannel():
            yield from _subscribers(old, new)
        case Subscription(), Subscription():
            yield from _subscription(old, new)
        case _:
            pass


def _subscribers(old: BackingChannel, new: BackingChannel) -> Iterator[Happening]:
    """What a channel has learnt of its Subscriptions, which lie in its namespace as a rule."""
    before = {each.uid: each for each in old.spec.subscribers}
    now = {each.uid: each for each in new.spec.subscribers}
    channel, namespace = new.metadata.name, new.metadata.namespace
    told = (
        (each.name, "SubscriberSync", f'Subscription was synchronized to channel "{channel}"')
        for uid, each in now.items()
        if each != before.get(uid)
    )
    gone = (
        (each.name, "SubscriberRemoved", f'Subscription was removed from channel "{channel}"')
        for uid, each in before.items()
        if uid not in now
    )
    for name, reason, text in (*told, *gone):
        yield Happening("Subscription", namespace, name, "Normal", reason, text, _COMPONENT)


def _subscription(old: Subscription, new: Subscription) -> Iterator[Happening]:
    if old.metadata.finalizers != new.metadata.finalizers:
        text = f'Updated "{new.metadata.name}" finalizers'
        yield told_by_controller(new, "Normal", "FinalizerUpdate", text)
    before, now = find(old.status.conditions), find(new.status.conditions)
    if now is None or now.status != "Unknown" or not now.reason:
        return
    if before is None or (before.reason, before.message) != (now.reason, now.message):
        yield told_by_controller(new, "Warning", now.reason, now.message)
