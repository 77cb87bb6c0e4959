"""Eventing reference §5: defaults and validation of an InMemoryChannel, and who may change it."""

import pytest
from msgspec.structs import replace

from knlite.kinds.admission import Admitted, Denied, admit
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import rendered
from knlite.kinds.kreference import KReference
from knlite.kinds.labels import SCOPE, SUBSCRIBABLE
from knlite.kinds.messaging.channelable import ChannelableSpec, SubscriberSpec
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel, defaulted, validated
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.users import EVENTING_CONTROLLER

CONFIG = Config()
SUBSCRIBER = SubscriberSpec(name="s", uid="1", generation=1, subscriber_uri="http://x.example")


def channel(annotations: dict[str, str] | None = None, **spec: object) -> InMemoryChannel:
    meta = ObjectMeta(name="c", namespace="shop", annotations=annotations or {})
    return InMemoryChannel(metadata=meta, spec=replace(ChannelableSpec(), **spec))


def test_a_channel_gets_an_annotation_and_namespaces() -> None:
    graveyard = KReference(api_version="v1", kind="Service", name="graveyard")
    obj = defaulted(
        channel(delivery=DeliverySpec(dead_letter_sink=Destination(ref=graveyard))), None, CONFIG
    )
    assert obj.metadata.annotations == {SUBSCRIBABLE: "v1"}
    assert obj.spec.delivery is not None
    assert obj.spec.delivery.dead_letter_sink == Destination(
        ref=replace(graveyard, namespace="shop")
    )
    assert defaulted(obj, obj, CONFIG) == obj


def test_the_form_of_subscribers_that_somebody_wrote_stays() -> None:
    assert defaulted(channel({SUBSCRIBABLE: "v1beta1"}), None, CONFIG).metadata.annotations == {
        SUBSCRIBABLE: "v1beta1"
    }


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(channel({SCOPE: "namespace"}), "", id="scope"),
        pytest.param(
            channel({SCOPE: "galaxy"}),
            "invalid value: galaxy: metadata.annotations.[eventing.knative.dev/scope]\n"
            "expected either 'cluster' or 'namespace'",
            id="bad-scope",
        ),
        pytest.param(
            channel(subscribers=(SUBSCRIBER, SubscriberSpec(uid="2"))),
            "missing field(s): spec.subscribable.subscriber[1].replyURI,"
            " spec.subscribable.subscriber[1].subscriberURI\n"
            "expected at least one of, got none",
            id="nowhere",
        ),
        pytest.param(
            channel(subscribers=(SubscriberSpec(uid="2", reply_uri="http://x.example"),)),
            "",
            id="only-a-reply",
        ),
        pytest.param(channel(delivery=DeliverySpec(retry=-1)), "", id="delivery-is-not-looked-at"),
    ],
)
def test_says_what_is_wrong(obj: InMemoryChannel, text: str) -> None:
    assert rendered(validated(obj, None, CONFIG)) == text


def test_nobody_but_the_controller_changes_subscribers() -> None:
    old = channel(subscribers=(SUBSCRIBER,))
    new = channel(subscribers=(replace(SUBSCRIBER, subscriber_uri="http://y.example"),))
    denied = admit(new, old, CONFIG, "eve")
    assert isinstance(denied, Denied)
    assert rendered(denied.errors) == (
        "Channel.Spec.Subscribers changed by user eve which was not the"
        " system:serviceaccount:knative-eventing:eventing-controller service account:"
        " spec.subscribers\n{[]v1.SubscriberSpec}[0].SubscriberURI:\n"
        '\t-: "http://x.example"\n\t+: "http://y.example"\n'
    )
    assert isinstance(admit(new, old, CONFIG, EVENTING_CONTROLLER), Admitted)
    assert isinstance(admit(old, None, CONFIG, "eve"), Admitted)
    assert isinstance(
        admit(replace(old, metadata=ObjectMeta(name="c")), old, CONFIG, "eve"), Admitted
    )
