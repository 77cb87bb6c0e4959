"""Stories on the terminal."""

import json

import msgspec
import pytest

from knlite.cli.storylines import Line, print_lines, story_lines
from knlite.eventlog.history import Happened
from knlite.telemetry import xray
from tests.unit.telemetry.eventfacts import accepted, attempted, egress


def texts(lines: list[Line]) -> list[str]:
    return ["".join(part for part, _ in line) for line in lines]


def lines_of(happened: Happened) -> list[Line]:
    story = xray.story(happened, [egress("a", type="t"), egress("b", type="x")], frozenset("ab"))
    return story_lines(json.loads(msgspec.json.encode(story)))


def test_a_story_reads_from_the_sender_to_the_last_attempt() -> None:
    tries = (
        attempted(outcome="retrying", status=503, why="busy", next_in=0.2, seconds=0.004),
        attempted(attempt=2, instance="web-1", seconds=0.001, entered=77, again=True),
    )
    shown = texts(lines_of(Happened(accepted(readers=["a"], replay_of=5), tries)))
    assert shown[0] == "e  type t  source /s"
    assert shown[1].startswith("  came ")
    assert shown[1].endswith(" to Broker ns/b from 127.0.0.1:5 curl/8")
    assert shown[2:4] == [
        "  delivered: 1 of 2 triggers wanted it: 1 received it",
        "  it repeats: knlite explain 5",
    ]
    rest = [line.partition(" #")[2] or line for line in shown[4:]]
    assert rest == [
        "✓ Trigger ns/a  delivered",
        '    type is "t"  [filter.attributes]',
        "1 503 in 4 ms  http://sub/",
        "       busy",
        "       next attempt in 0.2 s",
        "2 200 in 1 ms  http://sub/  (web-1)",
        "       delivered again after a restart",
        "       it went on: knlite explain 77",
        "· Trigger ns/b  not wanted",
        '    type is "t", and "x" is wanted  [filter.attributes[type]]',
    ]


def test_nothing_from_outside_reaches_the_terminal_raw(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nasty = "\x1b]0;owned\x07[red]"
    fact = accepted(readers=["a"], sender=nasty, id=nasty)
    print_lines(lines_of(Happened(fact, (attempted(outcome="failed", why=nasty, instance=nasty),))))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[red]" in shown
