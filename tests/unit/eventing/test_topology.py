"""Resources and egresses, from objects (Eventing data plane reference §3.3, §4.1, §7)."""

import dataclasses
from typing import Literal

from msgspec.structs import replace

from knlite.eventing.backing import server_uid
from knlite.eventing.delivery import DeliveryPolicy
from knlite.eventing.filters.build import EVERYTHING
from knlite.eventing.kafka.backing import KafkaBacking, KafkaServer
from knlite.eventing.resources import topology
from knlite.eventing.topology import Egress, Resource, ResourceKey, Topology, kept_from
from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import Condition
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventing import EventingConfig
from knlite.kinds.eventing.broker import Broker, BrokerSpec, BrokerStatus
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.trigger import Trigger, TriggerFilter, TriggerSpec, TriggerStatus
from knlite.kinds.kreference import KReference
from knlite.kinds.labels import BROKER_CLASS, DELIVERY_ORDER, PARALLELISM
from knlite.kinds.messaging.channelable import ChannelableSpec, ChannelableStatus, SubscriberSpec
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.subscription import Subscription, SubscriptionSpec, SubscriptionStatus
from knlite.kinds.meta import ObjectMeta
from tests.unit.fake_view import FakeView

A, SINK = "http://a.test/", "http://sink.test/"
BROKER = "http://broker-ingress.knative-eventing.svc.cluster.local/shop/main"
QUICK = DeliverySpec(retry=3, backoff_policy="linear", backoff_delay="PT1S")


def meta(name: str, **annotations: str) -> ObjectMeta:
    return ObjectMeta(name=name, namespace="shop", uid=f"{name}-uid", annotations=annotations)


def broker(
    delivery: DeliverySpec | None = None, sink: str = "", certs: str | None = None
) -> Broker:
    status = BrokerStatus(
        address=Addressable(url=BROKER), dead_letter_sink_uri=sink, dead_letter_sink_ca_certs=certs
    )
    return Broker(metadata=meta("main"), spec=BrokerSpec(delivery=delivery), status=status)


def trigger(
    delivery: DeliverySpec | None = None, resolved: str = "True", **annotations: str
) -> Trigger:
    return Trigger(
        metadata=meta("t", **annotations),
        spec=TriggerSpec(
            broker="main", filter=TriggerFilter(attributes={"type": "x"}), delivery=delivery
        ),
        status=TriggerStatus(
            conditions=(Condition(type="SubscriberResolved", status=resolved),),
            subscriber_uri=A,
            subscriber_ca_certs="PEM",
        ),
    )


def of_broker(*objects: Broker | Trigger) -> Resource:
    return topology(FakeView(*objects)).resources[ResourceKey("Broker", "shop", "main")]


def egress(*objects: Broker | Trigger) -> Egress:
    (found,) = of_broker(*objects).egresses
    return found


def test_a_broker_and_its_trigger() -> None:
    found = of_broker(broker(), trigger())
    assert (found.uid, found.engine) == ("main-uid", "memory")
    (one,) = found.egresses
    assert (one.kind, one.namespace, one.name, one.uid) == ("Trigger", "shop", "t", "t-uid")
    assert (one.subscriber, one.subscriber_ca_certs, one.reply) == (A, "PEM", BROKER)
    assert one.filter_spec == '{"filter":{"attributes":{"type":"x"}}}'
    assert (one.ordered, one.parallelism, one.policy) == (False, 100, DeliveryPolicy())


def test_the_class_of_a_broker_says_what_keeps_its_events() -> None:
    lasting = replace(broker(), metadata=meta("main", **{BROKER_CLASS: "knlite.dev/SQLite"}))
    assert of_broker(lasting).engine == "sqlite"


def test_a_broker_without_an_address_takes_nothing() -> None:
    assert topology(FakeView(replace(broker(), status=BrokerStatus()))).resources == {}


def test_a_subscriber_that_does_not_resolve_is_not_known() -> None:
    assert egress(broker(), trigger(resolved="False")).subscriber is None


def test_what_waits_for_its_dead_letter_sink_delivers_nothing_yet() -> None:
    waiting = trigger()
    unresolved = Condition(type="DeadLetterSinkResolved", status="False")
    status = replace(waiting.status, conditions=(*waiting.status.conditions, unresolved))
    assert egress(broker(QUICK, SINK), replace(waiting, status=status)).subscriber is None


def test_what_waits_for_the_dead_letter_sink_of_its_broker_delivers_nothing_yet() -> None:
    conditions = (Condition(type="DeadLetterSinkResolved", status="False"),)
    obj = broker()
    obj = replace(obj, status=replace(obj.status, conditions=conditions))
    assert egress(obj, trigger()).subscriber is None


def test_a_trigger_without_a_delivery_has_its_brokers() -> None:
    found = egress(broker(QUICK, SINK, "PEM"), trigger())
    assert (found.policy.retry, found.policy.policy, found.policy.delay) == (3, "linear", 1.0)
    assert (found.dead_letter_sink, found.dead_letter_ca_certs) == (SINK, "PEM")


def test_a_trigger_with_one_takes_nothing_but_the_dead_letter_sink() -> None:
    found = egress(broker(QUICK, SINK), trigger(DeliverySpec(timeout="PT2S")))
    assert (found.policy.retry, found.policy.delay, found.policy.timeout) == (0, None, 2.0)
    assert found.dead_letter_sink == SINK


def test_with_rabbitmq_a_delivery_of_a_trigger_counts_as_a_whole() -> None:
    obj = broker(QUICK, SINK, "PEM")
    obj = replace(obj, metadata=meta("main", **{BROKER_CLASS: "RabbitMQBroker"}))
    found = egress(obj, trigger())
    assert (found.dead_letter_sink, found.policy.retry) == (SINK, 3)
    found = egress(obj, trigger(DeliverySpec(format="json")))
    assert (found.dead_letter_sink, found.dead_letter_ca_certs) == (None, "")
    assert (found.policy.retry, found.policy.structured) == (5, False)


def test_annotations_say_how_events_flow() -> None:
    flowing = trigger(**{DELIVERY_ORDER: "ordered", PARALLELISM: "7"})
    found = egress(broker(), flowing)
    assert (found.ordered, found.parallelism) == (True, 7)


def channel(*subscribers: SubscriberSpec, delivery: DeliverySpec | None = None) -> Resource:
    made = InMemoryChannel(
        metadata=meta("pipe"),
        spec=ChannelableSpec(subscribers=subscribers, delivery=delivery),
        status=ChannelableStatus(
            address=Addressable(url="http://pipe-kn-channel.shop.svc.cluster.local"),
            dead_letter_sink_uri=SINK,
        ),
    )
    return topology(FakeView(made)).resources[ResourceKey("InMemoryChannel", "shop", "pipe")]


def test_a_channel_and_its_subscriptions() -> None:
    found = channel(
        SubscriberSpec(name="s", uid="s-uid", subscriber_uri=A, reply_uri=BROKER),
        SubscriberSpec(name="r", uid="r-uid", reply_uri=BROKER),
        delivery=QUICK,
    )
    assert found.hosts == ("pipe-kn-channel.shop.svc.cluster.local",)
    both, reply_only = found.egresses
    assert (both.kind, both.name, both.uid, both.subscriber, both.reply) == (
        "Subscription", "s", "s-uid", A, BROKER,
    )  # fmt: skip
    assert both.filter is EVERYTHING
    assert (both.policy.retry, both.dead_letter_sink) == (3, SINK)
    assert (both.has_subscriber, reply_only.has_subscriber) == (True, False)


def test_a_subscription_with_a_delivery_of_its_own_has_nothing_of_its_channels() -> None:
    letters = DeliverySpec(
        retry=1, format="json", dead_letter_sink=Destination(uri=A, ca_certs="PEM")
    )
    (found,) = channel(
        SubscriberSpec(uid="s", subscriber_uri=A, delivery=letters), delivery=QUICK
    ).egresses
    assert (found.policy.retry, found.policy.delay) == (1, None)
    assert (found.dead_letter_sink, found.dead_letter_ca_certs) == (A, "PEM")
    assert not found.policy.structured, "channels send binary, whatever the format"


def subscribed(resolved: Literal["True", "False"]) -> Egress:
    """The egress of a Subscription in another namespace, which its channel knows."""
    subscription = Subscription(
        metadata=ObjectMeta(name="s", namespace="office", uid="s-uid"),
        spec=SubscriptionSpec(
            channel=KReference(
                api_version="messaging.knative.dev/v1",
                kind="InMemoryChannel",
                name="pipe",
                namespace="shop",
            )
        ),
        status=SubscriptionStatus(
            conditions=(Condition(type="ReferencesResolved", status=resolved),)
        ),
    )
    entry = SubscriberSpec(name="s", uid="s-uid", subscriber_uri=A)
    made = InMemoryChannel(
        metadata=meta("pipe"),
        spec=ChannelableSpec(subscribers=(entry,)),
        status=ChannelableStatus(address=Addressable(url="http://pipe.test")),
    )
    flags = {"cross-namespace-event-links": "enabled"}
    view = FakeView(subscription, made, config=Config(eventing=EventingConfig(flags=flags)))
    (found,) = topology(view).resources[ResourceKey("InMemoryChannel", "shop", "pipe")].egresses
    return found


def test_a_subscription_of_which_something_has_gone_keeps_its_events() -> None:
    found = subscribed("False")
    assert (found.subscriber, found.has_subscriber) == (None, True)
    assert subscribed("True").subscriber == A


def test_a_subscription_is_called_as_it_is_where_its_channel_lies_elsewhere() -> None:
    assert (subscribed("True").namespace, subscribed("True").name) == ("office", "s")


def test_a_resource_whose_connection_is_not_known_any_more_keeps_the_one_it_had() -> None:
    backing = KafkaBacking(server=KafkaServer(bootstrap=("a:1",)), topics=("t",))
    there = Resource(
        kind="Broker", namespace="shop", name="main", uid="1", engine="kafka", backing=backing
    )
    without = dataclasses.replace(there, backing=None, problem="no Secret")
    before = Topology({there.key: there})
    kept = kept_from(before, Topology({there.key: without})).resources[there.key]
    assert (kept.backing, kept.problem) == (backing, "no Secret")
    another = dataclasses.replace(without, uid="2")
    assert kept_from(before, Topology({there.key: another})).resources[there.key] == another
    new = dataclasses.replace(there, backing=dataclasses.replace(backing, topics=("u",)))
    assert kept_from(before, Topology({there.key: new})).resources[there.key] == new


def test_names_on_servers_outlive_runs_with_a_folder_and_those_without() -> None:
    one = broker()
    durable = FakeView(config=Config(durable=True))
    assert server_uid(one, durable) == "main-uid"
    first, second = FakeView(), FakeView()
    again = replace(one, metadata=replace(one.metadata, uid="x"))
    assert server_uid(one, first) == server_uid(again, second)
    other = Trigger(metadata=one.metadata)
    assert server_uid(one, first) != server_uid(other, first)
