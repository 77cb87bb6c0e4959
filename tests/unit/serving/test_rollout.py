"""Shares of a gradual rollout (Knative reference §5.5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.serving.route import TrafficTarget
from knlite.serving.rollout import (
    SECOND,
    ConfigurationRollout,
    RevisionShare,
    Rollout,
    StepParams,
    goal,
    observed_ready,
    read,
    stepped,
    written,
)


def latest(revision: str, percent: int = 100, configuration: str = "web") -> TrafficTarget:
    return TrafficTarget(
        revision_name=revision,
        configuration_name=configuration,
        latest_revision=True,
        percent=percent,
    )


def wanted(revision: str, percent: int = 100, tag: str = "") -> Rollout:
    return goal({tag: [latest(revision, percent)]})


def shares(rollout: Rollout) -> list[tuple[str, int]]:
    (only,) = rollout.configurations
    return [(each.revision_name, each.percent) for each in only.revisions]


def begun(percent: int = 100, at: int = 0) -> Rollout:
    rollout, due = stepped(wanted("b", percent), wanted("a", percent), at)
    assert due == 0
    return rollout


def test_nothing_before_means_nothing_to_roll_from() -> None:
    assert stepped(wanted("a"), None, 0) == (wanted("a"), 0)


def test_a_new_revision_gets_one_percent_and_no_step_until_the_ingress_is_ready() -> None:
    rollout = begun(at=7)
    assert shares(rollout) == [("a", 99), ("b", 1)]
    assert rollout.configurations[0].step_params == StepParams(starttime=7)
    assert not rollout.done
    assert stepped(wanted("b"), rollout, 100 * SECOND) == (rollout, 0)


@pytest.mark.parametrize(
    ("took", "duration", "percent", "size", "step"),
    [
        pytest.param(0, 60, 100, 2, 1.0, id="at once: a step each second"),
        pytest.param(10, 60, 100, 20, 10.0, id="ten seconds: five steps"),
        pytest.param(25, 60, 100, 71, 25.0, id="1.4 steps are not rounded"),
        pytest.param(90, 60, 100, 99, 1.0, id="longer than all of it: one step"),
        pytest.param(1, 1000, 100, 1, 999 / 99, id="no step is below one percent"),
        pytest.param(1, 60, 3, 1, 29.5, id="a small share has few steps"),
    ],
)
def test_the_steps(took: int, duration: float, percent: int, size: int, step: float) -> None:
    now = took * SECOND
    start = begun(percent, at=1)
    (only,) = observed_ready(start, now + 1, duration).configurations
    assert only.step_params.step_size == size
    assert only.step_params.step_duration == pytest.approx(step * SECOND)
    assert only.step_params.next_step_time == now + 1 + only.step_params.step_duration


def test_a_step_is_taken_when_it_is_due_and_not_before() -> None:
    ready = observed_ready(begun(at=1), 10 * SECOND, 60)
    due = ready.configurations[0].step_params.next_step_time
    assert stepped(wanted("b"), ready, due - 1) == (ready, due)
    after, next_due = stepped(wanted("b"), ready, due)
    assert shares(after) == [("a", 79), ("b", 21)]
    assert next_due == due + 10 * SECOND


def test_a_newer_revision_takes_from_the_newest_and_begins_anew() -> None:
    before = Rollout(
        configurations=(
            ConfigurationRollout(
                configuration_name="web",
                percent=100,
                revisions=(
                    RevisionShare(revision_name="a", percent=60),
                    RevisionShare(revision_name="b", percent=40),
                ),
                step_params=StepParams(starttime=1, next_step_time=9, step_duration=3, step_size=5),
            ),
        )
    )
    rollout, due = stepped(wanted("c"), before, 5)
    assert shares(rollout) == [("a", 60), ("b", 39), ("c", 1)]
    assert rollout.configurations[0].step_params == StepParams(starttime=5)
    assert due == 0
    # The newest before it is drained first.
    ready = observed_ready(rollout, 5 + 45 * SECOND, 90)
    size = ready.configurations[0].step_params.step_size
    assert size == 99
    done, due = stepped(wanted("c"), ready, 5 + 200 * SECOND)
    assert (shares(done), due, done.done) == ([("c", 100)], 0, True)


def test_raised_shares_go_to_the_newest_and_lowered_ones_are_cut_from_the_oldest() -> None:
    rollout = begun(50)
    raised, _ = stepped(wanted("b", 60), rollout, 5)
    assert shares(raised) == [("a", 49), ("b", 11)]
    lowered, _ = stepped(wanted("b", 20), raised, 5)
    assert shares(lowered) == [("a", 9), ("b", 11)]
    least, _ = stepped(wanted("b", 2), lowered, 5)
    assert shares(least) == [("b", 2)]


def test_one_percent_and_new_tags_are_switched_at_once() -> None:
    assert stepped(wanted("b", 1), wanted("a", 1), 5) == (wanted("b", 1), 0)
    assert stepped(wanted("b", 100, "new"), wanted("a"), 5) == (wanted("b", 100, "new"), 0)


def test_pinned_targets_and_those_without_a_share_take_no_part() -> None:
    pinned = TrafficTarget(revision_name="a", latest_revision=False, percent=100)
    assert goal({"": [pinned, latest("b", 0)]}) == Rollout()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"configurations": [{"configurationName": "web", "percent": 101}]}',
        '{"configurations": [{"configurationName": "web", "percent": 5, "revisions": []}]}',
        '{"configurations": [{"configurationName": "web", "percent": 0,'
        ' "stepParams": {"stepSize": 1}}]}',
        '{"configurations": [{"configurationName": "web", "percent": 1, "revisions":'
        ' [{"revisionName": "a", "percent": 2}, {"revisionName": "b", "percent": -1}]}]}',
    ],
)
def test_what_cannot_be_is_forgotten(text: str) -> None:
    assert read(text) is None


@given(st.text())
def test_no_text_raises(text: str) -> None:
    read(text)


names = st.sampled_from("abcdef")


@given(
    st.lists(st.tuples(names, st.integers(1, 100), st.integers(0, 40), st.booleans()), max_size=30),
    st.integers(1, 300),
)
def test_shares_sum_to_the_whole_throughout_and_a_rollout_comes_to_its_end(
    moves: list[tuple[str, int, int, bool]], duration: int
) -> None:
    now, rollout, target = SECOND, wanted("a"), wanted("a")
    for revision, percent, seconds, ready in moves:
        now += seconds * SECOND
        if ready:
            rollout = observed_ready(rollout, now, duration)
        target = wanted(revision, percent)
        rollout, due = stepped(target, rollout, now)
        kept = read(written(rollout))
        assert kept == rollout
        assert sum(share for _, share in shares(rollout)) == percent
        assert shares(rollout)[-1][0] == revision
        assert all(share > 0 for _, share in shares(rollout))
        assert due == 0 or due > now
    rollout = observed_ready(rollout, now, duration)
    began = now
    for _ in range(101):
        rollout, due = stepped(target, rollout, now)
        if not due:
            break
        now = due
    assert rollout == target
    longest = duration + 42
    assert now - began <= (2 * longest + 2) * SECOND
