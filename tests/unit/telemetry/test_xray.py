"""Stories: facts in, what a person reads out."""

from typing import Any

import msgspec
import pytest

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventlog.history import KEPT_ATTEMPTS, Happened
from knlite.telemetry import xray
from knlite.telemetry.deadletters import dead_letters
from knlite.telemetry.stories import Story
from tests.unit.telemetry.eventfacts import accepted, attempted, egress

PRESENT = frozenset(("a", "b"))


def told(happened: Happened, *egresses: Any, present: frozenset[str] = PRESENT) -> Story:
    return xray.story(happened, egresses or [egress("a")], present)


@pytest.mark.parametrize(
    ("attempts", "pending", "present", "state"),
    [
        pytest.param([], "a", "a", "delivering", id="nothing yet"),
        pytest.param([attempted(outcome="retrying")], "a", "a", "delivering", id="tried"),
        pytest.param([attempted(outcome="waiting")], "a", "a", "waiting", id="no subscriber"),
        pytest.param(
            [attempted(outcome="waiting", leg="dead letter sink", ended=False)],
            "a",
            "a",
            "delivering",
            id="in the queue of dead letters",
        ),
        pytest.param([attempted()], "", "a", "delivered", id="taken"),
        pytest.param([attempted(ended=False)], "a", "a", "delivering", id="its reply follows"),
        pytest.param([attempted(outcome="failed")], "", "a", "failed", id="given up"),
        pytest.param(
            [attempted(outcome="failed", ended=False), attempted(outcome="dead-lettered")],
            "",
            "a",
            "dead-lettered",
            id="buried",
        ),
        pytest.param([attempted(outcome="retrying")], "", "a", "cut off", id="the run ended"),
        pytest.param([], "", "", "gone", id="deleted"),
    ],
)
def test_the_state_at_one_egress(
    attempts: list[Any], pending: str, present: str, state: str
) -> None:
    happened = Happened(accepted(), tuple(attempts), frozenset(pending))
    story = told(happened, present=frozenset(present))
    assert (story.state, story.rows[0].state) == (state, state)
    assert xray.summary(happened, frozenset(present)).deliveries == {state: 1}


def test_every_trigger_has_a_row_that_says_what_decided() -> None:
    happened = Happened(accepted(readers=["a"], type="order"), (attempted(),))
    story = told(happened, egress("a", type="order"), egress("b", type="bill"), egress("c"))
    rows = {row.name: row for row in story.rows}
    assert (rows["a"].matched, rows["a"].state) == (True, "delivered")
    assert (rows["b"].matched, rows["b"].state) == (False, "unmatched")
    assert rows["b"].why == 'type is "order", and "bill" is wanted'
    assert rows["b"].path == "filter.attributes[type]"
    # What the engine did with it counts; its filter is then explained by having changed.
    assert (rows["c"].matched, rows["c"].why) == (
        False,
        "its filter was being changed when the event arrived",
    )
    assert story.why == "1 of 3 triggers wanted it: 1 received it"


def test_what_still_goes_on_comes_before_what_went_wrong() -> None:
    facts = (attempted(egress="a", outcome="failed"),)
    happened = Happened(accepted(readers=["a", "b"]), facts, frozenset("b"))
    assert told(happened, egress("a"), egress("b")).state == "delivering"


@pytest.mark.parametrize(
    ("egresses", "why"),
    [
        ([egress("a", type="x"), egress("b", type="y")], "none of its 2 triggers wanted it"),
        ([egress("a", type="x")], "no trigger wanted it"),
    ],
)
def test_an_event_that_nobody_wanted(egresses: list[Any], why: str) -> None:
    story = told(Happened(accepted(readers=[])), *egresses)
    assert (story.state, story.why) == ("unmatched", why)


def test_a_broker_without_triggers_says_so() -> None:
    story = xray.story(Happened(accepted(readers=[])), [], PRESENT)
    assert story.why == "the Broker had no trigger"


def test_a_repetition_for_one_says_for_whom() -> None:
    fact = accepted(readers=["a"], only=("a",), replay_of=5)
    story = told(Happened(fact, (attempted(),)), egress("a", type="x"), egress("b"))
    assert [(row.matched, "again" in row.why) for row in story.rows] == [
        (True, True),
        (False, True),
    ]
    assert story.replay_of == 5


def test_what_was_sent_by_hand_has_a_row_but_no_say() -> None:
    by_hand = attempted(egress="r", egress_kind=xray.BY_HAND, outcome="failed")
    story = told(Happened(accepted(), (attempted(), by_hand)))
    assert story.state == "delivered"
    assert [(row.kind, row.state) for row in story.rows] == [
        ("Trigger", "delivered"),
        (xray.BY_HAND, "failed"),
    ]


def test_an_egress_whose_filter_is_not_kept_is_told_all_the_same() -> None:
    story = told(Happened(accepted(readers=["z"]), (attempted(egress="z"),)))
    assert [(row.name, row.state) for row in story.rows] == [("a", "unmatched"), ("z", "delivered")]


def test_a_reply_is_named_and_attempts_that_are_not_kept_are_counted() -> None:
    tries = [attempted(attempt=n, outcome="retrying") for n in range(1, KEPT_ATTEMPTS + 1)]
    last = attempted(attempt=250, entered=77)
    (row,) = told(Happened(accepted(), (*tries, last))).rows
    assert (row.attempts[-1].entered, row.left_out) == (77, 250 - KEPT_ATTEMPTS - 1)


def test_a_story_can_be_written_as_json_with_the_event_in_it() -> None:
    fact = accepted(data=b'{"x": 1}', content_type="application/json")
    document = msgspec.json.decode(msgspec.json.encode(told(Happened(fact, (attempted(),)))))
    assert document["event"]["data"] == {"x": 1}
    assert document["rows"][0]["attempts"][0]["nextIn"] is None


def test_what_would_happen_is_said_without_an_event_in_the_log() -> None:
    event = CloudEvent({"specversion": "1.0", "id": "e", "source": "/s", "type": "t"})
    rows = xray.foretold(event, [egress("a", type="t"), egress("b", type="x")])
    assert [(row.name, row.matched) for row in rows] == [("a", True), ("b", False)]
    assert rows[1].why == 'type is "t", and "x" is wanted'


def test_dead_letters_name_the_failure_of_the_subscriber_and_what_repeats_them() -> None:
    facts = (
        attempted(outcome="retrying", attempt=1, why="busy", status=503),
        attempted(outcome="failed", attempt=2, why="no", status=500, ended=False),
        attempted(outcome="dead-lettered", leg="dead letter sink", target="http://dls/"),
        attempted(egress="b"),
    )
    happened = Happened(accepted(readers=["a", "b"]), facts)
    (letter,) = dead_letters(happened, [], PRESENT)
    assert (letter.status, letter.why, letter.attempts) == (500, "no", 2)
    assert (letter.egress.name, letter.state, letter.sink) == ("a", "dead-lettered", "http://dls/")
    assert (letter.again, letter.is_repeated) == (0, False)

    again = Happened(accepted(2000, readers=["a"], replay_of=1000), (attempted(2000),))
    (letter,) = dead_letters(happened, [again], PRESENT)
    assert (letter.again, letter.again_state, letter.is_repeated) == (2000, "delivered", True)


def test_a_repetition_that_nobody_has_tried_does_not_stand_for_its_dead_letter() -> None:
    happened = Happened(accepted(), (attempted(outcome="failed"),))
    again = Happened(accepted(2000, readers=["a"], replay_of=1000))
    (letter,) = dead_letters(happened, [again], PRESENT)
    assert (letter.again_state, letter.is_repeated) == ("cut off", False)


def test_what_a_sink_has_taken_is_in_its_topic() -> None:
    happened = Happened(accepted(kind="KafkaSink", readers=()))
    story = xray.story(happened, [], PRESENT)
    assert (story.state, story.why) == ("delivered", "it is in the topic")
    assert xray.summary(happened, PRESENT).state == "delivered"


def test_a_source_has_a_sink() -> None:
    happened = Happened(accepted(kind="KafkaSource"), (attempted(),))
    assert told(happened).why == "1 of 1 sinks wanted it: 1 received it"
