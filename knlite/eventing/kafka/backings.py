"""Where objects on Kafka have their topics, or why that is not known.

Source: Eventing data plane reference §9.2; knative-extensions/eventing-kafka-broker
``control-plane/pkg/reconciler/{broker,channel,sink,source}``.
"""

from collections.abc import Iterator, Mapping

from knlite.eventing.backing import Problem, meta_on_server
from knlite.eventing.configmaps import entries_of
from knlite.eventing.kafka.backing import KafkaBacking, KafkaServer, KeyType
from knlite.eventing.kafka.security import secret_of, server_by_net, server_by_secret
from knlite.eventing.kafka.topics import (
    bootstrap_servers,
    servers_checked,
    topic_checked,
    topic_config,
    topic_name,
)
from knlite.kinds.config.bundle import EVENTING_NAMESPACE
from knlite.kinds.config.servers import (
    AUTH_SECRET,
    AUTH_SECRET_NAMESPACE,
    BOOTSTRAP_SERVERS,
    KAFKA_CHANNELS,
)
from knlite.kinds.eventing.broker import Broker, class_of
from knlite.kinds.eventing.brokerclass import KAFKA_CLASSES
from knlite.kinds.eventing.kafkaconditions import (
    DEFAULT_TOPIC,
    EXTERNAL,
    TOPIC_OWNER,
)
from knlite.kinds.eventing.kafkasink import STRUCTURED, KafkaSink, auth_secret, owns_topic
from knlite.kinds.labels import EXTERNAL_TOPIC, KEY_TYPE
from knlite.kinds.messaging.kafkachannel import KafkaChannel, retention
from knlite.kinds.sources.kafkasource import EARLIEST, KafkaSource, event_source
from knlite.reconcile import View


def kafka_broker_config(broker: Broker, view: View) -> Mapping[str, str] | Problem:
    """What the ConfigMap of *broker* says; one that is gone, what it had said before."""
    config = broker.spec.config
    if config is None or config.kind.lower() != "configmap":
        kind = "none" if config is None else config.kind
        return Problem("ConfigMapInvalid", f"supported config Kind: ConfigMap - got {kind}")
    namespace = config.namespace or broker.metadata.namespace
    entries = entries_of(view, namespace, config.name)
    if entries is not None:
        return entries
    kept = broker.status.annotations
    if BOOTSTRAP_SERVERS not in kept:
        text = f'failed to get configmap {namespace}/{config.name}: configmap "{config.name}"'
        return Problem("ConfigMapNotFound", f"{text} not found")
    return kept


def kafka_backing_of(broker: Broker, view: View) -> KafkaBacking | Problem:
    """Where *broker*, which is of class Kafka, keeps its events.

    Differs: where the names of two Brokers come to the same topic, it belongs to one of them.
    Upstream lets both have it: each gets the other's events, and who goes first deletes it.
    """
    backing = _backing_of(broker, view)
    if isinstance(backing, Problem) or backing.external:
        return backing
    for other in _namesakes(broker, view):
        theirs = _backing_of(other, view)
        if isinstance(theirs, KafkaBacking) and _same_topic(theirs, backing):
            return _taken(backing.topics[0], other)
    return backing


def _backing_of(broker: Broker, view: View) -> KafkaBacking | Problem:
    """The same, whoever else has the topic."""
    entries = kafka_broker_config(broker, view)
    if isinstance(entries, Problem):
        return entries
    config = broker.spec.config
    namespace = (config.namespace if config is not None else "") or broker.metadata.namespace
    where = f"{namespace}/{config.name if config is not None else ''}"
    topics = topic_config(entries, where)
    if isinstance(topics, Problem):
        return topics
    server = _server(topics.bootstrap, namespace, entries.get(AUTH_SECRET, ""), view)
    if isinstance(server, Problem):
        return server
    external = broker.metadata.annotations.get(EXTERNAL_TOPIC)
    topic = topic_checked(external) if external is not None else _topic_of(broker, view)
    if isinstance(topic, Problem):
        return topic
    return KafkaBacking(
        server=server,
        topics=(topic,),
        external=external is not None,
        partitions=topics.partitions,
        replication=topics.replication,
        settings=topics.settings,
    )


def kafka_sink_backing_of(sink: KafkaSink, view: View) -> KafkaBacking | Problem:
    """Where *sink* writes events."""
    spec = sink.spec
    topic, bootstrap = topic_checked(spec.topic), servers_checked(spec.bootstrap_servers)
    if isinstance(topic, Problem):
        return topic
    if isinstance(bootstrap, Problem):
        return bootstrap
    server = _server(bootstrap, sink.metadata.namespace, auth_secret(spec), view)
    if isinstance(server, Problem):
        return server
    return KafkaBacking(
        server=server,
        topics=(topic,),
        external=not owns_topic(spec),
        partitions=spec.num_partitions or 1,
        replication=spec.replication_factor or 1,
        structured=spec.content_mode == STRUCTURED,
    )


def kafka_source_backing_of(source: KafkaSource, view: View) -> KafkaBacking | Problem:
    """Where *source* reads records."""
    spec, meta = source.spec, source.metadata
    bootstrap = servers_checked(spec.bootstrap_servers)
    if isinstance(bootstrap, Problem):
        return bootstrap
    for each in spec.topics:
        if isinstance(topic := topic_checked(each), Problem):
            return topic
    server = server_by_net(bootstrap, spec.net, meta.namespace, view)
    if isinstance(server, Problem):
        return server
    return KafkaBacking(
        server=server,
        topics=spec.topics,
        external=True,
        foreign=event_source(meta.namespace, meta.name),
        key_type=_key_type(meta.labels.get(KEY_TYPE, "")),
        initial="earliest" if spec.initial_offset == EARLIEST else "latest",
    )


def kafka_channel_backing_of(channel: KafkaChannel, view: View) -> KafkaBacking | Problem:
    """Where *channel* keeps its events."""
    where = f"{EVENTING_NAMESPACE}/{KAFKA_CHANNELS}"
    entries = entries_of(view, EVENTING_NAMESPACE, KAFKA_CHANNELS)
    if entries is None:
        text = f'failed to get configmap {where}: configmap "{KAFKA_CHANNELS}" not found'
        return Problem("ConfigMapNotFound", text)
    bootstrap = bootstrap_servers(entries.get(BOOTSTRAP_SERVERS, ""), where)
    if isinstance(bootstrap, Problem):
        return bootstrap
    namespace = entries.get(AUTH_SECRET_NAMESPACE) or EVENTING_NAMESPACE
    server = _server(bootstrap, namespace, entries.get(AUTH_SECRET, ""), view)
    if isinstance(server, Problem):
        return server
    topic = channel_topic(channel, view)
    if isinstance(topic, Problem):
        return topic
    spec = channel.spec
    return KafkaBacking(
        server=server,
        topics=(topic,),
        partitions=spec.num_partitions,
        replication=spec.replication_factor,
        settings={"retention.ms": str(round((retention(spec) or 0.0) * 1000))},
    )


def channel_topic(channel: KafkaChannel, view: View) -> str | Problem:
    """The topic that *channel* has, else what the template says."""
    known = channel.status.annotations.get(DEFAULT_TOPIC)
    meta = meta_on_server(channel, view)
    return known or topic_name(view.config.kafka.channels_topic, meta)


def _server(
    bootstrap: tuple[str, ...], namespace: str, secret: str, view: View
) -> KafkaServer | Problem:
    """The servers, with what the Secret of that name in *namespace* says; "": nothing."""
    if not secret:
        return KafkaServer(bootstrap=bootstrap)
    values = secret_of(view, namespace, secret)
    if isinstance(values, Problem):
        return values
    return server_by_secret(bootstrap, values, f"{namespace}/{secret}")


def _topic_of(broker: Broker, view: View) -> str | Problem:
    """The topic that *broker* has, else what the template says; never somebody else's."""
    kept = broker.status.annotations
    known = kept.get(DEFAULT_TOPIC)
    if known and kept.get(TOPIC_OWNER) != EXTERNAL:
        return known
    return topic_name(view.config.kafka.brokers_topic, meta_on_server(broker, view))


def _namesakes(broker: Broker, view: View) -> Iterator[Broker]:
    """Those before *broker* whose namespace and name, joined by a hyphen, are the same text."""
    words = f"{broker.metadata.namespace}-{broker.metadata.name}".split("-")
    for cut in range(1, len(words)):
        namespace, name = "-".join(words[:cut]), "-".join(words[cut:])
        other = view.get(Broker, namespace, name)
        if other is None or class_of(other) not in KAFKA_CLASSES:
            continue
        if _seniority(other) < _seniority(broker):
            yield other


def _seniority(broker: Broker) -> tuple[bool, str, str, str]:
    """Less is earlier: who has got a topic keeps it."""
    meta = broker.metadata
    has_none = DEFAULT_TOPIC not in broker.status.annotations
    return has_none, meta.creation_timestamp or "", meta.namespace, meta.name


def _same_topic(one: KafkaBacking, other: KafkaBacking) -> bool:
    return one.topics == other.topics and not {*one.server.bootstrap}.isdisjoint(
        other.server.bootstrap
    )


def _taken(topic: str, other: Broker) -> Problem:
    meta = other.metadata
    text = (
        f"the topic {topic} is that of Broker {meta.namespace}/{meta.name}, as namespace and name"
        " are joined by a hyphen; give one of them another name, or set brokers-topic-template in"
        " config-kafka-features before they are made"
    )
    return Problem("TopicTaken", text)


def _key_type(label: str) -> KeyType:
    match label:
        case "string" | "int" | "float" | "byte-array":
            return label
        case _:
            return ""
