"""Steps that take time, shown to the person who waits: bars on a terminal, else a line for each.

Everything goes to standard error; what a verb answers is on standard output.
"""

import sys
from types import TracebackType
from typing import TYPE_CHECKING

from knlite.cli.render import clean

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LINE = 500
"""Characters of a step that are shown."""


class Steps:
    """A ``Report``; what is shown of the steps goes away with the context, on a terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._said = ""

    def __enter__(self) -> "Steps":
        if sys.stderr.isatty() and not self._quiet:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

            self._bars = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[done]}"),
                console=Console(stderr=True, highlight=False),
                transient=True,
            )
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.done()

    def done(self) -> None:
        """Nothing more is going on."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
        self._tasks.clear()

    def __call__(self, text: str, share: float | None = None) -> None:
        """Another step, or more of the one with this *text*."""
        text = clean(text.strip())[:LINE]
        if self._bars is None:
            if not self._quiet and text != self._said:
                sys.stderr.write(f"{text}\n")
                sys.stderr.flush()
            self._said = text
            return
        known = self._tasks.get(text)
        if known is None:
            for earlier in self._tasks.values():
                # One after the other: a new one begins when those before have ended.
                self._bars.update(earlier, total=1.0, completed=1.0, done="")
            self._tasks[text] = known = self._bars.add_task(text, total=None, done="")
        if share is not None:
            self._bars.update(known, total=1.0, completed=share, done=f"{share:.0%}")
