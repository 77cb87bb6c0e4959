"""KafkaSource: sends the records of topics, each as an event.

Source: knative-extensions/eventing-kafka-broker ``control-plane/pkg/apis/sources/v1``; Eventing
reference §17. Not here: which event a record is (``knlite/eventing/kafka``).
"""

from typing import Final
from uuid import UUID, uuid5

import msgspec

from knlite.kinds.conditions import ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing import delivery, destination
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED, DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.immutable import IMMUTABLE_CHANGED, changed
from knlite.kinds.fielderror import Errors, FieldError, generic, invalid, missing, under
from knlite.kinds.meta import Fields, Int32, Object
from knlite.kinds.objectname import name_errors
from knlite.kinds.sources.kafkanet import KafkaNet
from knlite.kinds.sources.source import (
    SINK_PROVIDED,
    CloudEventOverrides,
    SourceStatus,
    overrides_validated,
)

CONSUMER_GROUP: Final = "ConsumerGroup"
"""Said by who knows: the engine that talks to the server."""
CONFIG_PARSED: Final = "ConfigParsed"
CONDITIONS = ConditionSet((CONSUMER_GROUP, SINK_PROVIDED, CONFIG_PARSED, DEAD_LETTER_SINK_RESOLVED))
"""Differs: upstream tells Secrets and dead letter sinks that are not there by ``ConsumerGroup``,
too."""

EVENT_TYPE: Final = "dev.knative.kafka.event"
EARLIEST: Final = "earliest"
LATEST: Final = "latest"
ORDERED: Final = "ordered"
UNORDERED: Final = "unordered"

_GROUP_PREFIX: Final = "knative-kafka-source-"
_GROUPS: Final = UUID("0b6f3c1e-6b9d-5d55-9a6f-3d7f7c1c2f10")
"""Where the names of groups that nobody has chosen are made from."""


class KafkaSourceSpec(Fields):
    consumers: Int32 | None = None
    bootstrap_servers: tuple[str, ...] = ()
    net: KafkaNet = KafkaNet()
    topics: tuple[str, ...] = ()
    consumer_group: str = ""
    initial_offset: str = ""
    delivery: DeliverySpec | None = None
    ordering: str | None = None
    sink: Destination = Destination()
    ce_overrides: CloudEventOverrides | None = None


class Placement(Fields):
    """How many consumers one program of a dispatcher runs."""

    pod_name: str = ""
    vreplicas: int = 0


class KafkaSourceStatus(SourceStatus):
    """Differs: it also says where dead letters go."""

    dead_letter_sink_uri: str = ""
    dead_letter_sink_ca_certs: str | None = msgspec.field(
        default=None, name="deadLetterSinkCACerts"
    )
    dead_letter_sink_audience: str | None = None
    consumers: int = 0
    selector: str = ""
    claims: str = ""
    max_allowed_v_replicas: int | None = msgspec.field(default=None, name="maxAllowedVReplicas")
    placements: tuple[Placement, ...] = ()


class KafkaSource(Object):
    """Sends the records of Kafka topics as events."""

    spec: KafkaSourceSpec = KafkaSourceSpec()
    status: KafkaSourceStatus = KafkaSourceStatus()


def event_source(namespace: str, name: str) -> str:
    """What the ``source`` of events begins with that were no events; the topic comes after ``#``.

    The version is not that of its group.
    """
    return f"/apis/v1/namespaces/{namespace}/kafkasources/{name}"


def defaulted(obj: KafkaSource, old: KafkaSource | None, config: Config) -> KafkaSource:
    """*obj* with a group, a number of consumers, an offset and an order.

    Differs: the name of a group that nobody has chosen follows from namespace and name, so that the
    next run goes on where this one has ended, also without a data folder; upstream draws one. Who
    updates a KafkaSource without naming its group leaves the one that it has.
    """
    spec, meta = obj.spec, obj.metadata
    group = spec.consumer_group or (old.spec.consumer_group if old is not None else "")
    return msgspec.structs.replace(
        obj,
        spec=msgspec.structs.replace(
            spec,
            consumers=1 if spec.consumers is None else spec.consumers,
            consumer_group=group or _group(meta.namespace, meta.name),
            initial_offset=spec.initial_offset or LATEST,
            ordering=ORDERED if spec.ordering is None else spec.ordering,
            sink=destination.defaulted(spec.sink, meta.namespace),
            delivery=delivery.defaulted(spec.delivery, meta.namespace),
        ),
    )


def validated(obj: KafkaSource, old: KafkaSource | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults; its delivery is not looked at, as upstream.

    Only its group may not change.
    """
    spec, enabled = obj.spec, config.eventing.enabled
    errors: list[FieldError] = list(name_errors(obj))
    errors.extend(under("spec.sink", destination.validated(spec.sink, enabled)))
    errors.extend(under("spec.ceOverrides", overrides_validated(spec.ce_overrides)))
    if not spec.topics:
        errors.append(missing("spec.topics"))
    if not spec.bootstrap_servers:
        errors.append(missing("spec.bootstrapServers"))
    if spec.initial_offset not in {EARLIEST, LATEST}:
        errors.append(invalid(spec.initial_offset, "spec.initialOffset"))
    if spec.ordering is not None and spec.ordering not in {ORDERED, UNORDERED}:
        errors.append(invalid(spec.ordering, "spec.ordering"))
    if old is not None:
        difference = changed("{string}", old.spec.consumer_group, spec.consumer_group)
        if difference:
            errors.append(generic(IMMUTABLE_CHANGED, "spec", details=difference))
    return tuple(errors)


def _group(namespace: str, name: str) -> str:
    return f"{_GROUP_PREFIX}{uuid5(_GROUPS, f'{namespace}/{name}')}"
