"""RequestReply: a request whose answer is an event that comes back through a Broker.

Source: knative/eventing ``pkg/apis/eventing/v1alpha1/requestreply_*.go``; Eventing reference §13.
"""

from collections.abc import Mapping

import msgspec

from knlite.kinds.addressable import Addressable
from knlite.kinds.cesql.parser import parse
from knlite.kinds.cesql.syntax import Attribute, NotCESQL
from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.durations import InvalidDuration, parse_iso
from knlite.kinds.eventing import delivery
from knlite.kinds.eventing.appliedpolicy import EVENT_POLICIES_READY, AppliedPolicy
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.fielderror import Errors, FieldError, disallowed, invalid, missing, under
from knlite.kinds.kreference import KReference, reference_validated
from knlite.kinds.labels import BROKER
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors

TRIGGERS_READY = "TriggersReady"
BROKER_READY = "BrokerReady"
ADDRESSABLE = "Addressable"

CONDITIONS = ConditionSet((TRIGGERS_READY, ADDRESSABLE, EVENT_POLICIES_READY, BROKER_READY))

BROKER_ADDRESS = "knative.dev/brokerAddress"
"""Annotation of the status: where requests go as events."""

_CORE = ("", "id", "course", "specversion", "type")
"""What may not carry an id; ``course`` is how upstream spells ``source``, which so gets through."""


class RequestReplySpec(Fields):
    """*timeout* is an ISO 8601 duration."""

    broker_ref: KReference = KReference()
    correlation_attribute: str = ""
    reply_attribute: str = ""
    timeout: str | None = None
    delivery: DeliverySpec | None = None


class RequestReplyStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    address: Addressable | None = None
    addresses: tuple[Addressable, ...] = ()
    policies: tuple[AppliedPolicy, ...] = ()
    desired_replicas: int | None = None
    ready_replicas: int | None = None


class RequestReply(Object):
    """Holds requests until their replies have come."""

    spec: RequestReplySpec = RequestReplySpec()
    status: RequestReplyStatus = RequestReplyStatus()


def defaulted(obj: RequestReply, old: RequestReply | None, config: Config) -> RequestReply:
    """*obj* with its attributes, its timeout, and the label of its Broker."""
    spec = obj.spec
    labels = {**obj.metadata.labels, BROKER: spec.broker_ref.name}
    return msgspec.structs.replace(
        obj,
        metadata=msgspec.structs.replace(obj.metadata, labels=labels),
        spec=msgspec.structs.replace(
            spec,
            correlation_attribute=spec.correlation_attribute or "correlationid",
            reply_attribute=spec.reply_attribute or "replyid",
            timeout=spec.timeout or config.eventing.features.request_reply_timeout_text,
        ),
    )


def validated(obj: RequestReply, old: RequestReply | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults. Everything may change."""
    spec = obj.spec
    enabled = config.eventing.enabled
    errors: list[FieldError] = list(name_errors(obj))
    errors.extend(under("spec.brokerRef", reference_validated(spec.broker_ref, enabled)))
    if spec.broker_ref.kind.lower() != "broker":
        text = "brokerRef kind must be Broker"
        errors.append(invalid(spec.broker_ref.kind, "spec.brokerRef.kind", text))
    if spec.broker_ref.namespace:
        errors.append(disallowed("spec.brokerRef.namespace"))
    within = obj.metadata.namespace
    errors.extend(under("spec.delivery", delivery.validated(spec.delivery, enabled, within)))
    errors.extend(under("spec", _timeout_validated(spec.timeout)))
    for path, name in (
        ("correlationattribute", spec.correlation_attribute),
        ("replyattribute", spec.reply_attribute),
    ):
        if name in _CORE:
            text = (
                f"{path} must be non-empty and cannot be a core cloudevent attribute"
                " (id, type, specversion, source)"
            )
            errors.append(invalid(name, f"spec.{path}", text))
        elif not (name.isascii() and name.isalnum()):
            # Differs: upstream takes any name, and then fails to send the event.
            text = f"{path} must consist of letters and digits"
            errors.append(invalid(name, f"spec.{path}", text))
    if not _is_attribute(spec.reply_attribute):
        # Differs: upstream takes it, and then can never make the Trigger that brings replies back.
        text = "replyattribute must be a name that CESQL reads as an attribute"
        errors.append(invalid(spec.reply_attribute, "spec.replyattribute", text))
    return tuple(errors)


def _is_attribute(name: str) -> bool:
    """Whether an expression can ask for *name*; keywords and numbers are something else there."""
    try:
        return not name.isalnum() or isinstance(parse(name), Attribute)
    except NotCESQL:
        return False


def _timeout_validated(timeout: str | None) -> Errors:
    if timeout is None:
        return (missing("timeout"),)
    try:
        seconds = parse_iso(timeout)
    except InvalidDuration as exc:
        return (invalid(timeout, "timeout", str(exc)),)
    if seconds <= 0:
        return (invalid(timeout, "timeout", "timeout must be a positive duration"),)
    return ()
