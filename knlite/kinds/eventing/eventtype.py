"""EventType: tells which events there are, for people and for tools that list them.

This is the version v1beta2, which is the one that is stored; v1beta1 has the same shape.

Source: knative/eventing ``pkg/apis/eventing/v1beta2/eventtype_*.go``; Eventing reference §12.
Not here: v1beta3 (``eventtypev1beta3.py``).
"""

from collections.abc import Mapping

import msgspec

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import Errors, FieldError, missing
from knlite.kinds.kreference import KReference, reference_defaulted
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors

REFERENCE_EXISTS = "ReferenceExists"

CONDITIONS = ConditionSet((REFERENCE_EXISTS,))


class EventTypeSpec(Fields):
    type: str = ""
    source: str | None = None
    schema: str | None = None
    schema_data: str = ""
    broker: str = ""
    reference: KReference | None = None
    description: str = ""


class EventTypeStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)


class EventType(Object):
    """A type of events that somebody sends, and who takes them."""

    spec: EventTypeSpec = EventTypeSpec()
    status: EventTypeStatus = EventTypeStatus()


def defaulted(obj: EventType, old: EventType | None, config: Config) -> EventType:
    """*obj* with its own namespace in its reference."""
    if obj.spec.reference is None:
        return obj
    reference = reference_defaulted(obj.spec.reference, obj.metadata.namespace)
    spec = msgspec.structs.replace(obj.spec, reference=reference)
    return msgspec.structs.replace(obj, spec=spec)


def validated(obj: EventType, old: EventType | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults. Everything may change."""
    errors: list[FieldError] = list(name_errors(obj))
    if not obj.spec.type:
        errors.append(missing("spec.type"))
    return tuple(errors)
