"""Reads events out of a history in SQLite, in pieces: others wait for the writer and for the loop.

Not here: what is written (``historysqlite.py``).
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence

import msgspec

from knlite.eventlog.history import NEWEST, Happened, Progress, Wanted
from knlite.eventlog.historytables import Row, Store, Value, number, read
from knlite.facts import DeliveryAttempted, EventAccepted

PAGE = 100
"""Events that are read at once: others wait for the writer, and for the loop, too."""
WINDOW = 5000
"""Events among which one statement looks for those that are wanted."""


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
            fact = msgspec.structs.replace(read(body, EventAccepted), data=data)
            (found,) = await self._happened([(fact, len(data or b""))])
            return found
        return None

    async def find(self, wanted: Wanted) -> AsyncIterator[Happened]:
        """As ``History.find``."""
        self._flush()
        before, left = min(wanted.before, NEWEST), wanted.limit
        while left > 0:
            since = await self._window(wanted, before)
            where, parameters = _where(wanted, since, before)
            count = min(left, PAGE)
            rows = await self._store.query(
                f"SELECT body, COALESCE(LENGTH(data), 0) FROM history WHERE {where}"
                " ORDER BY arrival DESC LIMIT ?",
                (*parameters, count),
            )
            facts = [(read(body, EventAccepted), number(size)) for body, size in rows]
            for each in await self._happened(facts):
                yield each
            left -= len(facts)
            if len(facts) == count:
                before = facts[-1][0].arrival
            elif since > wanted.since:
                before = since
            else:
                break

    async def _window(self, wanted: Wanted, before: int) -> int:
        """The arrival down to which one statement looks, from *before* on."""
        if wanted.id or wanted.repeats:
            # There is an index.
            return wanted.since
        troubles = "history_attempts WHERE trouble > 0 AND"
        rows = await self._store.query(
            f"SELECT arrival FROM {troubles if wanted.troubled else 'history WHERE'}"
            f" arrival >= ? AND arrival < ? ORDER BY arrival DESC LIMIT 1 OFFSET {WINDOW}",
            (wanted.since, before),
        )
        return number(rows[0][0]) if rows else wanted.since

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
            attempts[each.arrival].append(each)
        return [
            Happened(fact, tuple(attempts[fact.arrival]), pending[fact.arrival], size)
            for fact, size in facts
        ]


def _where(wanted: Wanted, since: int, before: int) -> tuple[str, Row]:
    conditions = ["arrival >= ?", "arrival < ?"]
    parameters: list[Value] = [since, before]
    for column in ("id", "source", "type", "kind", "namespace", "name"):
        value = getattr(wanted, column)
        if value:
            conditions.append(f"{column} = ?")
            parameters.append(value)
    if wanted.repeats:
        conditions.append(f"replay_of > 0 AND replay_of IN ({_marks(wanted.repeats)})")
        parameters += wanted.repeats
    if wanted.originals:
        conditions.append("replay_of = 0")
    if wanted.troubled:
        conditions.append(
            "arrival IN (SELECT arrival FROM history_attempts"
            " WHERE trouble > 0 AND arrival >= ? AND arrival < ?)"
        )
        parameters += (since, before)
    return " AND ".join(conditions), tuple(parameters)


def _marks(values: Collection[object]) -> str:
    return ",".join("?" * len(values))
