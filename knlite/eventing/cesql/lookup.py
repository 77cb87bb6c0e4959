"""How CESQL sees the attributes of an event: what is absent is missing, standard or not.

Source: Eventing data plane reference §6.3, §6.5 (EXISTS), §6.8. The other dialects see them
differently (``knlite/eventing/filters/lookup.py``).
"""

from collections.abc import Callable

from knlite.eventing.cesql.values import Value
from knlite.eventing.cloudevent import CloudEvent


def reader_of(name: str) -> Callable[[CloudEvent], Value | None]:
    """Gives the value of attribute *name*, or None where an event does not have it."""
    match name:
        case "datacontenttype":
            return lambda event: event.content_type
        case "dataschema":
            # It was called schemaurl in version 0.3.
            return lambda event: event.attributes.get(name, event.attributes.get("schemaurl"))
        case _:
            return lambda event: event.attributes.get(name)
