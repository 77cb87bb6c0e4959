"""Stages of a request: without gaps, as far as it came, and what happened meanwhile."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.facts import InstanceState, RequestDone
from knlite.telemetry.waterfall import Moment, stages_of, waterfall
from tests.unit.telemetry.requestfacts import NOW, done, start

SECONDS = st.floats(min_value=0.0, max_value=600.0)
STATES: list[InstanceState] = [
    "preparing", "starting", "started", "ready", "failed", "waiting", "gone"
]  # fmt: skip


def before(seconds: float, state: InstanceState, text: str = "") -> Moment:
    return Moment(NOW - timedelta(seconds=seconds), "i", state, text)


def spans(request: RequestDone, *life: Moment) -> list[tuple[str, float, float]]:
    return [(each.name, each.start, each.end) for each in waterfall(request, life).stages]


def test_a_warm_request_is_the_time_of_the_app() -> None:
    assert spans(done()) == [("app", 0.0, 0.75), ("body", 0.75, 1.0)]


def test_a_request_that_found_all_places_taken_says_so() -> None:
    found = waterfall(done(waited=0.5))
    assert [each.name for each in found.stages] == ["queued", "app", "body"]
    assert found.stages[0].why == "all places at instances were taken"


def test_a_cold_start_has_every_stage_and_says_how_its_program_began() -> None:
    found = waterfall(done(cold=True, waited=0.5, cold_start=start()))
    assert [(each.name, each.end) for each in found.stages] == [
        ("queued", 0.0), ("prepare", 0.125), ("create", 0.25), ("ready", 0.5),
        ("hand over", 0.5), ("app", 0.75), ("body", 1.0),
    ]  # fmt: skip
    assert "started from nothing" in found.stages[2].why


def test_a_thawed_instance_needs_no_preparation() -> None:
    thawed = start(how="thawed", created=0.0, started=0.5)
    names = [name for name, _, _ in spans(done(cold=True, waited=0.5, cold_start=thawed))]
    assert names == ["queued", "thaw", "hand over", "app", "body"]


@pytest.mark.parametrize(
    ("states", "names"),
    [
        ([], ["queued"]),
        (["preparing"], ["queued", "prepare"]),
        (["preparing", "starting"], ["queued", "prepare", "create"]),
        (["preparing", "starting", "started"], ["queued", "prepare", "create", "ready"]),
    ],
)
def test_a_request_that_got_no_instance_shows_how_far_it_came(
    states: list[InstanceState], names: list[str]
) -> None:
    late = done(instance="", cold=True, status=504, why="request timeout", first_byte=0.0)
    life = [before(0.9 - index / 10, state) for index, state in enumerate(states)]
    found = waterfall(late, life)
    assert [each.name for each in found.stages] == names
    assert found.stages[-1].why == "request timeout"
    assert not found.answered


def test_a_second_attempt_counts_and_the_first_is_a_note() -> None:
    late = done(instance="", cold=True, status=503, why="did not start", first_byte=0.0)
    life = [
        before(0.9, "preparing"), before(0.8, "starting"), before(0.7, "started"),
        before(0.6, "failed", "exit code 1"), before(0.5, "preparing"), before(0.4, "starting"),
    ]  # fmt: skip
    found = waterfall(late, life)
    assert [round(each.end, 6) for each in found.stages] == [0.5, 0.6, 1.0]
    assert [note.text for note in found.notes] == ["i failed: exit code 1"]


def test_an_instance_that_was_being_started_before_the_request_came_takes_no_time_from_it() -> None:
    late = done(instance="", cold=True, status=504, why="late", first_byte=0.0)
    found = spans(late, before(9.0, "preparing"), before(8.0, "starting"))
    assert found == [("queued", 0.0, 0.0), ("prepare", 0.0, 0.0), ("create", 0.0, 1.0)]


@pytest.mark.parametrize("over", ["ready", "failed"])
def test_a_start_that_was_over_before_the_request_came_is_not_what_it_waited_for(
    over: InstanceState,
) -> None:
    late = done(instance="", cold=True, status=504, why="late", first_byte=0.0)
    life = [before(9.0, "preparing"), before(8.0, "starting"), before(7.0, over)]
    assert spans(late, *life) == [("queued", 0.0, 1.0)]


def test_a_request_that_waited_in_vain_for_a_place_waited_for_no_start() -> None:
    full = done(instance="", status=504, why="late", first_byte=0.0)
    life = [before(0.9, "preparing"), before(0.8, "starting")]
    assert spans(full, *life) == [("queued", 0.0, 1.0)]


def test_an_answer_that_never_began_is_the_apps_time() -> None:
    cut = waterfall(done(status=502, why="the instance closed the connection", first_byte=0.0))
    assert [(each.name, each.why) for each in cut.stages] == [
        ("app", "the instance closed the connection")
    ]


@given(
    seconds=SECONDS, first_byte=SECONDS, waited=SECONDS, cold=st.booleans(),
    stages=st.none() | st.lists(SECONDS, min_size=6, max_size=6),
    how=st.sampled_from(["", "thawed"]),
    instance=st.sampled_from(["", "i"]),
    life=st.lists(st.tuples(SECONDS, st.sampled_from(STATES)), max_size=8),
)  # fmt: skip
def test_stages_add_up_to_the_total_whatever_the_facts_say(
    *, seconds: float, first_byte: float, waited: float, cold: bool, stages: list[float] | None,
    how: str, instance: str, life: list[tuple[float, InstanceState]],
) -> None:  # fmt: skip
    names = ("queued", "created", "started", "ready", "forwarded", "first_byte")
    told = None if stages is None else start(how=how, **dict(zip(names, stages, strict=True)))
    request = done(
        seconds=seconds, first_byte=first_byte, waited=waited, cold=cold, instance=instance,
        cold_start=told,
    )  # fmt: skip
    moments = [before(ago, state) for ago, state in sorted(life, reverse=True)]
    for found in (waterfall(request, moments).stages, stages_of(request)):
        assert found[0].start == 0.0
        assert found[-1].end == round(seconds, 6)
        assert all(one.end == other.start for one, other in pairwise(found))
        assert all(each.start <= each.end for each in found)
