"""KafkaSink: where it takes events in, and whether what it says of its servers can be understood.

Whether the topic is there is said by the engine that writes to it.

Source: knative-extensions/eventing-kafka-broker ``control-plane/pkg/reconciler/sink``; Eventing
reference §17.
"""

from datetime import datetime
from typing import Final

import msgspec

from knlite.eventing.addressing import addressed
from knlite.eventing.backing import Problem
from knlite.eventing.kafka.backings import kafka_sink_backing_of
from knlite.eventing.serverhosts import KAFKA_SINKS
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.eventing.kafkaconditions import (
    CONFIG_MAP_UPDATED,
    CONFIG_PARSED,
    CONTROLLER,
    DATA_PLANE_AVAILABLE,
    EXTERNAL,
    PROBE_SUCCEEDED,
    SINK_CONDITIONS,
    TOPIC_OWNER,
)
from knlite.kinds.eventing.kafkasink import KafkaSink, KafkaSinkStatus, owns_topic
from knlite.reconcile import Key, Outcome, View, concluded

_CONTRACT: Final = "knative-eventing/kafka-sink-sinks"
"""Where upstream tells its data plane of sinks."""


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The status of the KafkaSink at *key*."""
    sink = view.get(KafkaSink, key.namespace, key.name)
    if sink is None or sink.metadata.deletion_timestamp is not None:
        return Outcome()
    conditions = SINK_CONDITIONS.edit(sink.status.conditions, now)
    return concluded(sink, _reconciled(sink, conditions, view), conditions)


def _reconciled(sink: KafkaSink, conditions: ConditionEditor, view: View) -> KafkaSinkStatus:
    """Step by step; the first failure leaves the later conditions as they were."""
    conditions.true(DATA_PLANE_AVAILABLE)
    owner = CONTROLLER if owns_topic(sink.spec) else EXTERNAL
    status = msgspec.structs.replace(
        sink.status, annotations={**sink.status.annotations, TOPIC_OWNER: owner}
    )
    backing = kafka_sink_backing_of(sink, view)
    if isinstance(backing, Problem):
        conditions.false(CONFIG_PARSED, backing.reason, backing.message)
        return status
    conditions.true(CONFIG_PARSED)
    conditions.true(CONFIG_MAP_UPDATED, f"Config map {_CONTRACT} updated")
    conditions.true(PROBE_SUCCEEDED)
    url = f"http://{KAFKA_SINKS}/{sink.metadata.namespace}/{sink.metadata.name}"
    return addressed(sink, status, url, conditions, view, listed=True)
