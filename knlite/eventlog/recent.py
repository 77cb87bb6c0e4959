"""What this run has written to a server lately, so that it need not be read from there.

Mostly an event comes back at once, to each of its readers; and to make it out of the headers of a
message takes longer than all else that an engine does with it.
"""

from knlite.eventlog.port import Record

EVENTS, DATA = 256, 256 * 1024
"""How many are known, and how many bytes they may hold together: about what a server hands out at
once."""


class Recent:
    """Of one resource."""

    def __init__(self) -> None:
        self._records: dict[int, Record] = {}
        """By arrival, the oldest first."""
        self._size = 0

    def add(self, record: Record) -> None:
        """It is about to be written."""
        records = self._records
        records[record.arrival] = record
        self._size += _size(record)
        while len(records) > EVENTS or self._size > DATA:
            self._size -= _size(records.pop(next(iter(records))))

    def get(self, arrival: int) -> Record | None:
        """The event of that arrival, if it is known."""
        return self._records.get(arrival)


def _size(record: Record) -> int:
    return len(record.event.data or b"")
