"""The conditions of what takes events in for a topic: Brokers of class Kafka, KafkaSinks, channels.

Source: knative-extensions/eventing-kafka-broker
``control-plane/pkg/reconciler/base/receiver_condition_set.go``; Eventing reference §17.
"""

from typing import Final

from knlite.kinds.conditions import ConditionSet
from knlite.kinds.eventing.appliedpolicy import EVENT_POLICIES_READY
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED

ADDRESSABLE: Final = "Addressable"
DATA_PLANE_AVAILABLE: Final = "DataPlaneAvailable"
TOPIC_READY: Final = "TopicReady"
"""Said by who knows: the engine that talks to the server."""
CONFIG_MAP_UPDATED: Final = "ConfigMapUpdated"
CONFIG_PARSED: Final = "ConfigParsed"
PROBE_SUCCEEDED: Final = "ProbeSucceeded"

SINK_CONDITIONS = ConditionSet(
    (
        ADDRESSABLE,
        DATA_PLANE_AVAILABLE,
        TOPIC_READY,
        CONFIG_MAP_UPDATED,
        CONFIG_PARSED,
        PROBE_SUCCEEDED,
        EVENT_POLICIES_READY,
    )
)
BROKER_CONDITIONS = ConditionSet((*SINK_CONDITIONS.dependents, DEAD_LETTER_SINK_RESOLVED))
"""Differs: a dead letter sink that is not there has a condition of its own, as for other classes of
Brokers; upstream tells it by ``ConfigParsed``. So has a channel."""

DEFAULT_TOPIC: Final = "default.topic"
"""Annotation of a status: the topic."""
TOPIC_OWNER: Final = "eventing.knative.dev/topic.owner"
"""Annotation of the status of a KafkaSink: who makes and deletes the topic."""
EXTERNAL: Final = "external"
"""Its value where somebody else does so. Differs: a Broker says it as well."""
CONTROLLER: Final = "kafkasink-controller"
GROUP_ID: Final = "group.id"
"""Annotation of the status of a Trigger: its consumer group."""
