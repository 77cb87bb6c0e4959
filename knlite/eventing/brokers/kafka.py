"""Brokers that keep their events in a topic of a Kafka cluster.

Whether the topic is there is said by the engine that makes it. What the ConfigMap has said is kept
in the status, as it may go before the Broker does.

Differs: there is one data plane for Brokers of class KafkaNamespaced, too. Dead letter sinks that
are not there have a condition of their own. Where ConfigParsed is False it has a reason in one
word, and upstream's as its message; it is False also for a Secret that is not there or makes no
sense, which upstream says by TopicReady.

Source: knative-extensions/eventing-kafka-broker ``control-plane/pkg/reconciler/broker``; Eventing
reference §17.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from knlite.eventing.addressing import addressed
from knlite.eventing.backing import Problem
from knlite.eventing.deadletters import own_dead_letter_sink, with_dead_letter_sink
from knlite.eventing.kafka.backings import kafka_backing_of, kafka_broker_config
from knlite.eventing.serverhosts import KAFKA_BROKERS
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.config.servers import (
    AUTH_SECRET,
    BOOTSTRAP_SERVERS,
    TOPIC_PARTITIONS,
    TOPIC_REPLICATION,
)
from knlite.kinds.eventing.broker import Broker, BrokerStatus
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED
from knlite.kinds.eventing.kafkaconditions import (
    CONFIG_MAP_UPDATED,
    CONFIG_PARSED,
    DATA_PLANE_AVAILABLE,
    DEFAULT_TOPIC,
    EXTERNAL,
    PROBE_SUCCEEDED,
    TOPIC_OWNER,
)
from knlite.reconcile import View

_KEPT: Final = (TOPIC_PARTITIONS, TOPIC_REPLICATION, BOOTSTRAP_SERVERS, AUTH_SECRET)
_CONTRACT: Final = "knative-eventing/kafka-broker-brokers-triggers"
"""Where upstream tells its data plane of Brokers."""


def reconciled(broker: Broker, conditions: ConditionEditor, view: View) -> BrokerStatus:
    """Step by step; the first failure leaves the later conditions as they were."""
    conditions.true(DATA_PLANE_AVAILABLE)
    backing = kafka_backing_of(broker, view)
    if isinstance(backing, Problem):
        conditions.false(CONFIG_PARSED, backing.reason, backing.message)
        return broker.status
    conditions.true(CONFIG_PARSED)
    conditions.true(CONFIG_MAP_UPDATED, f"Config map {_CONTRACT} updated")
    annotations = _kept(broker, backing.topics[0], backing.external, view)
    status = msgspec.structs.replace(broker.status, annotations=annotations)
    namespace, unable = broker.metadata.namespace, "Unable to get the dead letter sink's URI"
    sink = own_dead_letter_sink(broker.spec.delivery, namespace, unable, conditions, view)
    status = with_dead_letter_sink(status, sink)
    if not conditions.is_true(DEAD_LETTER_SINK_RESOLVED):
        return status
    conditions.true(PROBE_SUCCEEDED)
    url = f"http://{KAFKA_BROKERS}/{namespace}/{broker.metadata.name}"
    return addressed(broker, status, url, conditions, view, listed=True)


def _kept(broker: Broker, topic: str, external: bool, view: View) -> Mapping[str, str]:
    config = kafka_broker_config(broker, view)
    said = (
        {} if isinstance(config, Problem) else {key: config[key] for key in _KEPT if key in config}
    )
    others = {
        key: value
        for key, value in broker.status.annotations.items()
        if key not in {*_KEPT, TOPIC_OWNER}
    }
    owner = {TOPIC_OWNER: EXTERNAL} if external else {}
    return {**others, **said, **owner, DEFAULT_TOPIC: topic}
