"""Why a request got no answer, as values that say what may be done about it.

* ``Refused``: no connection could be made; nothing was sent, so it may be sent elsewhere.
* ``TimedOut``: nothing happened for too long.
* ``Broken``: the connection ended, or what came was not HTTP; the request may have been acted on.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """No connection could be made."""

    why: str


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The connection, or the whole answer, took too long."""

    why: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A connection was there and failed before the answer was complete."""

    why: str


Failure = Refused | TimedOut | Broken
