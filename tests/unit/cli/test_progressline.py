"""A step's progress is one line that is written anew, on a terminal only."""

from datetime import UTC, datetime
from io import StringIO
from typing import cast

from rich.console import Console

from knlite.cli.output import Output
from knlite.cli.progressline import ProgressLine
from knlite.cli.screen import Screen
from knlite.facts import PreparationStep, ReadyChanged

AT = datetime(2026, 1, 2, tzinfo=UTC)
CLEAR = "\r\x1b[K"


def step(
    share: float | None, text: str = "pulling web", revision: str = "web-1"
) -> PreparationStep:
    return PreparationStep(
        at=AT, namespace="shop", service="web", revision=revision, text=text, share=share
    )


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_line_gives_way_to_others_and_comes_back() -> None:
    output = Terminal()
    screen = Screen(cast("Output", output))
    screen.fact(step(None))
    screen.fact(step(0.25))
    assert output.getvalue().endswith(" 25%  pulling web")
    screen.notice("something else")
    written = output.getvalue().rpartition("pulling web")[0]
    assert f"{CLEAR}" in written.partition(" 25%")[2]
    assert output.getvalue().endswith(" 25%  pulling web")
    screen.fact(step(1.0))
    assert output.getvalue().endswith(CLEAR)


def test_a_step_ends_with_what_comes_after_it_or_when_it_fails() -> None:
    output = Terminal()
    screen = Screen(cast("Output", output))
    screen.fact(step(0.5))
    failed = ReadyChanged(
        at=AT, kind="Revision", namespace="shop", name="web-1", status="False",
        reason="BuildFailed", message="no",
    )  # fmt: skip
    screen.fact(failed)
    assert output.getvalue().endswith(CLEAR)


def test_in_a_file_each_step_is_one_line() -> None:
    output = StringIO()
    screen = Screen(cast("Output", output))
    for each in (None, 0.2, 0.4, 1.0):
        screen.fact(step(each))
    assert output.getvalue().count("\n") == 1
    assert "pulling web" in output.getvalue()
    assert "%" not in output.getvalue()


def test_the_step_that_has_moved_last_is_shown_in_the_columns_there_are() -> None:
    line = ProgressLine(Console(file=StringIO()))
    line.step(step(0.5, "installing 3 packages"))
    line.step(step(0.1, "pulling b\x1b[31m" * 10, revision="b"))
    text = line.text(60)
    assert len(text) == 59
    assert "\x1b" not in text
    assert " 10%  pulling b" in text
    line.step(step(None, "building", revision="b"))
    assert "installing 3 packages" in line.text(200)
