"""Events without a key: together for a moment, and everywhere in the end."""

import random

import pytest

pytest.importorskip("aiokafka")

from aiokafka.partitioner import DefaultPartitioner

from knlite.eventlog.kafka.sticky import MOMENT, Sticky

PARTITIONS = list(range(10))


class Time:
    def __init__(self) -> None:
        self.now = 5.0

    def __call__(self) -> float:
        return self.now


def test_all_events_of_a_moment_go_to_one_partition() -> None:
    sticky = Sticky(Time(), random.Random(1))
    assert len({sticky(None, PARTITIONS, PARTITIONS) for _ in range(100)}) == 1


def test_in_the_end_every_partition_has_its_share() -> None:
    time = Time()
    sticky = Sticky(time, random.Random(1))
    seen = set()
    for _ in range(200):
        seen.add(sticky(None, PARTITIONS, PARTITIONS))
        time.now += MOMENT
    assert seen == set(PARTITIONS)


def test_a_partition_that_is_lost_is_left_at_once() -> None:
    sticky = Sticky(Time(), random.Random(1))
    first = sticky(None, PARTITIONS, PARTITIONS)
    rest = [each for each in PARTITIONS if each != first]
    assert sticky(None, PARTITIONS, rest) in rest
    assert sticky(None, PARTITIONS, []) in PARTITIONS


def test_another_topic_may_have_fewer_partitions() -> None:
    sticky = Sticky(Time(), random.Random(3))
    assert sticky(None, PARTITIONS, PARTITIONS) > 0
    assert sticky(None, [0], [0]) == 0


def test_a_key_decides_as_it_does_for_all_clients() -> None:
    sticky = Sticky(Time(), random.Random(1))
    default = DefaultPartitioner()
    for key in (b"a", b"b", b"partition"):
        assert sticky(key, PARTITIONS, PARTITIONS) == default(key, PARTITIONS, PARTITIONS)
