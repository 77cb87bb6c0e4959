"""The text of an attribute as all dialects but CESQL see it.

Standard attributes are never missing: they are empty when they are absent. Only extensions can be
missing.

Source: Eventing data plane reference §5.2.
"""

from knlite.eventing.cloudevent import CloudEvent

NO_TIME = "0001-01-01T00:00:00Z"
"""What stands for an absent time."""

STANDARD = frozenset(
    (
        "specversion",
        "type",
        "source",
        "subject",
        "id",
        "datacontentencoding",
    )
)
"""Those that stand among an event's attributes under their own name."""


def lookup(event: CloudEvent, name: str) -> str | None:
    """The text of attribute *name*; None for an extension that is absent."""
    match name:
        case "datacontenttype":
            return event.content_type or ""
        case "datamediatype":
            return (event.content_type or "").partition(";")[0].strip()
        case "dataschema" | "schemaurl":
            # The one was called the other in version 0.3.
            return event.attributes.get("dataschema") or event.attributes.get("schemaurl", "")
        case "time":
            return event.attributes.get("time", NO_TIME)
        case _:
            return event.attributes.get(name, "" if name in STANDARD else None)
