"""Eventing reference §6: defaults, validation and immutability of a Subscription."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventing import EventingConfig
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import rendered
from knlite.kinds.kreference import KReference
from knlite.kinds.messaging.subscription import (
    Subscription,
    SubscriptionSpec,
    defaulted,
    validated,
)
from knlite.kinds.meta import ObjectMeta

CONFIG = Config()
LINKS = Config(eventing=EventingConfig(flags={"cross-namespace-event-links": "enabled"}))
CHANNEL = KReference(api_version="messaging.knative.dev/v1", kind="Channel", name="c")
TILL = Destination(ref=KReference(api_version="v1", kind="Service", name="till"))
NOT_HERE = (
    "must not set the field(s): spec.channel.namespace\nonly name, apiVersion and kind are"
    " supported fields when feature.CrossNamespaceEventLinks is disabled"
)


def subscription(**spec: object) -> Subscription:
    standard = SubscriptionSpec(channel=CHANNEL, subscriber=TILL)
    meta = ObjectMeta(name="s", namespace="shop")
    return Subscription(metadata=meta, spec=replace(standard, **spec))


def test_references_get_the_namespace_except_for_the_channel() -> None:
    obj = defaulted(
        subscription(reply=TILL, delivery=DeliverySpec(dead_letter_sink=TILL)), None, CONFIG
    )
    assert TILL.ref is not None
    here = Destination(ref=replace(TILL.ref, namespace="shop"))
    assert obj.spec == SubscriptionSpec(
        channel=CHANNEL,
        subscriber=here,
        reply=here,
        delivery=DeliverySpec(dead_letter_sink=here),
    )
    assert defaulted(obj, obj, CONFIG) == obj
    assert validated(obj, None, CONFIG) == ()


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(
            subscription(channel=KReference(), subscriber=None),
            "missing field(s): spec.channel\nthe Subscription must reference a channel",
            id="no-channel-and-nothing-else-is-said",
        ),
        pytest.param(
            subscription(channel=KReference(name="c")),
            "missing field(s): spec.channel.apiVersion, spec.channel.kind",
            id="half-a-channel",
        ),
        pytest.param(
            subscription(subscriber=None),
            "missing field(s): spec.subscriber\nthe Subscription must reference a subscriber",
            id="no-subscriber",
        ),
        pytest.param(
            subscription(subscriber=Destination()),
            "missing field(s): spec.subscriber\nthe Subscription must reference a subscriber",
            id="empty-subscriber",
        ),
        pytest.param(
            subscription(subscriber=Destination(uri="/path")),
            "invalid value: Relative URI is not allowed when Ref and [apiVersion, kind, name] is"
            " absent: spec.subscriber.uri",
            id="subscriber",
        ),
        pytest.param(subscription(reply=Destination()), "", id="empty-reply"),
        pytest.param(
            subscription(reply=Destination(ref=KReference(name="x", kind="Service"))),
            "missing field(s): spec.reply.ref.apiVersion",
            id="reply",
        ),
        pytest.param(
            subscription(delivery=DeliverySpec(backoff_policy="random")),
            "invalid value: random: spec.delivery.backoffPolicy",
            id="delivery",
        ),
        pytest.param(
            subscription(channel=replace(CHANNEL, namespace="other")), NOT_HERE, id="elsewhere"
        ),
    ],
)
def test_says_what_is_wrong(obj: Subscription, text: str) -> None:
    assert rendered(validated(obj, None, CONFIG)) == text


def test_with_the_flag_a_channel_may_be_in_another_namespace() -> None:
    assert validated(subscription(channel=replace(CHANNEL, namespace="other")), None, LINKS) == ()


def test_only_the_channel_cannot_be_changed() -> None:
    old = subscription()
    changed = subscription(
        subscriber=Destination(uri="http://x.example"), delivery=DeliverySpec(retry=1)
    )
    assert validated(changed, old, CONFIG) == ()
    moved = subscription(channel=replace(CHANNEL, name="d"))
    assert rendered(validated(moved, old, CONFIG)) == (
        "Immutable fields changed (-old +new): spec\n"
        '{v1.SubscriptionSpec}.Channel.Name:\n\t-: "c"\n\t+: "d"\n'
    )
