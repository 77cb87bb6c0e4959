"""``--log-format json``: the lines of the terminal, as objects."""

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any, cast

import pytest

from knlite.cli.jsonlog import JSONLog
from knlite.cli.output import Output
from knlite.facts import (
    DeliveryAttempted,
    EventAccepted,
    Fact,
    InstanceChanged,
    LogLine,
    Notice,
    RequestDone,
    ScaleDecided,
)

AT = datetime(2026, 11, 26, 12, 3, 4, 756751, tzinfo=UTC)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def logged(*facts: Fact) -> list[dict[str, Any]]:
    output = StringIO()
    log = JSONLog(cast("Output", output))
    for fact in facts:
        log.fact(fact)
    return [json.loads(line) for line in output.getvalue().splitlines()]


def attempt(outcome: str, **more: Any) -> DeliveryAttempted:
    fields = {
        "at": AT, "kind": "Broker", "namespace": "default", "name": "default",
        "egress_kind": "Trigger", "egress_namespace": "default", "egress_name": "orders",
        "egress_uid": "u", "arrival": 17, "event_id": "e-1", "event_type": "t",
        "leg": "subscriber", "target": "http://x", "attempt": 1, "status": 503,
        "outcome": outcome, "trace": TRACE,
    }  # fmt: skip
    return DeliveryAttempted(**(fields | more))


def test_a_line_says_when_how_bad_what_of_whom_and_in_which_trace() -> None:
    assert logged(attempt("retrying", why="not yet", next_in=0.2)) == [
        {
            "at": "2026-11-26T12:03:04.756751Z",
            "level": "warning",
            "event": "DeliveryAttempted",
            "object": "Trigger/default/orders",
            "event_id": "e-1",
            "arrival": "17",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            "span_id": "00f067aa0ba902b7",
            "message": "event e-1: 503 not yet; again in 0.2 s",
        }
    ]


def test_what_an_instance_writes_is_a_message_whatever_it_is() -> None:
    text = '{"level":"info"} │ \x1b[31mred\n'
    line = LogLine(
        at=AT, namespace="default", service="hello", revision="hello-00001",
        instance="hello-00001-x", stream="stderr", text=text, request="r-1",
    )  # fmt: skip
    (found,) = logged(line)
    assert "│ �[31mred" in found["message"]
    assert found["message"].endswith("red\n") or found["message"].endswith("red")
    assert (found["stream"], found["request_id"]) == ("stderr", "r-1")
    assert found["object"] == "Revision/default/hello-00001"


@pytest.mark.parametrize(
    ("fact", "level"),
    [
        pytest.param(Notice(at=AT, level="error", text="no"), "error", id="notice"),
        pytest.param(attempt("failed", ended=True), "error", id="an event is lost"),
        pytest.param(
            InstanceChanged(
                at=AT, namespace="n", service="s", revision="r", instance="i", state="failed"
            ),
            "error",
            id="an instance failed",
        ),
        pytest.param(
            ScaleDecided(
                at=AT, namespace="n", service="s", revision="r", desired=1, was=0, why="a request"
            ),
            "info",
            id="scaled",
        ),
    ],
)
def test_how_bad_it_is(fact: Fact, level: str) -> None:
    assert [line["level"] for line in logged(fact)] == [level]


def test_what_a_person_is_not_told_is_not_logged() -> None:
    done = RequestDone(AT, "n", "s", "r", "i", "GET", 200, 0.1, False)
    taken = EventAccepted(
        AT, "Broker", "n", "b", "u", 1, {"id": "1", "type": "t"}, None, b"secret", 255, (), ""
    )
    assert logged(done, taken, attempt("delivered")) == []


def test_what_is_not_known_is_left_out() -> None:
    (found,) = logged(RequestDone(AT, "n", "s", "r", "", "GET", 504, 0.1, True, "too late"))
    assert found["service"] == "s"
    assert not {"instance", "request_id", "trace_id"} & found.keys()


def test_an_id_cannot_tell_a_terminal_what_to_do() -> None:
    output = StringIO()
    JSONLog(cast("Output", output)).fact(attempt("retrying", event_id="a\x9b31m\u202eb"))
    assert not {"\x9b", "\u202e"} & set(output.getvalue())
    assert json.loads(output.getvalue())["event_id"] == "a\x9b31m\u202eb"
