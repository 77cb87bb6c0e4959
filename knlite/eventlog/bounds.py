"""How many events a log may hold that are not done with; beyond it, senders are told to wait."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from knlite.errors import InvalidInput, Overloaded

OVERHEAD = 512
"""Bytes that an event takes beside what it says, roughly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Of each resource, whatever keeps its events."""

    queued_events: int = 100_000
    """Events that some trigger or subscription is not done with. Beyond it: 503."""
    queued_bytes: int = 256 * 1024 * 1024
    """Their data, attributes and headers, with 512 bytes more for each. Beyond it: 503."""

    def admit(self, size: int, events: int, held: int) -> None:
        """An event of *size* bytes is to come to *events* of together *held* bytes.

        Raises ``Overloaded`` if there is no room, ``InvalidInput`` if there never will be.
        """
        if size > self.queued_bytes:
            raise InvalidInput(
                f"the event takes {size} bytes",
                cause=f"the limit is queued-bytes={self.queued_bytes}",
                fix="set another --limit",
            )
        if events + 1 > self.queued_events:
            limit = f"queued-events={self.queued_events}"
        elif held + size > self.queued_bytes:
            limit = f"queued-bytes={self.queued_bytes}"
        else:
            return
        raise Overloaded(
            f"{events} events wait to be delivered, and there is no room for another",
            cause=f"the limit is {limit}",
            fix="see what keeps their subscribers from answering (knlite get trigger), or set"
            " another --limit",
        )


def said(
    attributes: Mapping[str, str], headers: Iterable[tuple[str, str]], data: bytes | None
) -> int:
    """Bytes of what an event says, roughly; in structured mode an attribute may be megabytes."""
    size = len(data or b"")
    for value in attributes.values():
        size += len(value)
    for _, value in headers:
        size += len(value)
    return size
