"""EventType in the version v1beta3, which lists attributes instead of naming three of them.

Other attributes than type, source and schemadata do not survive, since v1beta2 is stored and has
no place for them; upstream does the same.

Source: knative/eventing ``pkg/apis/eventing/v1beta3/eventtype_*.go``,
``v1beta2/eventtype_conversion.go``; Eventing reference §12, §20 (trap 20).
"""

from knlite.kinds.eventing.eventtype import EventType, EventTypeSpec, EventTypeStatus
from knlite.kinds.fielderror import Errors, missing
from knlite.kinds.kreference import KReference
from knlite.kinds.meta import Fields, Object

_NEEDED = ("type", "source", "specversion", "id")
_SCHEMA = "schemadata"


class EventAttributeDefinition(Fields):
    """An attribute that events of the type have."""

    name: str = ""
    required: bool = False
    value: str = ""


class EventTypeV1Beta3Spec(Fields):
    reference: KReference | None = None
    description: str = ""
    attributes: tuple[EventAttributeDefinition, ...] = ()


class EventTypeV1Beta3(Object):
    """A type of events that somebody sends, and who takes them."""

    spec: EventTypeV1Beta3Spec = EventTypeV1Beta3Spec()
    status: EventTypeStatus = EventTypeStatus()


def validated(obj: EventTypeV1Beta3) -> Errors:
    """What is wrong with *obj* before it becomes a v1beta2."""
    names = {each.name for each in obj.spec.attributes}
    absent = [f"spec.attributes.{name}" for name in _NEEDED if name not in names]
    return (missing(*sorted(absent)),) if absent else ()


def stored(obj: EventTypeV1Beta3) -> EventType:
    """*obj* as a v1beta2."""
    values = {each.name: each.value for each in obj.spec.attributes}
    return EventType(
        metadata=obj.metadata,
        spec=EventTypeSpec(
            type=values.get("type", ""),
            source=values.get("source"),
            schema=values.get(_SCHEMA),
            reference=obj.spec.reference,
            description=obj.spec.description,
        ),
        status=obj.status,
    )


def shown(obj: EventType) -> EventTypeV1Beta3:
    """A v1beta2 as a v1beta3; ``schemaData`` and ``broker`` have no place there."""
    spec = obj.spec
    attributes = [
        EventAttributeDefinition(name="specversion", required=True),
        EventAttributeDefinition(name="id", required=True),
        EventAttributeDefinition(name="type", required=True, value=spec.type),
        EventAttributeDefinition(name="source", required=True, value=spec.source or ""),
    ]
    if spec.schema is not None:
        attributes.append(EventAttributeDefinition(name=_SCHEMA, value=spec.schema))
    return EventTypeV1Beta3(
        metadata=obj.metadata,
        spec=EventTypeV1Beta3Spec(
            reference=spec.reference, description=spec.description, attributes=tuple(attributes)
        ),
        status=obj.status,
    )
