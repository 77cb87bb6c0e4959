"""Which records are for a reader whose filter changes while they are on their way."""

from typing import Any

from msgspec.structs import replace

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.attributes import Attributes
from knlite.eventlog.kafka.cursor import KafkaCursor, Met
from knlite.eventlog.port import Reader, Record

READER = Reader("uid", name="group", filter=Attributes({"type": "a"}))


def met(arrival: int, kind: str, origin: str = "", only: tuple[str, ...] = ()) -> Met:
    event = CloudEvent({"specversion": "1.0", "id": "1", "source": "/s", "type": kind}, None, b"")
    record: Any = Record(event, 255, (), arrival, frozenset(only))
    return Met(0, record, False, origin, None)


def test_what_came_before_an_edit_is_judged_as_it_was_then() -> None:
    cursor = KafkaCursor(READER)
    assert cursor.wants(met(5, "a"))
    cursor.read_as(replace(READER, filter=Attributes({"type": "b"})), 10)
    assert [cursor.wants(met(10, kind)) for kind in "ab"] == [True, False]
    assert [cursor.wants(met(11, kind)) for kind in "ab"] == [False, True]


def test_what_others_have_written_is_judged_as_it_is_now() -> None:
    cursor = KafkaCursor(READER)
    cursor.read_as(replace(READER, filter=Attributes({"type": "b"})), 10)
    assert [cursor.wants(met(5, kind, "record 1")) for kind in "ab"] == [False, True]


def test_what_is_for_some_is_for_those_whatever_their_filter_says() -> None:
    cursor = KafkaCursor(READER)
    assert cursor.wants(met(5, "z", only=("group",)))
    assert not cursor.wants(met(5, "a", only=("other",)))
