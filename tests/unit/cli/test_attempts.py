"""The terminal shows once what each attempt to start writes."""

from datetime import UTC, datetime

from rich.text import Text

from knlite.cli.attempts import MOST, Attempts
from knlite.facts import InstanceChanged, InstanceState, LogLine

AT = datetime(2026, 1, 1, tzinfo=UTC)
WHERE = {"at": AT, "namespace": "default", "service": "web", "revision": "web-1"}


class Terminal:
    def __init__(self) -> None:
        self.attempts = Attempts()
        self.shown: list[str] = []

    def becomes(self, state: InstanceState, instance: str = "x") -> None:
        fact = InstanceChanged(**WHERE, instance=instance, state=state)  # type: ignore[arg-type]
        self.shown += [line.plain for line in self.attempts.changed(fact)]

    def writes(self, *texts: str, instance: str = "x") -> None:
        for text in texts:
            fact = LogLine(**WHERE, instance=instance, stream="stderr", text=text)  # type: ignore[arg-type]
            self.shown += [line.plain for line in self.attempts.line(fact, Text(text))]

    def fails(self, *texts: str) -> list[str]:
        """What is shown of an attempt that writes *texts*."""
        self.shown = []
        self.becomes("starting")
        self.writes(*texts)
        self.becomes("failed")
        return self.shown


def test_what_an_attempt_wrote_is_not_shown_again() -> None:
    terminal = Terminal()
    assert terminal.fails("Traceback", "oh") == ["Traceback", "oh"]
    assert terminal.fails("Traceback", "oh") == []
    assert terminal.fails("Traceback", "oh") == []


def test_from_another_line_on_everything_is_shown() -> None:
    terminal = Terminal()
    terminal.fails("Traceback", "oh")
    assert terminal.fails("Traceback", "ah", "oh") == ["Traceback", "ah", "oh"]
    assert terminal.fails("Traceback", "ah", "oh", "uh") == ["Traceback", "ah", "oh", "uh"]


def test_one_that_succeeds_shows_what_it_wrote() -> None:
    terminal = Terminal()
    terminal.fails("connecting", "refused")
    terminal.shown = []
    terminal.becomes("starting")
    terminal.writes("connecting")
    assert terminal.shown == []
    terminal.becomes("ready")
    terminal.writes("refused", "refused")
    assert terminal.shown == ["connecting", "refused", "refused"]


def test_other_instances_are_others() -> None:
    terminal = Terminal()
    terminal.fails("oh")
    terminal.shown = []
    terminal.becomes("starting", "y")
    terminal.writes("oh", instance="y")
    assert terminal.shown == ["oh"]


def test_what_writes_very_much_is_shown_each_time() -> None:
    terminal = Terminal()
    much = [str(number) for number in range(MOST + 1)]
    assert terminal.fails(*much) == much
    assert terminal.fails(*much) == much
