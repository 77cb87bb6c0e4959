"""Eventing reference §5, §1.8: what a Channel and the InMemoryChannel behind it say."""

from knlite.kinds.kreference import KReference
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import controller_of
from tests.unit.eventing.reconcilers.plane import MESSAGING, Plane, document, ref

URL = "http://c-kn-channel.shop.svc.cluster.local"
GRAVEYARD = {"deadLetterSink": {"ref": ref("InMemoryChannel", "graveyard")}}
NO_GRAVEYARD = (
    'failed to get object shop/graveyard: inmemorychannels.messaging.knative.dev "graveyard" not'
    " found"
)


def test_a_channel_makes_the_one_behind_it_and_has_its_address() -> None:
    plane = Plane()
    plane.apply(document("Channel", "c", delivery={"retry": 3}))
    channel, behind = plane.get(Channel, "c"), plane.get(InMemoryChannel, "c")
    assert plane.condition(Channel, "c") == ("True", "", "")
    assert plane.condition(InMemoryChannel, "c") == ("True", "", "")
    assert channel.status.address == behind.status.address
    assert behind.status.address is not None
    assert (behind.status.address.name, behind.status.address.url) == ("http", URL)
    assert channel.status.channel == KReference(
        api_version=MESSAGING, kind="InMemoryChannel", namespace="shop", name="c"
    )
    assert behind.spec.delivery is not None
    assert behind.spec.delivery.retry == 3
    owner = controller_of(behind)
    assert owner is not None
    assert owner.uid == channel.metadata.uid
    assert channel.status.observed_generation == channel.metadata.generation


def test_a_healthy_channel_shows_the_reasons_that_scripts_know() -> None:
    plane = Plane()
    plane.apply(document("Channel", "c"))
    for kind in (Channel, InMemoryChannel):
        assert plane.condition(kind, "c", "DeadLetterSinkResolved") == (
            "True",
            "DeadLetterSinkNotConfigured",
            "No dead letter sink is configured.",
        )
        assert plane.condition(kind, "c", "EventPoliciesReady")[:2] == ("True", "OIDCDisabled")
    info = next(
        each
        for each in plane.get(InMemoryChannel, "c").status.conditions
        if each.type == "DispatcherReady"
    )
    assert (info.status, info.severity) == ("True", "Info")


def test_the_spec_of_the_template_goes_before_the_delivery_of_the_channel() -> None:
    plane = Plane()
    template = {
        "apiVersion": MESSAGING,
        "kind": "InMemoryChannel",
        "spec": {"delivery": {"retry": 7}},
    }
    plane.apply(document("Channel", "c", channelTemplate=template, delivery={"retry": 3}))
    behind = plane.get(InMemoryChannel, "c")
    assert behind.spec.delivery is not None
    assert behind.spec.delivery.retry == 7


def test_dead_letters_are_resolved_behind_and_recover() -> None:
    plane = Plane()
    plane.apply(document("Channel", "c", delivery=GRAVEYARD))
    assert plane.condition(InMemoryChannel, "c") == (
        "False",
        "Unable to get the DeadLetterSink's URI",
        NO_GRAVEYARD,
    )
    assert plane.condition(Channel, "c", "DeadLetterSinkResolved") == (
        "False",
        "Backing Channel c didn't set status.deadLetterSinkURI",
        "",
    )
    assert plane.condition(Channel, "c", "BackingChannelReady") == (
        "False",
        "Unable to get the DeadLetterSink's URI",
        NO_GRAVEYARD,
    )
    assert plane.condition(Channel, "c", "Addressable") == (
        "False",
        "EmptyHostname",
        "hostname is the empty string",
    )
    plane.apply(document("InMemoryChannel", "graveyard"))
    assert plane.condition(Channel, "c") == ("True", "", "")
    uri = "http://graveyard-kn-channel.shop.svc.cluster.local"
    assert plane.get(Channel, "c").status.dead_letter_sink_uri == uri
    plane.delete(InMemoryChannel, "graveyard")
    assert plane.condition(Channel, "c")[0] == "False"
    assert plane.get(Channel, "c").status.dead_letter_sink_uri == ""


def test_a_kind_that_is_not_here_is_said_with_what_to_use() -> None:
    plane = Plane()
    template = {"apiVersion": "messaging.knative.dev/v1alpha1", "kind": "NatsJetStreamChannel"}
    plane.apply(document("Channel", "c", channelTemplate=template))
    assert plane.condition(Channel, "c") == (
        "False",
        "ChannelFailure",
        'no matches for kind "NatsJetStreamChannel" in version "messaging.knative.dev/v1alpha1":'
        " the channels here are the kinds InMemoryChannel of messaging.knative.dev/v1 and"
        " KafkaChannel of messaging.knative.dev/v1beta1",
    )
    assert plane.names(InMemoryChannel) == []


def test_a_template_that_cannot_be_read_is_said() -> None:
    plane = Plane()
    template = {"apiVersion": MESSAGING, "kind": "InMemoryChannel", "spec": {"delivery": 7}}
    plane.apply(document("Channel", "c", channelTemplate=template))
    status, reason, message = plane.condition(Channel, "c")
    assert (status, reason) == ("False", "ChannelFailure")
    assert message.startswith("spec.channelTemplate.spec: ")


def test_a_channel_that_is_gone_takes_the_one_behind_along() -> None:
    plane = Plane()
    plane.apply(document("Channel", "c"))
    plane.delete(Channel, "c")
    assert plane.names(InMemoryChannel) == []


def test_a_channel_behind_that_somebody_deletes_comes_back() -> None:
    plane = Plane()
    plane.apply(document("Channel", "c"))
    plane.delete(InMemoryChannel, "c")
    assert plane.names(InMemoryChannel) == ["c"]
    assert plane.condition(Channel, "c")[0] == "True"


def test_the_service_of_a_channel_can_be_sent_to() -> None:
    plane = Plane()
    service = {"apiVersion": "v1", "kind": "Service", "name": "c-kn-channel"}
    plane.apply(
        document("InMemoryChannel", "d"),
        document(
            "Subscription", "s", channel=ref("InMemoryChannel", "d"), subscriber={"ref": service}
        ),
    )
    assert plane.condition(Subscription, "s")[1] == "SubscriberResolveFailed"
    plane.apply(document("Channel", "c"))
    assert plane.get(InMemoryChannel, "d").spec.subscribers[0].subscriber_uri == URL


def test_a_name_that_no_service_can_have_is_said() -> None:
    plane = Plane()
    plane.apply(document("Channel", "a.b"))
    status, reason, message = plane.condition(InMemoryChannel, "a.b")
    assert (status, reason) == ("False", "ChannelServiceFailed")
    assert message.startswith(
        'Channel Service failed: Service "a.b-kn-channel" is invalid: metadata.name: Invalid value:'
        ' "a.b-kn-channel": a DNS-1035 label must consist of'
    )
    assert plane.condition(Channel, "a.b")[:2] == ("False", "ChannelServiceFailed")


def test_channels_can_be_sent_to_by_reference() -> None:
    plane = Plane()
    plane.apply(
        document("Channel", "c"),
        document("InMemoryChannel", "d"),
        document(
            "Subscription",
            "s",
            channel=ref("InMemoryChannel", "d"),
            subscriber={"ref": ref("Channel", "c"), "uri": "/deep"},
        ),
    )
    [entry] = plane.get(InMemoryChannel, "d").spec.subscribers
    assert entry.subscriber_uri == f"{URL}/deep"
