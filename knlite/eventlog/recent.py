"""What this run has written to a server lately, so that it need not be read from there.

Mostly an event comes back at once, to each of its readers; and to make it out of the headers of a
message takes longer than all else that an engine does with it.
"""

import msgspec

from knlite.eventlog.port import Record

EVENTS, DATA = 256, 256 * 1024
"""How many are known, and how many bytes they may hold together: about what a server hands out at
once."""


class Recent:
    """Of one resource."""

    def __init__(self) -> None:
        self._records: dict[int, _Written] = {}
        """By arrival, the oldest first."""
        self._size = 0

    def add(self, record: Record, readers: int) -> None:
        """It is about to be written, and will be read so often at most."""
        if not readers:
            return
        records = self._records
        records[record.arrival] = _Written(record, readers)
        self._size += _size(record)
        while len(records) > EVENTS or self._size > DATA:
            self._forget(next(iter(records)))

    def read(self, arrival: int) -> Record | None:
        """The event of that arrival, if it is known to one more reader.

        What all have read is forgotten: memory that is used again at once is quicker.
        """
        written = self._records.get(arrival)
        if written is None:
            return None
        written.readers -= 1
        if not written.readers:
            self._forget(arrival)
        return written.record

    def _forget(self, arrival: int) -> None:
        self._size -= _size(self._records.pop(arrival).record)


class _Written(msgspec.Struct, gc=False):
    record: Record
    readers: int
    """That have not read it."""


def _size(record: Record) -> int:
    return len(record.event.data or b"")
