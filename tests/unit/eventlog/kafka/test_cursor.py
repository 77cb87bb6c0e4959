"""What a reader of Kafka has in memory."""

import pytest

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventlog.kafka.cursor import LEAST, KafkaCursor, Met, Partition
from knlite.eventlog.port import Reader, Record

A, B = Partition("t", 0), Partition("t", 1)


def met(offset: int) -> Met:
    attributes = {"specversion": "1.0", "id": str(offset), "source": "/s", "type": "t"}
    return Met(offset, Record(CloudEvent(attributes), 1), False, "", None)


def put(cursor: KafkaCursor, partition: Partition, *offsets: int) -> None:
    for offset in offsets:
        if cursor.meet(partition, offset):
            cursor.put(partition, met(offset))


def take(cursor: KafkaCursor) -> list[Met]:
    found = []
    while (taken := cursor.take()) is not None:
        assert isinstance(taken.position, Met)
        found.append(taken.position)
    return found


def cursor_of(*, ordered: bool = False, **positions: int) -> KafkaCursor:
    cursor = KafkaCursor(Reader("r", ordered=ordered))
    cursor.assigned({Partition("t", int(name[1:])): at for name, at in positions.items()})
    return cursor


def test_partitions_have_their_turns() -> None:
    cursor = cursor_of(p0=0, p1=0)
    put(cursor, A, 0, 1, 2)
    put(cursor, B, 0)
    assert [each.offset for each in take(cursor)] == [0, 0, 1, 2]


def test_an_ordered_reader_has_one_of_each_in_hand() -> None:
    cursor = cursor_of(ordered=True, p0=0, p1=0)
    put(cursor, A, 0, 1)
    put(cursor, B, 5)
    in_hand = take(cursor)
    assert [each.offset for each in in_hand] == [0, 5]
    assert cursor.orders == 2
    cursor.done(in_hand[1])
    assert take(cursor) == []
    cursor.done(in_hand[0])
    assert [each.offset for each in take(cursor)] == [1]


def test_one_that_is_ordered_no_more_goes_on_at_once() -> None:
    cursor = cursor_of(ordered=True, p0=0)
    put(cursor, A, 0, 1)
    take(cursor)
    cursor.read_as(Reader("r"), 0)
    assert [each.offset for each in take(cursor)] == [1]


def test_what_waits_is_given_back_and_what_is_in_hand_goes_on() -> None:
    cursor = cursor_of(p0=0)
    put(cursor, A, 0, 1, 2)
    first = cursor.take()
    assert first is not None
    cursor.revoked([A])
    assert take(cursor) == []
    cursor.assigned({A: 0})
    put(cursor, A, 0, 1, 2)
    assert [each.offset for each in take(cursor)] == [1, 2]
    assert cursor.uncommitted() == {}
    cursor.done(first.position)
    assert cursor.uncommitted() == {A: 1}


def test_what_is_done_after_the_partition_has_gone_commits_nothing() -> None:
    cursor = cursor_of(p0=0)
    put(cursor, A, 0)
    (in_hand,) = take(cursor)
    cursor.revoked([A])
    cursor.done(in_hand)
    assert cursor.uncommitted() == {}
    assert cursor.idle


def test_what_is_done_twice_counts_once() -> None:
    cursor = cursor_of(p0=0)
    put(cursor, A, 0)
    (in_hand,) = take(cursor)
    cursor.done(in_hand)
    cursor.done(in_hand)
    assert cursor.idle


@pytest.mark.parametrize("parallelism", [1, 10, 1000])
def test_no_more_is_fetched_while_enough_waits(parallelism: int) -> None:
    cursor = KafkaCursor(Reader("r", parallelism=parallelism))
    cursor.assigned({A: 0})
    called: list[None] = []
    cursor.on_room = lambda: called.append(None)
    enough = max(LEAST, parallelism)
    put(cursor, A, *range(enough))
    assert not cursor.full
    put(cursor, A, enough, enough + 1)
    assert cursor.full
    cursor.take()
    assert called == []
    cursor.take()
    assert len(called) == 1
    assert not cursor.full
