"""Trigger: which events of a Broker go to which subscriber.

Source: knative/eventing ``pkg/apis/eventing/v1/trigger_*.go``; Eventing reference §4.
"""

import json
from collections.abc import Mapping

import msgspec

from knlite.kinds.auth import AuthStatus
from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventingfeatures import CROSS_NAMESPACE_LINKS
from knlite.kinds.eventing import delivery, destination, filters, flow
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED, DeliverySpec, DeliveryStatus
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.filters import SubscriptionsAPIFilter
from knlite.kinds.eventing.immutable import changed
from knlite.kinds.fielderror import (
    Errors,
    FieldError,
    both,
    disallowed,
    generic,
    missing,
    under,
)
from knlite.kinds.kreference import KReference
from knlite.kinds.labels import BROKER, DEPENDENCY, INJECTION
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors

BROKER_READY = "BrokerReady"
SUBSCRIBER_RESOLVED = "SubscriberResolved"
SUBSCRIPTION_READY = "SubscriptionReady"
DEPENDENCY_READY = "DependencyReady"
OIDC_IDENTITY_CREATED = "OIDCIdentityCreated"

CONDITIONS = ConditionSet(
    (
        BROKER_READY,
        SUBSCRIPTION_READY,
        SUBSCRIBER_RESOLVED,
        DEAD_LETTER_SINK_RESOLVED,
        DEPENDENCY_READY,
        OIDC_IDENTITY_CREATED,
    )
)


class TriggerFilter(Fields):
    """Every entry must equal; an empty value asks for presence."""

    attributes: Mapping[str, str] = msgspec.field(default_factory=dict)


class TriggerSpec(Fields):
    broker: str = ""
    broker_ref: KReference | None = None
    filter: TriggerFilter | None = None
    filters: tuple[SubscriptionsAPIFilter, ...] = ()
    subscriber: Destination = Destination()
    delivery: DeliverySpec | None = None


class TriggerStatus(DeliveryStatus):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    subscriber_uri: str = ""
    subscriber_ca_certs: str | None = msgspec.field(default=None, name="subscriberCACerts")
    subscriber_audience: str | None = None
    auth: AuthStatus | None = None


class Trigger(Object):
    """A filtered subscription to a Broker."""

    spec: TriggerSpec = TriggerSpec()
    status: TriggerStatus = TriggerStatus()


class Dependency(Fields):
    """What the dependency annotation names, as a Kubernetes ObjectReference."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""


class NotAReference(ValueError):
    """The dependency annotation is not the JSON of an ObjectReference."""


def broker_of(trigger: Trigger) -> tuple[str, str]:
    """Namespace and name of the Broker that *trigger* listens to.

    Differs: a ``brokerRef`` is followed without cross-namespace-event-links, too (admission then
    refuses other namespaces), and it may leave out its own namespace. Upstream accepts both, and
    then looks for a Broker without a name, or without a namespace.
    """
    reference = trigger.spec.broker_ref
    if reference is None:
        return trigger.metadata.namespace, trigger.spec.broker
    return reference.namespace or trigger.metadata.namespace, reference.name


def dependency_of(trigger: Trigger) -> Dependency | None:
    """What must be ready before *trigger* is; raises ``NotAReference``."""
    text = trigger.metadata.annotations.get(DEPENDENCY)
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Dependency)
    except msgspec.MsgspecError as exc:
        raise NotAReference(str(exc)) from exc


def defaulted(obj: Trigger, old: Trigger | None, config: Config) -> Trigger:
    """*obj* with a filter, the label of its Broker, and its own namespace in references."""
    namespace = obj.metadata.namespace
    broker = obj.spec.broker
    if obj.spec.broker_ref is not None and config.eventing.enabled(CROSS_NAMESPACE_LINKS):
        broker = obj.spec.broker_ref.name
    labels = {**obj.metadata.labels, BROKER: broker} if broker else obj.metadata.labels
    return msgspec.structs.replace(
        obj,
        metadata=msgspec.structs.replace(obj.metadata, labels=labels),
        spec=msgspec.structs.replace(
            obj.spec,
            filter=obj.spec.filter or TriggerFilter(),
            subscriber=destination.defaulted(obj.spec.subscriber, namespace),
            delivery=delivery.defaulted(obj.spec.delivery, namespace),
        ),
    )


def validated(obj: Trigger, old: Trigger | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    enabled = config.eventing.enabled
    spec = obj.spec
    errors: list[FieldError] = list(name_errors(obj))
    errors.extend(_broker_validated(spec, links=enabled(CROSS_NAMESPACE_LINKS)))
    if spec.filter is not None:
        names = filters.names_validated(spec.filter.attributes)
        errors.extend(under("spec.filter.attributes", names))
    errors.extend(under("spec.filters", filters.validated(spec.filters)))
    errors.extend(under("spec.subscriber", destination.validated(spec.subscriber, enabled)))
    errors.extend(under("spec.delivery", delivery.validated(spec.delivery, enabled)))
    errors.extend(_annotations_validated(obj))
    errors.extend(flow.validated(obj.metadata.annotations))
    if old is not None:
        difference = changed("{string}", old.spec.broker, spec.broker)
        if difference:
            text = "Immutable fields changed (-old +new)"
            errors.append(generic(text, "spec", "broker", details=difference))
    return tuple(errors)


def _broker_validated(spec: TriggerSpec, *, links: bool) -> Errors:
    reference = spec.broker_ref
    if reference is None:
        return () if spec.broker else (missing("spec.broker"),)
    errors: list[FieldError] = []
    if spec.broker:
        errors.append(both("spec.broker", "spec.brokerRef"))
    if not reference.name:
        errors.append(missing("spec.brokerRef.name"))
    if reference.namespace and not links:
        details = (
            "only name, apiVersion and kind are supported fields when"
            " feature.CrossNamespaceEventLinks is disabled"
        )
        # The path lacks brokerRef upstream too.
        errors.append(disallowed("spec.namespace", details=details))
    return tuple(errors)


def _annotations_validated(obj: Trigger) -> Errors:
    annotations = obj.metadata.annotations
    errors: list[FieldError] = []
    if DEPENDENCY in annotations:
        errors.extend(under(f"metadata.annotations[{DEPENDENCY}]", _dependency_validated(obj)))
    if INJECTION in annotations:
        errors.extend(
            under(
                f"metadata.annotations[{INJECTION}]",
                _injection_validated(annotations[INJECTION], obj.spec.broker),
            )
        )
    return tuple(errors)


def _dependency_validated(obj: Trigger) -> Errors:
    try:
        dependency = dependency_of(obj)
    except NotAReference as exc:
        text = _quoted(obj.metadata.annotations[DEPENDENCY])
        message = f"The provided annotation was not a corev1.ObjectReference: {text}"
        return (generic(message, "", details=str(exc)),)
    if dependency is None:
        return ()
    own = obj.metadata.namespace
    errors: list[FieldError] = []
    if dependency.namespace not in {"", own}:
        message = f"Namespace must be empty or equal to the trigger namespace {_quoted(own)}"
        errors.append(generic(message, "namespace"))
    errors.extend(
        missing(path)
        for path, value in (
            ("kind", dependency.kind),
            ("name", dependency.name),
            ("apiVersion", dependency.api_version),
        )
        if not value
    )
    return tuple(errors)


def _injection_validated(value: str, broker: str) -> Errors:
    if value not in {"enabled", "disabled"}:
        message = (
            'The provided injection annotation value can only be "enabled" or "disabled", not'
            f" {_quoted(value)}"
        )
        return (generic(message, ""),)
    if broker != "default":
        message = (
            "The provided injection annotation is only used for default broker, but non-default"
            f" broker specified here: {_quoted(broker)}"
        )
        return (generic(message, ""),)
    return ()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
