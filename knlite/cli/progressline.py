"""One line at the foot of a terminal that tells how far the steps under way are.

It is written anew in its place; other lines are printed above it. Where nobody looks, into a file
or a pipe, there is none.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from knlite.cli.render import clean
from knlite.facts import PreparationStep

BAR = 20
"""Characters of the bar."""
_CLEAR = "\r\x1b[K"

Who = tuple[str, str]
"""Namespace, and revision or what else has the code."""


class ProgressLine:
    """The foot of *console*."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._steps: dict[Who, PreparationStep] = {}
        """Those under way, the one that has moved last at the end."""
        self._drawn = False

    def step(self, fact: PreparationStep) -> None:
        """A step has begun, goes on or is over."""
        who = (fact.namespace, fact.revision or fact.service)
        self._steps.pop(who, None)
        if fact.share is not None and fact.share < 1:
            self._steps[who] = fact

    def over(self, who: Who) -> bool:
        """The steps of *who* are over, however they ended; whether any was under way."""
        return self._steps.pop(who, None) is not None

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Give way to what is printed meanwhile, and come back."""
        shown = self._console.is_terminal
        if shown and self._drawn:
            self._write(_CLEAR)
        yield
        if shown and (text := self.text(self._console.width)):
            self._drawn = True
            self._write(text)
        else:
            self._drawn = False

    def text(self, width: int) -> str:
        """The line, in at most *width* columns; empty if nothing is under way."""
        if not self._steps:
            return ""
        last = next(reversed(self._steps.values()))
        done = round((last.share or 0.0) * BAR)
        more = f" (and {len(self._steps) - 1} more)" if len(self._steps) > 1 else ""
        bar = "━" * done + "╌" * (BAR - done)
        return clean(f"{bar} {last.share or 0.0:4.0%}  {last.text}{more}")[: width - 1]

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()
