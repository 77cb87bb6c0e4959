"""Eventing reference §17: the status of what is kept in Kafka, until the server has spoken."""

from base64 import b64encode
from typing import Any

from msgspec.structs import replace

from knlite.eventing.backing import stable_uid
from knlite.eventing.kafka.backing import KafkaBacking, KafkaServer
from knlite.eventing.resources import topology
from knlite.eventing.standings import Standing, with_standing
from knlite.eventing.topology import Resource, ResourceKey
from knlite.kinds.addressable import Addressable
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.kafkasink import KafkaSink
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object
from knlite.kinds.sources.kafkasource import KafkaSource
from knlite.reconcile import Key
from tests.unit.eventing.reconcilers.plane import FLOWS, NOW, Plane, document, ref

EVENTING = "eventing.knative.dev/v1"
KAFKA_CHANNEL = "messaging.knative.dev/v1beta1"
LATER = {"uri": "http://later.example"}
DEAD = {"uri": "http://dead.example"}
SERVER = KafkaServer(bootstrap=("kafka:9092",))


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "knative-eventing"},
        "data": {key.replace("_", "."): value for key, value in data.items()},
    }


BROKERS = config_map(
    "kafka-broker-config",
    bootstrap_servers="kafka:9092",
    default_topic_partitions="3",
    default_topic_replication_factor="1",
)
CHANNELS = config_map("kafka-channel-config", bootstrap_servers="kafka:9092")


def broker(name: str = "b", **annotations: str) -> dict[str, Any]:
    tree = document("Broker", name, EVENTING)
    tree["metadata"]["annotations"] = {
        "eventing.knative.dev/broker.class": "Kafka",
        **{key.replace("__", "/").replace("_", "."): value for key, value in annotations.items()},
    }
    return tree


def trigger(**spec: object) -> dict[str, Any]:
    return document("Trigger", "t", EVENTING, broker="b", subscriber=LATER, **spec)


def says(plane: Plane, kind: type[Object], name: str, ready: bool | None, reason: str = "") -> None:
    """What the engine tells of an object."""
    told = with_standing(plane.get(kind, name), "", Standing(ready, reason, "told"), NOW)
    plane.registry.update_status(told)
    plane.settle()


def resource(plane: Plane, kind: Any, name: str) -> Resource:
    return topology(plane.registry.view).resources[ResourceKey(kind, "shop", name)]


def test_a_broker_needs_its_topic_and_nothing_else() -> None:
    plane = Plane()
    plane.apply(BROKERS, broker())
    assert plane.condition(Broker, "b") == ("Unknown", "", "")
    says(plane, Broker, "b", True, "Topic knative-broker-shop-b created")
    assert plane.condition(Broker, "b") == ("True", "", "")
    status = plane.get(Broker, "b").status
    assert status.address == Addressable(
        name="http",
        url="http://kafka-broker-ingress.knative-eventing.svc.cluster.local/shop/b",
    )
    assert status.addresses == (status.address,)
    assert status.annotations == {
        "bootstrap.servers": "kafka:9092",
        "default.topic": "knative-broker-shop-b",
        "default.topic.partitions": "3",
        "default.topic.replication.factor": "1",
    }
    assert {each.type: each.reason for each in status.conditions} == {
        "Addressable": "",
        "ConfigMapUpdated": "Config map knative-eventing/kafka-broker-brokers-triggers updated",
        "ConfigParsed": "",
        "DataPlaneAvailable": "",
        "DeadLetterSinkResolved": "DeadLetterSinkNotConfigured",
        "EventPoliciesReady": "OIDCDisabled",
        "ProbeSucceeded": "",
        "Ready": "",
        "TopicReady": "Topic knative-broker-shop-b created",
    }


def test_a_broker_is_a_resource_before_it_is_ready() -> None:
    plane = Plane()
    plane.apply(BROKERS, broker())
    found = resource(plane, "Broker", "b")
    assert found.backing == KafkaBacking(
        server=SERVER, topics=("knative-broker-shop-b",), partitions=3, replication=1
    )


def test_the_annotation_of_the_class_is_enough() -> None:
    plane = Plane()
    plane.apply(broker())
    status, reason, message = plane.condition(Broker, "b")
    assert (status, reason) == ("False", "ConfigMapNotFound")
    assert message == (
        "failed to get configmap knative-eventing/kafka-broker-config: configmap"
        ' "kafka-broker-config" not found'
    )
    assert resource(plane, "Broker", "b").problem == message
    plane.apply(BROKERS)
    assert plane.condition(Broker, "b", "ConfigParsed")[0] == "True"


def test_set_goes_before_the_config_map() -> None:
    plane = Plane(kafka_broker_config={"bootstrap.servers": "other:9092"})
    plane.apply(BROKERS, broker())
    backing = resource(plane, "Broker", "b").backing
    assert isinstance(backing, KafkaBacking)
    assert backing.server.bootstrap == ("other:9092",)


def test_a_broker_remembers_a_config_map_that_has_gone() -> None:
    plane = Plane()
    plane.apply(BROKERS, broker())
    plane.registry.delete(Key(ConfigMap, "knative-eventing", "kafka-broker-config"))
    plane.settle()
    assert plane.condition(Broker, "b", "ConfigParsed")[0] == "True"


def test_a_secret_says_how_to_log_in() -> None:
    plane = Plane()
    plane.apply({**BROKERS, "data": {**BROKERS["data"], "auth.secret.ref.name": "login"}}, broker())
    status, reason, message = plane.condition(Broker, "b")
    assert (status, reason) == ("False", "SecretNotFound")
    assert message.endswith('secret "login" not found')
    values = {"protocol": "SASL_PLAINTEXT", "user": "me", "password": "hush"}
    plane.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "login", "namespace": "knative-eventing"},
            "data": {key: b64encode(value.encode()).decode() for key, value in values.items()},
        }
    )
    backing = resource(plane, "Broker", "b").backing
    assert isinstance(backing, KafkaBacking)
    assert (backing.server.user, backing.server.password) == ("me", "hush")
    assert "hush" not in repr(plane.get(Broker, "b"))


def test_a_topic_of_somebody_else_is_used_and_left_alone() -> None:
    plane = Plane()
    plane.apply(BROKERS, broker(kafka_eventing_knative_dev__external_topic="theirs"))
    backing = resource(plane, "Broker", "b").backing
    assert isinstance(backing, KafkaBacking)
    assert (backing.topics, backing.external) == (("theirs",), True)
    found = plane.get(Broker, "b")
    kept = {"eventing.knative.dev/broker.class": "Kafka"}
    metadata = replace(found.metadata, annotations=kept)
    plane.registry.update(replace(found, metadata=metadata), user="test")
    plane.settle()
    backing = resource(plane, "Broker", "b").backing
    assert isinstance(backing, KafkaBacking)
    assert (backing.topics, backing.external) == (("knative-broker-shop-b",), False)


def test_a_topic_keeps_its_name_when_the_template_changes() -> None:
    plane = Plane()
    plane.apply(BROKERS, broker())
    features = config_map("config-kafka-features")
    features["data"] = {"brokers-topic-template": "new-{{ .Name }}"}
    plane.apply(features, broker("c"))
    assert plane.get(Broker, "b").status.annotations["default.topic"] == "knative-broker-shop-b"
    assert plane.get(Broker, "c").status.annotations["default.topic"] == "new-c"


def test_a_group_has_a_name_also_where_the_template_makes_none() -> None:
    plane = Plane()
    features = config_map("config-kafka-features")
    features["data"] = {"triggers-consumergroup-template": '{{ index .Labels "team" }}'}
    plane.apply(features, BROKERS, broker(), trigger())
    (egress,) = resource(plane, "Broker", "b").egresses
    assert egress.reader == stable_uid("Trigger", "shop", "t")


def test_a_trigger_depends_on_its_group_and_keeps_its_name() -> None:
    plane = Plane()
    plane.apply(BROKERS, broker(), trigger())
    says(plane, Broker, "b", True)
    assert plane.condition(Trigger, "t") == ("Unknown", "", "")
    assert plane.get(Trigger, "t").status.annotations == {"group.id": "knative-trigger-shop-t"}
    says(plane, Trigger, "t", True)
    assert plane.condition(Trigger, "t") == ("True", "", "")
    (egress,) = resource(plane, "Broker", "b").egresses
    assert (egress.reader, egress.subscriber) == ("knative-trigger-shop-t", LATER["uri"])


def test_a_delivery_of_a_trigger_counts_as_a_whole() -> None:
    plane = Plane()
    tree = broker()
    tree["spec"]["delivery"] = {"deadLetterSink": DEAD, "retry": 2}
    plane.apply(BROKERS, tree, trigger())
    says(plane, Broker, "b", True)
    (egress,) = resource(plane, "Broker", "b").egresses
    assert (egress.dead_letter_sink, egress.policy.retry) == (DEAD["uri"], 2)
    plane.apply(trigger(delivery={"retry": 5}))
    (egress,) = resource(plane, "Broker", "b").egresses
    assert (egress.dead_letter_sink, egress.policy.retry) == (None, 5)
    assert plane.get(Trigger, "t").status.dead_letter_sink_uri == ""


def test_a_sink_whose_topic_is_made_for_it() -> None:
    plane = Plane()
    spec = {"topic": "out", "bootstrapServers": ["kafka:9092"]}
    own = {**spec, "numPartitions": 2, "replicationFactor": 1, "contentMode": "structured"}
    plane.apply(document("KafkaSink", "s", "eventing.knative.dev/v1alpha1", **own))
    says(plane, KafkaSink, "s", True, "Topic out (owner kafkasink-controller)")
    assert plane.condition(KafkaSink, "s") == ("True", "", "")
    status = plane.get(KafkaSink, "s").status
    assert status.annotations == {"eventing.knative.dev/topic.owner": "kafkasink-controller"}
    assert status.address is not None
    assert status.address.url == (
        "http://kafka-sink-ingress.knative-eventing.svc.cluster.local/shop/s"
    )
    assert resource(plane, "KafkaSink", "s").backing == KafkaBacking(
        server=SERVER, topics=("out",), partitions=2, replication=1, structured=True
    )
    plane.apply(document("KafkaSink", "o", "eventing.knative.dev/v1alpha1", **spec))
    assert plane.get(KafkaSink, "o").status.annotations == {
        "eventing.knative.dev/topic.owner": "external"
    }
    backing = resource(plane, "KafkaSink", "o").backing
    assert isinstance(backing, KafkaBacking)
    assert backing.external


def test_a_sink_without_its_secret_says_so() -> None:
    plane = Plane()
    spec = {"topic": "out", "bootstrapServers": ["kafka:9092"]}
    auth = {"secret": {"ref": {"name": "login"}}}
    plane.apply(document("KafkaSink", "s", "eventing.knative.dev/v1alpha1", auth=auth, **spec))
    assert plane.condition(KafkaSink, "s") == (
        "False",
        "SecretNotFound",
        'failed to get secret shop/login: secret "login" not found',
    )


def source(**spec: object) -> dict[str, Any]:
    good = {"topics": ["in"], "bootstrapServers": ["kafka:9092"], "sink": LATER}
    return document("KafkaSource", "k", "sources.knative.dev/v1", **{**good, **spec})


def test_a_source_needs_its_sink_and_its_group() -> None:
    plane = Plane()
    plane.apply(source(sink={"ref": ref("KafkaSink", "s", "eventing.knative.dev/v1alpha1")}))
    assert plane.condition(KafkaSource, "k")[:2] == ("False", "NotFound")
    plane.apply(source(consumerGroup=plane.get(KafkaSource, "k").spec.consumer_group))
    says(plane, KafkaSource, "k", True)
    assert plane.condition(KafkaSource, "k") == ("True", "", "")
    status = plane.get(KafkaSource, "k").status
    assert (status.sink_uri, status.consumers) == (LATER["uri"], 1)
    assert [each.source for each in status.ce_attributes] == [
        "/apis/v1/namespaces/shop/kafkasources/k#in"
    ]


def test_a_source_as_a_resource() -> None:
    plane = Plane()
    tree = source(
        consumerGroup="mine",
        initialOffset="earliest",
        ordering="unordered",
        ceOverrides={"extensions": {"Team": "a"}},
    )
    tree["metadata"]["labels"] = {"kafkasources.sources.knative.dev/key-type": "int"}
    plane.apply(tree)
    found = resource(plane, "KafkaSource", "k")
    assert found.backing == KafkaBacking(
        server=SERVER,
        topics=("in",),
        external=True,
        foreign="/apis/v1/namespaces/shop/kafkasources/k",
        key_type="int",
        initial="earliest",
    )
    (egress,) = found.egresses
    assert (egress.kind, egress.reader, egress.subscriber) == ("KafkaSource", "mine", LATER["uri"])
    assert (egress.ordered, egress.overrides) == (False, {"team": "a"})
    policy = egress.policy
    assert (policy.retry, policy.policy, policy.delay, policy.timeout) == (
        10,
        "exponential",
        0.3,
        600.0,
    )


def test_a_source_without_consumers_leaves_its_records_where_they_are() -> None:
    plane = Plane()
    plane.apply(source(consumers=0))
    (egress,) = resource(plane, "KafkaSource", "k").egresses
    assert (egress.subscriber, egress.paused) == (None, True)


def test_a_source_waits_for_its_dead_letter_sink() -> None:
    plane = Plane()
    absent = {"ref": ref("Broker", "nobody", EVENTING)}
    plane.apply(source(delivery={"retry": 1, "deadLetterSink": absent}))
    assert plane.condition(KafkaSource, "k", "DeadLetterSinkResolved")[0] == "False"
    (egress,) = resource(plane, "KafkaSource", "k").egresses
    assert egress.subscriber is None
    plane.apply(source(delivery={"retry": 1, "deadLetterSink": DEAD}))
    (egress,) = resource(plane, "KafkaSource", "k").egresses
    assert (egress.subscriber, egress.dead_letter_sink) == (LATER["uri"], DEAD["uri"])


def test_a_channel_on_kafka_and_its_subscriptions() -> None:
    plane = Plane()
    plane.apply(CHANNELS, document("KafkaChannel", "c", KAFKA_CHANNEL, numPartitions=2))
    says(plane, KafkaChannel, "c", True)
    assert plane.condition(KafkaChannel, "c") == ("True", "", "")
    status = plane.get(KafkaChannel, "c").status
    assert status.address is not None
    assert status.address.url == "http://c-kn-channel.shop.svc.cluster.local"
    assert status.annotations == {"default.topic": "knative-messaging-kafka.shop.c"}
    channel = ref("KafkaChannel", "c", KAFKA_CHANNEL)
    plane.apply(document("Subscription", "s", channel=channel, subscriber=LATER))
    assert plane.condition(Subscription, "s") == ("True", "", "")
    found = resource(plane, "KafkaChannel", "c")
    assert found.backing == KafkaBacking(
        server=SERVER,
        topics=("knative-messaging-kafka.shop.c",),
        partitions=2,
        replication=1,
        settings={"retention.ms": "604800000"},
    )
    (egress,) = found.egresses
    assert (egress.subscriber, egress.ordered) == (LATER["uri"], True)
    assert egress.reader.startswith("kafka.shop.c.")
    plane.delete(Subscription, "s")
    assert resource(plane, "KafkaChannel", "c").egresses == ()


def test_a_subscriber_that_a_person_has_written_keeps_its_delivery() -> None:
    plane = Plane()
    written = {"subscriberUri": LATER["uri"], "delivery": {"retry": 7}}
    channel = document("KafkaChannel", "c", KAFKA_CHANNEL, subscribers=[written])
    plane.apply(CHANNELS, channel)
    (egress,) = resource(plane, "KafkaChannel", "c").egresses
    assert (egress.subscriber, egress.policy.retry) == (LATER["uri"], 7)


def test_the_group_of_a_subscription_is_the_same_in_the_next_run() -> None:
    readers = []
    for _ in range(2):
        plane = Plane()
        plane.apply(CHANNELS, document("KafkaChannel", "c", KAFKA_CHANNEL))
        channel = ref("KafkaChannel", "c", KAFKA_CHANNEL)
        plane.apply(document("Subscription", "s", channel=channel, subscriber=LATER))
        (egress,) = resource(plane, "KafkaChannel", "c").egresses
        readers.append(egress.reader)
        assert egress.uid not in egress.reader
    assert readers[0] == readers[1]


def test_a_channel_cannot_have_the_name_of_another_one() -> None:
    plane = Plane()
    plane.apply(CHANNELS, document("InMemoryChannel", "c"))
    plane.apply(document("KafkaChannel", "c", KAFKA_CHANNEL))
    assert plane.condition(KafkaChannel, "c")[:2] == ("False", "ChannelServiceFailed")
    assert resource(plane, "InMemoryChannel", "c").hosts == ("c-kn-channel.shop.svc.cluster.local",)
    assert resource(plane, "KafkaChannel", "c").hosts == ()


TEMPLATE = {"apiVersion": KAFKA_CHANNEL, "kind": "KafkaChannel", "spec": {"numPartitions": 3}}


def test_a_kafka_channel_stands_behind_a_channel() -> None:
    plane = Plane()
    plane.apply(CHANNELS, document("Channel", "c", channelTemplate=TEMPLATE))
    assert plane.get(KafkaChannel, "c").spec.num_partitions == 3
    assert plane.names(InMemoryChannel) == []
    says(plane, KafkaChannel, "c", True)
    assert plane.condition(Channel, "c") == ("True", "", "")
    plane.apply(document("Subscription", "s", channel=ref("Channel", "c"), subscriber=LATER))
    assert plane.condition(Subscription, "s") == ("True", "", "")
    (egress,) = resource(plane, "KafkaChannel", "c").egresses
    assert egress.name == "s"


def test_flows_run_over_kafka_channels() -> None:
    plane = Plane()
    plane.apply(
        CHANNELS,
        document("Sequence", "q", FLOWS, channelTemplate=TEMPLATE, steps=[LATER, DEAD]),
        document("Parallel", "p", FLOWS, channelTemplate=TEMPLATE, branches=[{"subscriber": DEAD}]),
    )
    names = plane.names(KafkaChannel)
    assert len(names) == 4
    for name in names:
        says(plane, KafkaChannel, name, True)
    assert plane.condition(Sequence, "q") == ("True", "", "")
    assert plane.condition(Parallel, "p") == ("True", "", "")
    plane.apply(document("Sequence", "q", FLOWS, channelTemplate=TEMPLATE, steps=[LATER]))
    assert len(plane.names(KafkaChannel)) == 3


def test_with_identities_senders_are_asked_who_they_are() -> None:
    plane = Plane(config_features={"authentication-oidc": "enabled"})
    spec = {"topic": "out", "bootstrapServers": ["kafka:9092"]}
    plane.apply(
        CHANNELS,
        document("KafkaSink", "s", "eventing.knative.dev/v1alpha1", **spec),
        document("KafkaChannel", "c", KAFKA_CHANNEL),
        source(sink={"ref": ref("KafkaSink", "s", "eventing.knative.dev/v1alpha1")}),
    )
    guard = resource(plane, "KafkaSink", "s").guard
    assert guard is not None
    assert guard.audience == "eventing.knative.dev/kafkasink/shop/s"
    guard = resource(plane, "KafkaChannel", "c").guard
    assert guard is not None
    assert guard.audience == "messaging.knative.dev/kafkachannel/shop/c"
    (egress,) = resource(plane, "KafkaSource", "k").egresses
    assert egress.account == "k-oidc-sources.knative.dev-kafkasource"
    assert egress.subscriber_audience == "eventing.knative.dev/kafkasink/shop/s"
