"""Eventing reference §6: what Kubernetes Events tell of channels and Subscriptions."""

from msgspec.structs import replace

from knlite.eventing.happenings import of_change
from knlite.kinds.conditions import Condition
from knlite.kinds.happening import Happening
from knlite.kinds.messaging.channelable import ChannelableSpec, SubscriberSpec
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.subscription import Subscription, SubscriptionStatus
from knlite.kinds.meta import ObjectMeta

META = ObjectMeta(name="c", namespace="shop")


def channel(*subscribers: SubscriberSpec) -> InMemoryChannel:
    return InMemoryChannel(metadata=META, spec=ChannelableSpec(subscribers=subscribers))


def subscription(*conditions: Condition) -> Subscription:
    return Subscription(metadata=META, status=SubscriptionStatus(conditions=conditions))


def told(name: str, reason: str, text: str) -> Happening:
    return Happening(
        "Subscription", "shop", name, "Normal", reason, text, "subscription-controller"
    )


def test_a_subscription_hears_what_its_channel_has_learnt() -> None:
    one = SubscriberSpec(name="one", uid="1", subscriber_uri="http://x.example")
    two, three = replace(one, name="two", uid="2"), replace(one, name="three", uid="3")
    changed = replace(two, generation=2)
    assert list(of_change(channel(one, two), channel(changed, three))) == [
        told("two", "SubscriberSync", 'Subscription was synchronized to channel "c"'),
        told("three", "SubscriberSync", 'Subscription was synchronized to channel "c"'),
        told("one", "SubscriberRemoved", 'Subscription was removed from channel "c"'),
    ]
    assert list(of_change(channel(one), channel(one))) == []


def test_why_nothing_is_known_yet_is_told_once() -> None:
    why = Condition(
        type="Ready", status="Unknown", reason="ChannelReferenceFailed", message="Failed to …"
    )
    [happening] = of_change(subscription(), subscription(why))
    assert (happening.type, happening.reason, happening.message) == (
        "Warning",
        "ChannelReferenceFailed",
        "Failed to …",
    )
    assert list(of_change(subscription(why), subscription(why))) == []
    assert list(of_change(subscription(), subscription(replace(why, status="True")))) == []


def test_a_finalizer_is_told() -> None:
    new = replace(subscription(), metadata=replace(META, finalizers=("f",)))
    assert list(of_change(subscription(), new)) == [
        told("c", "FinalizerUpdate", 'Updated "c" finalizers')
    ]
