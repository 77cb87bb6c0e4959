"""Facts on the terminal: one line each, and nothing from outside reaches the terminal raw."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from knlite.cli.render import line_of
from knlite.facts import ColdStart, EventAccepted, LogLine, ScaleDecided

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


def shown(fact: LogLine | ScaleDecided | ColdStart) -> str:
    line = line_of(fact)
    assert line is not None
    return line.plain


def test_a_log_line_names_revision_and_instance() -> None:
    assert shown(log_line("hello")).split() == ["default/web-00001/x7k2p", "│", "hello"]


@given(st.text())
def test_no_control_character_of_a_program_reaches_the_terminal(text: str) -> None:
    line = shown(log_line(text))
    assert not any((ord(c) < 32 and c not in "\t\n") or 127 <= ord(c) < 160 for c in line)


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


def test_what_happens_all_the_time_is_not_shown() -> None:
    fact = EventAccepted(
        at=NOW,
        namespace="n",
        broker="b",
        position=1,
        event_id="1",
        event_type="t",
        event_source="s",
    )
    assert line_of(fact) is None
