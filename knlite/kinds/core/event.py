"""Event: something that happened to an object, for ``kubectl describe`` and ``kubectl events``.

Source: Kubernetes core/v1 Event.
Not here: what is said of what happened (``serving/happenings.py``), keeping it
(``controlplane/eventledger.py``).
"""

from knlite.kinds.core.objectreference import ObjectReference
from knlite.kinds.meta import Fields, Object


class EventSource(Fields):
    component: str = ""
    host: str = ""


class Event(Object):
    """What happened *count* times between two moments; there is no spec."""

    involved_object: ObjectReference = ObjectReference()
    reason: str = ""
    message: str = ""
    type: str = ""
    """``Normal`` or ``Warning``."""
    source: EventSource = EventSource()
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    count: int = 0
    reporting_component: str = ""
    reporting_instance: str = ""


def object_column(event: Event) -> str:
    """``pod/hello-00001-abcde``."""
    involved = event.involved_object
    return f"{involved.kind.lower()}/{involved.name}"
