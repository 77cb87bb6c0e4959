"""One stream of lines over all instances: filtered, followed without a gap, bounded."""

from collections.abc import Callable
from contextlib import AbstractContextManager, aclosing
from datetime import UTC, datetime, timedelta

import anyio
import anyio.lowlevel
import pytest

from knlite.clock import LoopClock
from knlite.facts import Fact, LogLine
from knlite.telemetry import logstream
from knlite.telemetry.bus import Bus
from knlite.telemetry.logs import Logs
from knlite.telemetry.logstream import BEHIND, LogQuery, LogStream

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def line(text: str, service: str = "web", at: float = 0.0, request: str = "") -> LogLine:
    return LogLine(
        at=NOW + timedelta(seconds=at),
        namespace="default",
        service=service,
        revision=f"{service}-00001",
        instance=f"{service}-00001-x",
        stream="stdout",
        text=text,
        request=request,
    )


class Way:
    """Lines that are written, kept and streamed."""

    def __init__(self) -> None:
        self.bus, self.logs = Bus(), Logs()
        self._kept = self.bus.reading(self.logs.read, LogLine)
        self._kept.__enter__()
        self.stream = LogStream(self.logs, LoopClock(NOW), self._reading)

    def _reading(self, reader: Callable[[Fact], None]) -> AbstractContextManager[None]:
        return self.bus.reading(reader, LogLine)

    def write(self, *lines: LogLine) -> None:
        for each in lines:
            self.bus.publish(each)

    async def found(self, **query: object) -> list[str]:
        batch = await self.stream.find(LogQuery(**query))  # type: ignore[arg-type]  # by name
        return [row.text for row in batch.rows]


async def test_lines_of_all_services_are_one_stream_in_order_of_time() -> None:
    way = Way()
    way.write(line("1", "web", 1), line("3", "web", 3), line("2", "api", 2), line("4", "api", 4))
    assert await way.found() == ["1", "2", "3", "4"]
    assert [row.text for row in way.stream.newest(3)] == ["2", "3", "4"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"service": "api"}, ["ERROR b"]),
        ({"namespace": "other"}, []),
        ({"instance": "web-00001-x", "level": "warning"}, ["warn: c", "  detail"]),
        ({"level": "error"}, ["ERROR b"]),
        ({"text": "DETAIL"}, ["  detail"]),
        ({"request": "r-1"}, ["a"]),
        ({"since": NOW + timedelta(seconds=3)}, ["warn: c", "  detail"]),
        ({"until": NOW + timedelta(seconds=1)}, ["a"]),
        ({"limit": 1}, ["  detail"]),
    ],
)
async def test_lines_are_found_by(query: dict[str, object], found: list[str]) -> None:
    way = Way()
    way.write(
        line("a", at=1, request="r-1"), line("ERROR b", "api", 2), line("warn: c", at=3),
        line("  detail", at=4),
    )  # fmt: skip
    assert await way.found(**query) == found


async def test_of_many_lines_the_last_are_found_and_the_others_counted() -> None:
    way = Way()
    for number in range(500):
        way.write(line(str(number), "web" if number % 3 else "api", number))
    batch = await way.stream.find(LogQuery(limit=100))
    assert [row.text for row in batch.rows] == [str(number) for number in range(400, 500)]
    assert batch.skipped == 400


async def test_colored_lines_are_found_by_what_is_seen_of_them() -> None:
    way = Way()
    way.write(line("\x1b[31mER\x1b[0mROR red"))
    assert await way.found(text="error red", level="error") == ["\x1b[31mER\x1b[0mROR red"]


async def test_who_follows_gets_what_is_kept_and_then_every_new_line_once() -> None:
    way = Way()
    way.write(line("1"))
    async with aclosing(way.stream.follow(LogQuery())) as batches:
        assert [row.text for row in (await anext(batches)).rows] == ["1"]
        way.write(line("2"), line("3"))
        assert [row.text for row in (await anext(batches)).rows] == ["2", "3"]
        way.write(line("4"))
        assert [row.text for row in (await anext(batches)).rows] == ["4"]


async def test_who_is_too_slow_misses_the_oldest_lines_and_is_told_how_many() -> None:
    way = Way()
    async with aclosing(way.stream.follow(LogQuery(service="web"))) as batches:
        await anext(batches)
        way.write(*(line(str(number)) for number in range(BEHIND + 7)), line("no", "api"))
        batch = await anext(batches)
        assert (batch.skipped, len(batch.rows), batch.rows[0].text) == (7, BEHIND, "7")


async def test_a_traceback_goes_on_from_what_is_kept_into_what_follows() -> None:
    way = Way()
    way.write(line("Traceback (most recent call last):"))
    async with aclosing(way.stream.follow(LogQuery(level="error"))) as batches:
        await anext(batches)
        way.write(line('  File "a.py"'), line("KeyError: 'b'"), line("served"))
        assert [(row.text, row.part) for row in (await anext(batches)).rows] == [
            ('  File "a.py"', True), ("KeyError: 'b'", True),
        ]  # fmt: skip


async def test_others_get_their_turn_while_words_are_looked_for_in_all_that_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    way = Way()
    way.write(*(line("x", f"service-{number}") for number in range(20)))
    looked, turns = list[str](), list[int]()

    def noted(text: str) -> str:
        looked.append(text)
        return text

    async def another() -> None:
        while len(looked) < 20:
            turns.append(len(looked))
            await anyio.lowlevel.checkpoint()

    monkeypatch.setattr(logstream, "plain", noted)
    async with anyio.create_task_group() as group:
        group.start_soon(another)
        assert await way.found(text="needle") == []
    assert len(set(turns)) > 10
