"""What the events of sources tell, for people who look for one.

Source: knative/eventing ``config/core/resources`` (annotation ``registry.knative.dev/eventTypes``).
"""

from collections.abc import Mapping

from knlite.kinds.sources.apiserversource import REFERENCE, RESOURCE, event_types
from knlite.kinds.sources.kafkasource import EVENT_TYPE as KAFKA
from knlite.kinds.sources.pingsource import EVENT_TYPE as PING

_CHANGES = ("add", "delete", "update")

DESCRIPTIONS: Mapping[str, str] = {
    KAFKA: "CloudEvent type for records of a topic that are no CloudEvents themselves",
    PING: "CloudEvent type for fixed payloads on a specified cron schedule",
    **{
        event_type: f"CloudEvent type used for {what} operations when in {mode} mode"
        for mode in (RESOURCE, REFERENCE)
        for what, event_type in zip(_CHANGES, event_types(mode), strict=True)
    },
}
"""By the type of the event."""


def types_of(resource: str) -> tuple[str, ...]:
    """The types of the events of a kind of source, which is called as its definition is."""
    match resource.partition(".")[0]:
        case "pingsources":
            return (PING,)
        case "apiserversources":
            return (*event_types(RESOURCE), *event_types(REFERENCE))
        case "kafkasources":
            return (KAFKA,)
        case _:
            return ()
