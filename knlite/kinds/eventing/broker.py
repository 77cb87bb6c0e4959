"""Broker: takes events in and offers them to Triggers.

Source: knative/eventing ``pkg/apis/eventing/v1/broker_*.go``; Eventing reference §3.
"""

from collections.abc import Mapping

import msgspec

from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import Conditions
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing import delivery, kafkabroker, rabbitmqbroker, rabbitmqpods
from knlite.kinds.eventing.appliedpolicy import AppliedPolicy
from knlite.kinds.eventing.brokerclass import KAFKA_CLASSES, RABBITMQ_CLASS
from knlite.kinds.eventing.delivery import DeliverySpec, DeliveryStatus
from knlite.kinds.eventing.immutable import IMMUTABLE_CHANGED, changed, differences
from knlite.kinds.fielderror import Errors, FieldError, generic, missing, under
from knlite.kinds.kreference import KReference, reference_defaulted, reference_validated
from knlite.kinds.labels import BROKER_CLASS
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors


class BrokerSpec(Fields):
    config: KReference | None = None
    delivery: DeliverySpec | None = None


class BrokerStatus(DeliveryStatus):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    address: Addressable | None = None
    addresses: tuple[Addressable, ...] = ()
    policies: tuple[AppliedPolicy, ...] = ()


class Broker(Object):
    """One inbox; its class annotation chooses the engine behind it."""

    spec: BrokerSpec = BrokerSpec()
    status: BrokerStatus = BrokerStatus()


def class_of(broker: Broker) -> str:
    """The engine that *broker* asks for."""
    return broker.metadata.annotations.get(BROKER_CLASS, "")


def defaulted(obj: Broker, old: Broker | None, config: Config) -> Broker:
    """*obj* with a class, a config and a delivery.

    Differs: who updates a Broker without naming its class leaves the class that it has. Upstream
    writes the default there, and refuses it when the default has changed in the meantime.
    """
    namespace = obj.metadata.namespace
    wanted = class_of(obj) or (class_of(old) if old is not None else "")
    defaults = config.eventing.defaults_for(namespace, wanted)
    annotations = obj.metadata.annotations
    if not class_of(obj) and defaults.broker_class:
        annotations = {**annotations, BROKER_CLASS: defaults.broker_class}
    reference = obj.spec.config or defaults.config
    return msgspec.structs.replace(
        obj,
        metadata=msgspec.structs.replace(obj.metadata, annotations=annotations),
        spec=BrokerSpec(
            config=None if reference is None else reference_defaulted(reference, namespace),
            delivery=delivery.defaulted(
                obj.spec.delivery or _inherited(defaults.delivery), namespace
            ),
        ),
    )


def validated(obj: Broker, old: Broker | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    errors: list[FieldError] = list(name_errors(obj))
    if not class_of(obj):
        errors.append(missing(BROKER_CLASS))
    enabled, own = config.eventing.enabled, obj.metadata.namespace
    within = own if config.eventing.same_namespace_only(own) else ""
    if obj.spec.config is not None:
        errors.extend(under("spec.config", reference_validated(obj.spec.config, enabled, within)))
    if class_of(obj) in KAFKA_CLASSES:
        errors.extend(kafkabroker.config_validated(obj.spec.config, class_of(obj), own))
    errors.extend(under("spec.delivery", delivery.validated(obj.spec.delivery, enabled, within)))
    if class_of(obj) == RABBITMQ_CLASS:
        errors.extend(rabbitmqpods.validated(obj.metadata.annotations))
        errors.extend(rabbitmqbroker.config_validated(obj.spec.config))
    if old is not None:
        errors.extend(_immutable(obj, old))
    return tuple(errors)


def _inherited(standard: DeliverySpec | None) -> DeliverySpec | None:
    """What upstream copies of the configured delivery; its other fields are ignored."""
    if standard is None:
        return None
    return DeliverySpec(
        dead_letter_sink=standard.dead_letter_sink,
        retry=standard.retry,
        backoff_policy=standard.backoff_policy,
        backoff_delay=standard.backoff_delay,
    )


def _immutable(obj: Broker, old: Broker) -> Errors:
    """The first change that is not allowed; a delivery may change, unless queues are made of it."""
    if class_of(obj) == class_of(old) == RABBITMQ_CLASS:
        difference = differences("{v1.BrokerSpec}", old.spec, obj.spec)
        return (generic(IMMUTABLE_CHANGED, "spec", details=difference),) if difference else ()
    before, after = old.spec.config or KReference(), obj.spec.config or KReference()
    difference = "".join(
        changed(f"{{v1.BrokerSpec}}.Config.{label}", getattr(before, name), getattr(after, name))
        for label, name in (
            ("Kind", "kind"),
            ("Namespace", "namespace"),
            ("Name", "name"),
            ("APIVersion", "api_version"),
            ("Group", "group"),
            ("Address", "address"),
        )
    )
    if difference:
        return (generic(IMMUTABLE_CHANGED, "spec", details=difference),)
    difference = changed("{string}", class_of(old), class_of(obj))
    if difference:
        text = "Immutable annotations changed (-old +new)"
        return (generic(text, "annotations", details=difference),)
    return ()
