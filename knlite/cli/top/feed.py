"""Reads the live feed of a running knlite in a thread, and begins anew when it is cut.

A thread, as the command line's client of HTTP waits for what it reads; one that nobody waits for
at the end, as it may be waiting for the next message.
"""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from knlite.cli.client import Client
from knlite.errors import KnliteError

SILENCE = 40.0
"""Seconds without so much as a comment, of which there is one every fifteen: it is gone."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
"""Seconds until the next attempt."""


@dataclass(frozen=True, slots=True)
class Told:
    """A message of the feed."""

    topic: str
    data: Any


@dataclass(frozen=True, slots=True)
class Begun:
    """The feed begins, for the first time or again."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The feed was cut, or could not be had; it is tried again in *pause* seconds."""

    why: str
    pause: float


News = Told | Begun | Lost


class Feed:
    """The feed of the knlite with an admin port; *tell* is called in the feed's own thread."""

    def __init__(self, port: int, topics: Sequence[str], tell: Callable[[News], None]) -> None:
        self._port = port
        self._topics = ",".join(topics)
        self._tell = tell
        self._over = threading.Event()

    def start(self) -> None:
        """Read from now on."""
        threading.Thread(target=self._run, name="feed", daemon=True).start()

    def stop(self) -> None:
        """Tell nothing any more."""
        self._over.set()

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._over.is_set():
            why = f"the knlite on admin port {self._port} has ended"
            try:
                if self._read():
                    pause = FIRST_PAUSE
            except KnliteError as exc:
                why = exc.what
            if self._over.is_set():
                return
            self._tell(Lost(why, pause))
            self._over.wait(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    def _read(self) -> bool:
        """Whether there was anything."""
        # Made anew each time: a knlite that was started again may have another token.
        messages = Client(self._port).messages("/knlite/live", {"topics": self._topics}, SILENCE)
        begun = False
        for topic, data in messages:
            if self._over.is_set():
                return True
            if not begun:
                begun = True
                self._tell(Begun())
            self._tell(Told(topic, json.loads(data)))
        return begun
