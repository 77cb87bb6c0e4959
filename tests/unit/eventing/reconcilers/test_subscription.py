"""Eventing reference §6, §20.1, §20.4: resolution, the entry in the channel, status, deletion."""

from typing import Any

import pytest

from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.channelable import SubscriberSpec, SubscriberStatus
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.subscription import FINALIZER, Subscription
from tests.unit.eventing.reconcilers.plane import Plane, document, ref

X, Y, Z = "http://x.example", "http://y.example/path", "http://z.example"


def subscription(
    name: str = "s", channel: dict[str, str] | None = None, **spec: object
) -> dict[str, Any]:
    standard = {"channel": channel or ref("InMemoryChannel", "c"), "subscriber": {"uri": X}}
    return document("Subscription", name, **{**standard, **spec})


def test_a_subscription_adds_itself_to_its_channel_and_becomes_ready() -> None:
    plane = Plane()
    plane.apply(document("InMemoryChannel", "c"), subscription(reply={"uri": Y}))
    found, channel = plane.get(Subscription, "s"), plane.get(InMemoryChannel, "c")
    meta = found.metadata
    assert channel.spec.subscribers == (
        SubscriberSpec(name="s", uid=meta.uid, generation=1, subscriber_uri=X, reply_uri=Y),
    )
    assert channel.status.subscribers == (
        SubscriberStatus(uid=meta.uid, observed_generation=1, ready="True"),
    )
    for condition in ("Ready", "ReferencesResolved", "AddedToChannel", "ChannelReady"):
        assert plane.condition(Subscription, "s", condition) == ("True", "", "")
    assert plane.condition(Subscription, "s", "OIDCIdentityCreated") == (
        "True",
        "authentication-oidc feature disabled",
        "",
    )
    assert meta.finalizers == (FINALIZER,)
    assert found.status.physical_subscription.subscriber_uri == X
    assert found.status.physical_subscription.reply_uri == Y


def test_applying_the_channel_again_leaves_its_subscribers() -> None:
    plane = Plane()
    plane.apply(document("InMemoryChannel", "c"), subscription())
    before = plane.get(InMemoryChannel, "c").spec.subscribers
    plane.apply(document("InMemoryChannel", "c", delivery={"retry": 2}))
    [entry] = plane.get(InMemoryChannel, "c").spec.subscribers
    assert (entry.uid, entry.delivery) == (before[0].uid, DeliverySpec(retry=2))


def test_a_change_reaches_the_channel_with_its_generation() -> None:
    plane = Plane()
    plane.apply(document("InMemoryChannel", "c"), subscription(), subscription("t"))
    plane.apply(subscription(subscriber={"uri": Z}))
    first, second = plane.get(InMemoryChannel, "c").spec.subscribers
    assert (first.name, first.generation, first.subscriber_uri) == ("s", 2, Z)
    assert (second.name, second.generation) == ("t", 1)
    assert plane.condition(Subscription, "s")[0] == "True"


@pytest.mark.parametrize("kind", ["Channel", "InMemoryChannel"])
def test_without_its_channel_it_is_unknown_and_recovers(kind: str) -> None:
    plane = Plane()
    plane.apply(subscription(channel=ref(kind, "c")))
    assert plane.condition(Subscription, "s") == (
        "Unknown",
        "ChannelReferenceFailed",
        "Failed to get Spec.Channel or backing channel:"
        f' {kind.lower()}s.messaging.knative.dev "c" not found',
    )
    plane.apply(document(kind, "c"))
    assert plane.condition(Subscription, "s") == ("True", "", "")
    assert plane.get(InMemoryChannel, "c").spec.subscribers[0].name == "s"
    plane.delete(Channel if kind == "Channel" else InMemoryChannel, "c")
    assert plane.condition(Subscription, "s")[:2] == ("Unknown", "ChannelReferenceFailed")
    plane.apply(document(kind, "c"))
    assert plane.get(InMemoryChannel, "c").spec.subscribers[0].name == "s"


def test_a_channel_that_is_not_ready_is_waited_for() -> None:
    plane = Plane()
    broken = {"deadLetterSink": {"ref": ref("Channel", "graveyard")}}
    plane.apply(
        document("Channel", "c", delivery=broken), subscription(channel=ref("Channel", "c"))
    )
    assert plane.condition(Subscription, "s")[1:] == (
        "ChannelReferenceFailed",
        "Failed to get Spec.Channel or backing channel: channel is not ready.",
    )
    plane.apply(document("Channel", "graveyard"))
    assert plane.condition(Subscription, "s")[0] == "True"


def test_a_channel_that_has_not_said_so_yet_makes_it_unknown() -> None:
    plane = Plane()
    broken = {"deadLetterSink": {"ref": ref("Channel", "graveyard")}}
    own = {"deadLetterSink": {"uri": Z}}
    plane.apply(document("InMemoryChannel", "c", delivery=broken), subscription(delivery=own))
    assert plane.condition(Subscription, "s") == (
        "Unknown",
        "SubscriptionNotMarkedReadyByChannel",
        'Failed to get subscription status: subscription "s" not present in channel "c"'
        " subscriber's list",
    )


@pytest.mark.parametrize(
    ("spec", "reason", "text"),
    [
        pytest.param(
            {"subscriber": {"ref": ref("Channel", "x")}},
            "SubscriberResolveFailed",
            "Failed to resolve spec.subscriber: ",
            id="subscriber",
        ),
        pytest.param(
            {"reply": {"ref": ref("Channel", "x")}},
            "ReplyResolveFailed",
            "Failed to resolve spec.reply: ",
            id="reply",
        ),
        pytest.param(
            {"delivery": {"deadLetterSink": {"ref": ref("Channel", "x")}}},
            "DeadLetterSinkResolveFailed",
            "Failed to resolve spec.delivery.deadLetterSink: ",
            id="dead-letters",
        ),
    ],
)
def test_what_does_not_resolve_is_said_and_recovers(
    spec: dict[str, object], reason: str, text: str
) -> None:
    plane = Plane()
    plane.apply(document("InMemoryChannel", "c"), subscription(**spec))
    missing = 'failed to get object shop/x: channels.messaging.knative.dev "x" not found'
    assert plane.condition(Subscription, "s") == ("False", reason, text + missing)
    assert plane.get(InMemoryChannel, "c").spec.subscribers == ()
    plane.apply(document("Channel", "x"))
    assert plane.condition(Subscription, "s") == ("True", "", "")


def test_when_a_subscriber_goes_events_go_on_to_where_they_went() -> None:
    plane = Plane()
    subscriber = {"ref": ref("InMemoryChannel", "x")}
    plane.apply(
        document("InMemoryChannel", "c"),
        document("InMemoryChannel", "x"),
        subscription(subscriber=subscriber),
    )
    before = plane.get(InMemoryChannel, "c").spec.subscribers
    plane.delete(InMemoryChannel, "x")
    assert plane.condition(Subscription, "s")[:2] == ("False", "SubscriberResolveFailed")
    assert plane.get(InMemoryChannel, "c").spec.subscribers == before


@pytest.mark.parametrize(
    ("channels", "own", "told"),
    [
        pytest.param(None, None, None, id="none"),
        pytest.param(
            {"retry": 3, "backoffDelay": "PT1S", "format": "json"},
            None,
            DeliverySpec(retry=3, backoff_delay="PT1S"),
            id="the-channels-without-its-format",
        ),
        pytest.param(
            {"retry": 3, "timeout": "PT9S"},
            {"retry": 1},
            DeliverySpec(retry=1),
            id="its-own-instead-of-the-channels",
        ),
        pytest.param(
            {"retry": 3, "deadLetterSink": {"uri": Y}},
            {"retry": 1},
            DeliverySpec(retry=1, dead_letter_sink=Destination(uri=Y)),
            id="but-the-channels-dead-letters",
        ),
        pytest.param(
            {"deadLetterSink": {"uri": Y}},
            {"deadLetterSink": {"uri": Z}},
            DeliverySpec(dead_letter_sink=Destination(uri=Z)),
            id="its-own-dead-letters",
        ),
        pytest.param({"retry": 3}, {"format": "json"}, None, id="a-format-alone-is-a-delivery"),
    ],
)
def test_what_the_channel_is_told_about_delivery(
    channels: object, own: object, told: DeliverySpec | None
) -> None:
    plane = Plane()
    plane.apply(document("Channel", "c", **({"delivery": channels} if channels else {})))
    plane.apply(subscription(channel=ref("Channel", "c"), **({"delivery": own} if own else {})))
    [entry] = plane.get(InMemoryChannel, "c").spec.subscribers
    assert entry.delivery == told


def test_a_channel_without_the_dead_letters_it_promises_is_named() -> None:
    plane = Plane()
    broken = {"deadLetterSink": {"ref": ref("Channel", "graveyard")}}
    plane.apply(document("InMemoryChannel", "c", delivery=broken), subscription())
    assert plane.condition(Subscription, "s") == (
        "False",
        "DeadLetterSinkResolveFailed",
        "channel c didn't set status.deadLetterSinkURI",
    )


def test_a_deleted_subscription_leaves_its_channel() -> None:
    plane = Plane()
    plane.apply(document("Channel", "c"), subscription(channel=ref("Channel", "c")))
    plane.apply(subscription("t", channel=ref("Channel", "c")))
    plane.delete(Subscription, "s")
    assert plane.names(Subscription) == ["t"]
    assert [each.name for each in plane.get(InMemoryChannel, "c").spec.subscribers] == ["t"]
    assert len(plane.get(Channel, "c").status.subscribers) == 1


def test_a_subscription_can_be_deleted_without_its_channel() -> None:
    plane = Plane()
    plane.apply(document("InMemoryChannel", "c"), subscription())
    plane.delete(InMemoryChannel, "c")
    plane.delete(Subscription, "s")
    assert plane.names(Subscription) == []


def test_a_subscription_leaves_a_channel_that_is_not_ready_any_more() -> None:
    plane = Plane()
    broken = {"deadLetterSink": {"ref": ref("InMemoryChannel", "graveyard")}}
    plane.apply(
        document("InMemoryChannel", "graveyard"),
        document("Channel", "c", delivery=broken),
        subscription(channel=ref("Channel", "c")),
    )
    plane.delete(InMemoryChannel, "graveyard")
    plane.delete(Subscription, "s")
    assert plane.names(Subscription) == []
    assert plane.get(InMemoryChannel, "c").spec.subscribers == ()


def test_with_the_flag_a_channel_of_another_namespace_is_joined() -> None:
    plane = Plane(config_features={"cross-namespace-event-links": "enabled"})
    channel = document("InMemoryChannel", "c")
    channel["metadata"]["namespace"] = "other"
    plane.apply(
        channel, subscription(channel={**ref("InMemoryChannel", "c"), "namespace": "other"})
    )
    assert plane.condition(Subscription, "s")[0] == "True"
    found = plane.registry.view.get(InMemoryChannel, "other", "c")
    assert found is not None
    assert [each.name for each in found.spec.subscribers] == ["s"]
    plane.delete(Subscription, "s")
    found = plane.registry.view.get(InMemoryChannel, "other", "c")
    assert found is not None
    assert found.spec.subscribers == ()


def test_a_channel_of_another_namespace_is_left_although_the_flag_is_off_by_then() -> None:
    plane = Plane()
    channel = document("InMemoryChannel", "c")
    channel["metadata"]["namespace"] = "other"
    there = {**ref("InMemoryChannel", "c"), "namespace": "other"}
    plane.apply(features("enabled"), channel, subscription(channel=there))
    plane.apply(features("disabled"))
    plane.delete(Subscription, "s")
    found = plane.registry.view.get(InMemoryChannel, "other", "c")
    assert found is not None
    assert found.spec.subscribers == ()


def features(links: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "config-features", "namespace": "knative-eventing"},
        "data": {"cross-namespace-event-links": links},
    }
