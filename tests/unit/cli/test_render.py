"""Facts on the terminal: one line each, and nothing from outside reaches the terminal raw."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.cli.output import Output
from knlite.cli.render import line_of
from knlite.cli.screen import JSONLines
from knlite.facts import (
    ColdStart,
    EventAccepted,
    Fact,
    InstanceChanged,
    LogLine,
    RequestDone,
    ScaleDecided,
)
from tests.unit.telemetry.eventfacts import attempted

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def log_line(text: str, stream: str = "stdout") -> LogLine:
    return LogLine(
        at=NOW,
        namespace="default",
        service="web",
        revision="web-00001",
        instance="web-00001-deployment-abc-x7k2p",
        stream="stderr" if stream == "stderr" else "stdout",
        text=text,
    )


def shown(fact: Fact) -> str:
    line = line_of(fact)
    assert line is not None
    return line.plain


def test_a_log_line_names_revision_and_instance() -> None:
    assert shown(log_line("hello")).split() == ["default/web-00001/x7k2p", "│", "hello"]


def test_a_log_line_of_a_request_names_it_in_short() -> None:
    line = replace(log_line("hello"), request="0b9d9db4-6f0ece4c5f")
    assert shown(line).split()[1:] == ["│", "[ce4c5f]", "hello"]


@given(st.text())
def test_no_control_character_of_a_program_reaches_the_terminal(text: str) -> None:
    line = shown(log_line(text))
    assert not any((ord(c) < 32 and c not in "\t\n") or 127 <= ord(c) < 160 for c in line)


def test_a_restart_for_a_probe_says_what_the_probe_said() -> None:
    restart = InstanceChanged(
        at=NOW,
        namespace="default",
        service="web",
        revision="web-00001",
        instance="web-00001-deployment-abc-x7k2p",
        state="restarting",
        why="liveness probe failed: \x1b[31mno such file\nsecond line",
    )
    line = shown(restart)
    assert line.split()[0] == "default/web-00001"
    assert "x7k2p restarting: liveness probe failed: " in line
    assert "\x1b" not in line
    assert "second line" not in line


def test_markup_of_a_program_is_shown_and_not_obeyed() -> None:
    assert "[red]x[/red]" in shown(log_line("[red]x[/red]"))


def test_a_revision_keeps_its_colour() -> None:
    first, second = line_of(log_line("a")), line_of(log_line("b"))
    assert first is not None
    assert second is not None
    assert first.style == second.style


def test_a_scale_event_says_from_to_and_why() -> None:
    fact = ScaleDecided(
        at=NOW, namespace="default", service="web", revision="web-00001", desired=3, was=1, why="x"
    )
    assert "↑ 1 → 3 instances: x" in shown(fact)


def test_a_cold_start_shows_its_stages_in_milliseconds() -> None:
    fact = ColdStart(
        at=NOW, namespace="default", service="web", revision="web-00001", instance="i",
        queued=0.001, started=0.011, ready=0.051, first_byte=0.053,
    )  # fmt: skip
    assert "cold start 53 ms (queue 1, start 10, ready 40, first byte 2)" in shown(fact)


def test_a_thaw_is_shown_as_one() -> None:
    fact = ColdStart(
        at=NOW, namespace="default", service="web", revision="web-00001", instance="i",
        queued=0.0001, started=0.0003, ready=0.0003, first_byte=0.0023, how="thawed",
    )  # fmt: skip
    assert "thawed, answer after 2.3 ms (queue 0.1, thaw 0.2, first byte 2.0)" in shown(fact)


def test_what_happens_all_the_time_is_not_shown() -> None:
    fact = EventAccepted(
        at=NOW,
        kind="Broker",
        namespace="n",
        name="b",
        resource_uid="u",
        arrival=1,
        attributes={"id": "1"},
        content_type=None,
        data=None,
        ttl=255,
        headers=(),
        sender="",
    )
    assert line_of(fact) is None


def request(why: str, status: int) -> RequestDone:
    return RequestDone(
        at=NOW, namespace="default", service="web", revision="web-00001", instance="",
        method="GET", status=status, seconds=0.1, cold=True, why=why, target=b"/a?token=x",
        headers=((b"Authorization", b"SECRET"),),
    )  # fmt: skip


def test_of_requests_only_what_knlite_answered_itself_is_shown() -> None:
    assert "GET /a → 504: activator request timeout" in shown(
        request("activator request timeout", 504)
    )
    assert line_of(request("", 200)) is None
    assert line_of(request("the client left", 0)) is None


def test_the_stream_for_scripts_shows_a_requests_record_and_no_secret(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w+") as file:
        output = Output(file.fileno(), str)
        JSONLines(output).fact(request("x", 503))
        output.close()
        line = (tmp_path / "stream").read_text()
    shown = json.loads(line)
    assert (shown["fact"], shown["revision"], shown["cold"]) == ("RequestDone", "web-00001", True)
    assert shown["httpRequest"]["status"] == 503
    assert "SECRET" not in line


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"outcome": "waiting", "status": 0, "why": "nobody yet"}, "event e waits: nobody yet"),
        (
            {"outcome": "retrying", "status": 503, "why": "busy\nreally", "next_in": 0.2},
            "event e: 503 busy; again in 0.2 s",
        ),
        ({"outcome": "retrying", "next_in": 0.0}, "event e: 500; again at once"),
        (
            {"outcome": "failed", "status": 0, "why": "refused", "ended": False},
            "event e: no answer refused; it goes to the dead letter sink",
        ),
        ({"outcome": "dead-lettered"}, "event e is a dead letter: knlite explain 1000"),
        (
            {"outcome": "failed", "leg": "reply", "why": "no"},
            "event e failed (reply): 500 no; knlite explain 1000",
        ),
    ],
)
def test_what_went_wrong_with_an_event_is_one_line(changes: dict[str, Any], text: str) -> None:
    line = line_of(attempted(**changes))
    assert line is not None
    assert line.plain.partition(" │ ")[2] == text
    assert line.plain.startswith("ns/Trigger a ")


def test_a_delivery_that_went_well_is_not_told() -> None:
    assert line_of(attempted()) is None
