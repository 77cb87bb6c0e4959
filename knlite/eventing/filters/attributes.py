"""``spec.filter.attributes``: every entry must equal, an empty value asks for presence.

Source: Eventing data plane reference §5.2, §5.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.eventing.cloudevent import CloudEvent

_NO_TIME = "0001-01-01T00:00:00Z"
_STANDARD = frozenset(
    (
        "specversion",
        "type",
        "source",
        "subject",
        "id",
        "datacontentencoding",
    )
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an event passes, and which entry decided."""

    matched: bool
    why: str


def judge(wanted: Mapping[str, str], event: CloudEvent) -> Verdict:
    """Whether *event* has all that is *wanted*."""
    if not wanted:
        return Verdict(True, "no filter")
    for name, value in wanted.items():
        text = lookup(event, name)
        if not text:
            return Verdict(False, f"{name} is absent")
        if value and text != value:
            return Verdict(False, f"{name} is {text!r}, not {value!r}")
    return Verdict(
        True, ", ".join(f"{name} is {value or 'present'}" for name, value in wanted.items())
    )


def lookup(event: CloudEvent, name: str) -> str | None:
    """The text of an attribute as filters see it; None for an extension that is absent."""
    match name:
        case "datacontenttype":
            return event.content_type or ""
        case "datamediatype":
            return (event.content_type or "").partition(";")[0].strip()
        case "dataschema" | "schemaurl":
            # The one was called the other in version 0.3.
            return event.attributes.get("dataschema") or event.attributes.get("schemaurl", "")
        case "time":
            return event.attributes.get("time", _NO_TIME)
        case _:
            return event.attributes.get(name, "" if name in _STANDARD else None)
