"""Knative reference §1.11 and Eventing reference §1.2: how conditions roll up."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.conditions import Condition, ConditionEditor, ConditionSet, find, is_true

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIVING = ConditionSet(("Fed", "Rested"))


def found(editor: ConditionEditor, name: str) -> Condition:
    condition = find(editor.result(), name)
    assert condition is not None
    return condition


def test_begins_unknown() -> None:
    result = LIVING.edit((), NOW).result()
    assert [(c.type, c.status) for c in result] == [
        ("Fed", "Unknown"),
        ("Ready", "Unknown"),
        ("Rested", "Unknown"),
    ]


def test_is_ready_when_all_dependents_are_true() -> None:
    editor = LIVING.edit((), NOW)
    editor.true("Fed")
    assert not editor.is_true()
    editor.true("Rested")
    assert editor.is_true()


def test_false_beats_unknown_and_lends_its_reason_to_ready() -> None:
    editor = LIVING.edit((), NOW)
    editor.unknown("Rested", "Asleep", "still dreaming")
    editor.false("Fed", "Empty", "the fridge is empty")
    ready = find(editor.result())
    assert ready is not None
    assert (ready.status, ready.reason, ready.message) == ("False", "Empty", "the fridge is empty")


def test_the_most_recent_false_wins() -> None:
    editor = LIVING.edit((), NOW)
    editor.false("Fed", "Empty")
    later = LIVING.edit(editor.result(), NOW + timedelta(seconds=5))
    later.false("Rested", "Noise")
    assert found(later, "Ready").reason == "Noise"


def test_the_transition_time_moves_only_with_a_change() -> None:
    first = LIVING.edit((), NOW)
    first.true("Fed")
    later = LIVING.edit(first.result(), NOW + timedelta(hours=1))
    later.true("Fed")
    assert later.result() == first.result()
    later.true("Fed", "Dessert")
    assert found(later, "Fed").last_transition_time == "2026-01-01T01:00:00Z"


def test_a_condition_outside_the_set_is_informational() -> None:
    editor = LIVING.edit((), NOW)
    editor.true("Fed")
    editor.true("Rested")
    editor.false("Dancing", "NoMusic")
    assert editor.is_true()
    assert found(editor, "Dancing").severity == "Info"


def test_a_new_dependent_of_a_ready_object_starts_true() -> None:
    old = (Condition(type="Ready", status="True"), Condition(type="Fed", status="True"))
    assert is_true(LIVING.edit(old, NOW).result(), "Rested")


@given(st.lists(st.tuples(st.sampled_from(LIVING.dependents), st.sampled_from(["t", "f", "u"]))))
def test_ready_is_true_exactly_when_all_are(marks: list[tuple[str, str]]) -> None:
    editor = LIVING.edit((), NOW)
    for name, mark in marks:
        match mark:
            case "t":
                editor.true(name)
            case "f":
                editor.false(name, "No")
            case _:
                editor.unknown(name)
    assert editor.is_true() == all(editor.is_true(name) for name in LIVING.dependents)
