"""KafkaChannel: a channel whose events lie in a topic.

Source: knative-extensions/eventing-kafka-broker ``control-plane/pkg/apis/messaging/v1beta1``;
Eventing reference §17.
"""

from typing import Final

import msgspec

from knlite.kinds.conditions import ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.durations import InvalidDuration, parse_iso
from knlite.kinds.eventing import delivery
from knlite.kinds.eventing.immutable import IMMUTABLE_CHANGED, differences
from knlite.kinds.eventing.kafkaconditions import BROKER_CONDITIONS
from knlite.kinds.fielderror import Errors, FieldError, generic, invalid
from knlite.kinds.messaging.channelable import (
    ChannelableSpec,
    ChannelableStatus,
    scope_validated,
    subscribable,
    subscribers_kept,
    subscribers_permitted,
    subscribers_validated,
)
from knlite.kinds.meta import Int16, Int32, Object
from knlite.kinds.objectname import name_errors

SUBSCRIBERS: Final = "Subscribers"
CHANNEL_SERVICE_READY: Final = "ChannelServiceReady"
CONDITIONS = ConditionSet((SUBSCRIBERS, CHANNEL_SERVICE_READY, *BROKER_CONDITIONS.dependents))

DEFAULT_RETENTION: Final = "PT168H"


class KafkaChannelSpec(ChannelableSpec):
    num_partitions: Int32 = 0
    replication_factor: Int16 = 0
    retention_duration: str = ""


class KafkaChannel(Object):
    """A channel whose events lie in a Kafka topic."""

    spec: KafkaChannelSpec = KafkaChannelSpec()
    status: ChannelableStatus = ChannelableStatus()


def retention(spec: KafkaChannelSpec) -> float | None:
    """Seconds that events are kept; None for what is no duration."""
    try:
        return parse_iso(spec.retention_duration)
    except InvalidDuration:
        return None


def defaulted(obj: KafkaChannel, old: KafkaChannel | None, config: Config) -> KafkaChannel:
    """*obj* with one partition, one replica, a week, and its namespace in references."""
    spec = obj.spec
    spec = msgspec.structs.replace(
        spec,
        num_partitions=spec.num_partitions or 1,
        replication_factor=spec.replication_factor or 1,
        retention_duration=spec.retention_duration or DEFAULT_RETENTION,
        delivery=delivery.defaulted(spec.delivery, obj.metadata.namespace),
    )
    return subscribable(msgspec.structs.replace(obj, spec=spec))


def validated(obj: KafkaChannel, old: KafkaChannel | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults; its delivery is not looked at, as upstream.

    Only subscribers and delivery may change.
    """
    spec = obj.spec
    errors: list[FieldError] = list(name_errors(obj))
    if spec.num_partitions <= 0:
        errors.append(invalid(spec.num_partitions, "spec.numPartitions"))
    if spec.replication_factor <= 0:
        errors.append(invalid(spec.replication_factor, "spec.replicationFactor"))
    if (seconds := retention(spec)) is None or seconds < 0:
        errors.append(invalid(spec.retention_duration, "spec.retentionDuration"))
    errors.extend(subscribers_validated(spec.subscribers))
    errors.extend(scope_validated(obj))
    if old is not None:
        difference = differences("{v1beta1.KafkaChannelSpec}", _fixed(old.spec), _fixed(spec))
        if difference:
            errors.append(generic(IMMUTABLE_CHANGED, "spec", details=difference))
    return tuple(errors)


def adopted(obj: KafkaChannel, old: KafkaChannel) -> KafkaChannel:
    """*obj* with the subscribers of *old*, unless it brings its own."""
    spec = subscribers_kept(obj.spec, old.spec)
    return obj if spec is obj.spec else msgspec.structs.replace(obj, spec=spec)


def permitted(obj: KafkaChannel, old: KafkaChannel | None, user: str) -> Errors:
    """Why *user* may not turn *old* into *obj*: subscribers belong to the subscriptions."""
    if old is None:
        return ()
    return subscribers_permitted(old.spec.subscribers, obj.spec.subscribers, user)


def _fixed(spec: KafkaChannelSpec) -> KafkaChannelSpec:
    return msgspec.structs.replace(spec, subscribers=(), delivery=None)
