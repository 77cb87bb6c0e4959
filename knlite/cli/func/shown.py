"""What the terminal gets of ``func run``: the function's own lines, and what goes wrong.

Not here: the run (``run.py``).
"""

import json
from collections.abc import Callable

import anyio

from knlite.cli.output import Output
from knlite.cli.progress import Steps
from knlite.cli.render import clean
from knlite.cli.restarts import Restarts
from knlite.errors import KnliteError
from knlite.facts import Fact, InstanceChanged, LogLine, Notice, PreparationStep, ReadyChanged


class Shown:
    """What the terminal gets: the function's own lines, and what goes wrong."""

    def __init__(self, out: Output, err: Output, *, as_json: bool) -> None:
        self._out, self._err = out, err
        self._as_json = as_json
        self.steps = Steps(quiet=as_json)
        self._waiting: Callable[[], None] | None = None
        self._failure = self._failed = ""
        self._ready = False
        self._restarts = Restarts()

    def fact(self, fact: Fact) -> None:
        """Reads all facts of the run."""
        if isinstance(fact, InstanceChanged):
            self._restarts.see(fact)
        match fact:
            case LogLine() if self._restarts.is_repeated(fact):
                pass
            case LogLine():
                # With --json standard output is for the address.
                own = self._out if fact.stream == "stdout" and not self._as_json else self._err
                own.write(f"{fact.text}\n")
            case PreparationStep():
                if self._ready:
                    self.say(fact.text)
                else:
                    self.steps(fact.text, fact.share)
            case InstanceChanged(state="failed"):
                # Tried again and again it fails in the same way; what ends the run is told then.
                if self._ready and fact.why != self._failed:
                    self.say(f"✗ {fact.why}")
                self._failed = fact.why
            case InstanceChanged(state="ready"):
                self._failed = ""
            case Notice() if self._ready or fact.level != "info":
                # Before that it is about the knlite around the function.
                self.say(fact.text)
            case ReadyChanged(kind="Service"):
                self._readiness(fact)
            case _:
                pass

    async def ready(self) -> None:
        """Return once the Service is ready. Raises ``KnliteError`` if it has failed."""
        while not self._ready:
            if self._failure:
                raise KnliteError(f"the function does not run: {self._failed or self._failure}")
            changed_now = anyio.Event()
            self._waiting = changed_now.set
            await changed_now.wait()

    def running(self, host: str, port: int) -> None:
        """Say where it runs."""
        named = f"[{host}]" if ":" in host else host
        if self._as_json:
            told = {"address": f"http://{named}:{port}", "host": host, "port": str(port)}
            self._out.write(json.dumps(told) + "\n")
        else:
            self._err.write(f"Function running on {named}:{port}\n")

    def _readiness(self, fact: ReadyChanged) -> None:
        if fact.status == "True" and not self._ready:
            self._ready = True
            self.steps.done()
        elif fact.status == "False" and not self._ready:
            self._failure = fact.message or fact.reason
        if self._waiting is not None:
            self._waiting()

    def say(self, text: str) -> None:
        """Tell the author."""
        self._err.write("".join(f"{clean(line)}\n" for line in text.splitlines()))
