"""What one request spent its time on, stage by stage, from the facts about it and its instance.

Stages follow each other without a gap: each begins where the one before ends, the first at the
request's arrival, the last ends with its answer. So they add up to its whole time whatever the
facts say; a moment that does not fit (facts are told a little after what they tell of) is moved to
the next one that does.

Not here: what is kept of requests (``recentrequests.py``).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from knlite.facts import InstanceState, RequestDone

StageName = Literal["queued", "prepare", "create", "thaw", "ready", "hand over", "app", "body"]
"""``queued``: until an instance was asked for, or had a free place; ``prepare``: until its code was
there; ``create``: until its program ran; ``ready``: until its readiness probe passed; ``hand
over``: until the instance was given the request; ``app``: until its first byte; ``body``: until its
last."""

DIGITS = 6
"""Moments are told in whole microseconds."""
NOTICED = 0.001
"""Seconds from which on being handed over is worth a reason."""
NOTES = 20
"""As many are told of one request; of more, the last."""


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a request's time, in seconds from its arrival."""

    name: StageName
    start: float
    end: float
    why: str = ""
    """What happened, or what it waited for."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to the revision meanwhile: a step of a build, a crash."""

    at: float
    """Seconds from the request's arrival."""
    text: str


class Waterfall(msgspec.Struct, frozen=True, kw_only=True):
    """All of a request's time."""

    total: float
    answered: bool
    """Whether an instance began to answer; if not, the last stage says how far it came."""
    stages: Sequence[Stage]
    notes: Sequence[Note] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a revision: an instance entered a state, or a step was told."""

    at: datetime
    instance: str = ""
    """Empty for a step of a preparation."""
    state: InstanceState | Literal["step"] = "step"
    text: str = ""


_HOW = {
    "forked": "its process was forked from one that has everything loaded",
    "spawned": "its process was started from nothing",
    "container": "its container was created and started",
    "thawed": "its instance was frozen, and goes on",
}
_UNTIL = {
    "preparing": "its code, its configuration or its place was not there yet",
    "starting": "its program was being started",
    "started": "its readiness probe had not passed yet",
}
_ON_THE_WAY: tuple[tuple[StageName, InstanceState, str], ...] = (
    ("queued", "preparing", "no instance was ready"),
    ("prepare", "starting", ""),
    ("create", "started", ""),
)
"""Stages of a start by the state that ends them."""
_OVER = frozenset(("ready", "failed", "waiting", "gone"))
"""States that an instance is not in any more while it starts."""
_TOLD: dict[str, str] = {
    "failed": "failed",
    "waiting": "waits",
    "restarting": "is started again",
    "unready": "became unready",
}
"""States of instances that are worth a note, in words."""


def stages_of(done: RequestDone) -> tuple[Stage, ...]:
    """The stages of *done* as far as it tells them itself, without what became of instances."""
    return tuple(_contiguous(_marks(done), done.seconds))


def waterfall(done: RequestDone, life: Sequence[Moment] = ()) -> Waterfall:
    """The whole time of *done*; *life* is what is known of its revision, in order of time."""
    arrived = done.at - timedelta(seconds=done.seconds)
    until = [moment for moment in life if moment.at <= done.at]
    in_vain = done.cold and not done.instance
    marks = _as_far_as_it_came(until, arrived, done) if in_vain else []
    return Waterfall(
        total=round(done.seconds, DIGITS),
        answered=bool(done.first_byte),
        stages=tuple(_contiguous(marks or _marks(done), done.seconds)),
        notes=tuple(_notes(until, arrived))[-NOTES:],
    )


@dataclass(frozen=True, slots=True)
class _Mark:
    """The end of a stage."""

    name: StageName
    end: float
    why: str = ""


def _marks(done: RequestDone) -> list[_Mark]:
    if not done.instance:
        return [_Mark("queued", done.seconds, done.why or "it got no instance")]
    answered = done.first_byte
    last = (
        [_Mark("app", answered), _Mark("body", done.seconds, done.why)]
        if answered
        else [_Mark("app", done.seconds, done.why or "no byte of an answer came")]
    )
    cold = done.cold_start
    if cold is None:
        if not done.waited:
            return last
        why = "no instance was ready" if done.cold else "all places at instances were taken"
        return [_Mark("queued", done.waited, why), *last]
    queue = _Mark("queued", cold.queued, "no instance was ready")
    how = _HOW.get(cold.how, "")
    if cold.how == "thawed":
        woken = [_Mark("thaw", cold.ready, how)]
    else:
        woken = [
            _Mark("prepare", cold.created),
            _Mark("create", cold.started, how),
            _Mark("ready", cold.ready, "its program loaded, until its readiness probe passed"),
        ]
    until = max(cold.forwarded, done.waited)
    others = until - cold.ready >= NOTICED
    handed = _Mark("hand over", until, "requests before it took all places" if others else "")
    return [queue, *woken, handed, *last]


def _as_far_as_it_came(life: Sequence[Moment], arrived: datetime, done: RequestDone) -> list[_Mark]:
    """Stages of the start that *done* waited for in vain; empty if there was none."""
    starts = (index for index, each in enumerate(life) if each.state == "preparing")
    begin = max(starts, default=None)
    if begin is None:
        return []
    instance = life[begin].instance
    of_start = [each for each in life[begin:] if each.instance == instance]
    if any(each.state in _OVER and each.at < arrived for each in of_start):
        # Nothing was being started when it came: what it waited for did not begin.
        return []
    reached = {each.state: each.at for each in of_start}
    marks = [
        _Mark(name, (reached[state] - arrived).total_seconds(), why)
        for name, state, why in _ON_THE_WAY
        if state in reached
    ]
    unfinished: tuple[StageName, ...] = ("prepare", "create", "ready")
    stopped_by = done.why or _UNTIL[_ON_THE_WAY[len(marks) - 1][1]]
    return [*marks, _Mark(unfinished[len(marks) - 1], done.seconds, stopped_by)]


def _contiguous(marks: Sequence[_Mark], total: float) -> Iterator[Stage]:
    """*marks* as stages from 0 to *total*; one that would take less than no time takes none."""
    start, total = 0.0, round(total, DIGITS)
    for mark in marks[:-1]:
        end = min(max(round(mark.end, DIGITS), start), total)
        yield Stage(name=mark.name, start=start, end=end, why=mark.why)
        start = end
    yield Stage(name=marks[-1].name, start=start, end=total, why=marks[-1].why)


def _notes(life: Iterable[Moment], arrived: datetime) -> Iterator[Note]:
    for moment in life:
        at = round((moment.at - arrived).total_seconds(), DIGITS)
        if at < 0:
            continue
        if moment.state == "step":
            yield Note(at=at, text=moment.text)
        elif moment.state in _TOLD:
            text = f"{moment.instance} {_TOLD[moment.state]}"
            yield Note(at=at, text=f"{text}: {moment.text}" if moment.text else text)
