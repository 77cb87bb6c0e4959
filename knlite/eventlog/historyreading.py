"""Reads events out of a history in SQLite, in pieces: others wait for the writer and for the loop.

First the arrivals of what is wanted, out of a narrow table, so many with each statement; then those
events, a page at a time (``docs/adr/0050-searching-events.md``).

Not here: what is written (``historysqlite.py``).
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence

import msgspec

from knlite.eventlog.history import GOES_ON, LOST, NEWEST, TROUBLE, Happened, Progress, Wanted
from knlite.eventlog.historytables import Row, Store, Value, number, read
from knlite.eventlog.searching import words
from knlite.facts import DeliveryAttempted, EventAccepted

PAGE = 100
"""Events that are read at once: others wait for the writer, and for the loop, too."""
WINDOW = 5000
"""Events among which one statement looks for those that are wanted."""
_FEW = 200
"""Among so many the first one looks."""


class Reading:
    """What has been written, and what still goes on."""

    def __init__(self, store: Store, progress: Progress, flush: Callable[[], None]) -> None:
        """*flush* has everything sent to *store* that was noted."""
        self._store = store
        self._progress = progress
        self._flush = flush

    async def at(self, arrival: int) -> Happened | None:
        """As ``History.at``."""
        self._flush()
        rows = await self._store.query(
            "SELECT body, data FROM history WHERE arrival = ?", (arrival,)
        )
        for body, data in rows:
            assert data is None or isinstance(data, bytes)
            fact = read(body, EventAccepted)
            if fact is not None:
                fact = msgspec.structs.replace(fact, data=data)
                (found,) = await self._happened([(fact, len(data or b""))])
                return found
        return None

    async def find(self, wanted: Wanted) -> AsyncGenerator[Happened, None]:
        """As ``History.find``."""
        self._flush()
        left = wanted.limit
        if left <= 0:
            return
        async for some in self._arrivals(wanted):
            for start in range(0, len(some), PAGE):
                page = some[start : start + min(left, PAGE)]
                rows = await self._store.query(
                    "SELECT body, COALESCE(LENGTH(data), 0) FROM history"
                    f" WHERE arrival IN ({_marks(page)}) ORDER BY arrival DESC",
                    tuple(page),
                )
                facts = [(read(body, EventAccepted), number(size)) for body, size in rows]
                for each in await self._happened([(fact, size) for fact, size in facts if fact]):
                    yield each
                left -= len(rows)
                if left <= 0:
                    return

    async def _arrivals(self, wanted: Wanted) -> AsyncIterator[list[int]]:
        """The arrivals of what is wanted, the newest first, some at a time."""
        condition, parameters = _condition(wanted)
        if wanted.state in GOES_ON:
            async for some in self._going_on(wanted, condition, parameters):
                yield some
            return
        before = min(wanted.before, NEWEST)
        window = min(WINDOW, max(wanted.limit, _FEW))
        while before > wanted.since:
            source, given = _source(wanted, before)
            # One row: what is looked at and not wanted never leaves the writer. A left join, as an
            # attempt may be kept whose event is not.
            ((found, first, count),) = await self._store.query(
                f"SELECT group_concat(CASE WHEN {condition} THEN s.arrival END), MIN(w.arrival),"
                f" COUNT(*) FROM ({source}) w LEFT JOIN history_search s ON s.arrival = w.arrival",
                (*parameters, *given, window),
            )
            arrivals = sorted(map(int, str(found).split(",")), reverse=True) if found else []
            if wanted.state:
                arrivals = [each for each in arrivals if each not in self._progress]
            if arrivals:
                yield arrivals
            if number(count) < window:
                return
            before, window = number(first), WINDOW

    async def _going_on(
        self, wanted: Wanted, condition: str, parameters: Row
    ) -> AsyncIterator[list[int]]:
        there = sorted(self._progress.arrivals(), reverse=True)
        there = [each for each in there if wanted.since <= each < wanted.before]
        for start in range(0, len(there), _FEW):
            some = there[start : start + _FEW]
            rows = await self._store.query(
                f"SELECT s.arrival FROM history_search s WHERE s.arrival IN ({_marks(some)})"
                f" AND {condition} ORDER BY s.arrival DESC",
                (*some, *parameters),
            )
            yield [number(arrival) for (arrival,) in rows]

    async def _happened(self, facts: Sequence[tuple[EventAccepted, int]]) -> list[Happened]:
        """What has become of events, of which *facts* say the sizes too."""
        # Before it is asked for their attempts: what ends in the meantime shows there.
        pending = {fact.arrival: self._progress.of(fact.arrival) for fact, _ in facts}
        attempts: dict[int, list[DeliveryAttempted]] = {arrival: [] for arrival in pending}
        self._flush()
        for (body,) in await self._store.query(
            f"SELECT body FROM history_attempts WHERE arrival IN ({_marks(pending)})"
            " ORDER BY arrival, number",
            tuple(pending),
        ):
            each = read(body, DeliveryAttempted)
            if each is not None:
                attempts[each.arrival].append(each)
        return [
            Happened(fact, tuple(attempts[fact.arrival]), pending[fact.arrival], size)
            for fact, size in facts
        ]


def _source(wanted: Wanted, before: int) -> tuple[str, Row]:
    """A statement for the arrivals among which to look, by the index that leads to fewest.

    Its last parameter, which is still to be given, says how many.
    """
    since = wanted.since
    window = "arrival >= ? AND arrival < ? ORDER BY arrival DESC LIMIT ?"
    if wanted.repeats:
        repeats = tuple(wanted.repeats)
        return (
            "SELECT arrival FROM history WHERE replay_of > 0"
            f" AND replay_of IN ({_marks(repeats)}) AND {window}",
            (*repeats, since, before),
        )
    if wanted.id:
        return f"SELECT arrival FROM history WHERE id = ? AND {window}", (wanted.id, since, before)
    if wanted.troubled or wanted.state in TROUBLE:
        return (
            f"SELECT DISTINCT arrival FROM history_attempts WHERE trouble > 0 AND {window}",
            (since, before),
        )
    return f"SELECT arrival FROM history_search WHERE {window}", (since, before)


def _condition(wanted: Wanted) -> tuple[str, Row]:
    """What a row ``s`` of ``history_search`` has to be."""
    conditions: list[str] = []
    parameters: list[Value] = []
    for column in ("source", "type", "subject", "kind", "namespace", "name"):
        value = getattr(wanted, column)
        if value:
            conditions.append(f"s.{column} = ?")
            parameters.append(value)
    if wanted.id and (wanted.repeats or wanted.state in GOES_ON):
        # Else it says already among which to look.
        conditions.append("(SELECT id FROM history WHERE arrival = s.arrival) = ?")
        parameters.append(wanted.id)
    if wanted.originals:
        conditions.append("s.replay_of = 0")
    if wanted.repeats and wanted.state in GOES_ON:
        conditions.append(f"s.replay_of IN ({_marks(wanted.repeats)})")
        parameters += wanted.repeats
    if wanted.readers:
        reads = " OR ".join(["instr(s.readers, ?) > 0"] * len(wanted.readers))
        conditions.append(f"({reads})")
        parameters += wanted.readers
    for ways in words(wanted.text):
        conditions.append(f"({' OR '.join(['instr(s.text, ?) > 0'] * len(ways))})")
        parameters += ways
    # From here on other tables are looked into, for those that are left.
    trouble = "EXISTS (SELECT 1 FROM history_attempts WHERE arrival = s.arrival AND trouble > 0)"
    if wanted.troubled or wanted.state in TROUBLE:
        conditions.append(trouble)
    elif wanted.state == "unmatched":
        conditions.append("s.wanting = 0")
    elif wanted.state == "delivered":
        conditions.append(f"NOT {trouble}")
    elif wanted.state in LOST:
        conditions.append(
            "s.wanting > (SELECT COUNT(*) FROM history_attempts"
            " WHERE arrival = s.arrival AND trouble <> 0)"
        )
    return " AND ".join(conditions) or "1", tuple(parameters)


def _marks(values: Collection[object]) -> str:
    return ",".join("?" * len(values))
