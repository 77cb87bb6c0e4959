"""config-kafka-features: how topics and consumer groups are named (``knative-eventing``).

The flags that it also has are about dispatchers in Pods, and change nothing here.

Source: knative-extensions/eventing-kafka-broker ``control-plane/pkg/apis/config/features.go``;
Eventing data plane reference §9.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from knlite.kinds.config.templates import fill
from knlite.kinds.meta import ObjectMeta

NAME: Final = "config-kafka-features"

BROKERS_TOPIC: Final = "brokers-topic-template"
TRIGGERS_GROUP: Final = "triggers-consumergroup-template"
CHANNELS_TOPIC: Final = "channels-topic-template"
_OLD: Final[Mapping[str, str]] = {
    BROKERS_TOPIC: "brokers.topic.template",
    TRIGGERS_GROUP: "triggers.consumergroup.template",
    CHANNELS_TOPIC: "channels.topic.template",
}
FLAGS: Final = (
    "dispatcher-rate-limiter",
    "dispatcher-ordered-executor-metrics",
    "controller-autoscaler-keda",
)
KEYS: Final[frozenset[str]] = frozenset(
    (
        *_OLD,
        *_OLD.values(),
        *FLAGS,
        "dispatcher.rate-limiter",
        "dispatcher.ordered-executor-metrics",
        "controller.autoscaler",
    )
)

STANDARDS: Final[Mapping[str, str]] = {
    BROKERS_TOPIC: "knative-broker-{{ .Namespace }}-{{ .Name }}",
    TRIGGERS_GROUP: "knative-trigger-{{ .Namespace }}-{{ .Name }}",
    CHANNELS_TOPIC: "knative-messaging-kafka.{{ .Namespace }}.{{ .Name }}",
}
"""The templates of those who set none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaFeatures:
    """Templates over the metadata of what is named."""

    brokers_topic: str = STANDARDS[BROKERS_TOPIC]
    triggers_group: str = STANDARDS[TRIGGERS_GROUP]
    channels_topic: str = STANDARDS[CHANNELS_TOPIC]


def parse(data: Mapping[str, str]) -> KafkaFeatures:
    """The section that *data* describes; raises ``ConfigInvalid``."""

    def template(key: str) -> str:
        text = data.get(key, data.get(_OLD[key], STANDARDS[key]))
        named(text, ObjectMeta(name="n", namespace="ns", uid="u"))
        return text

    return KafkaFeatures(
        brokers_topic=template(BROKERS_TOPIC),
        triggers_group=template(TRIGGERS_GROUP),
        channels_topic=template(CHANNELS_TOPIC),
    )


def named(template: str, meta: ObjectMeta) -> str:
    """What *template* makes of the object of *meta*; raises ``ConfigInvalid``."""
    return fill(
        template,
        {"Name": meta.name, "Namespace": meta.namespace, "UID": meta.uid},
        labels=meta.labels,
        annotations=meta.annotations,
    )
