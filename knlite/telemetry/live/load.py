"""What each revision has to do, every second in which it has something to do.

It is read when the activator has taken its samples, which the autoscaler needs anyway, and when
instances come and go; only of the revisions that this is about, and told only where something is
another than before.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import msgspec
from msgspec.structs import replace

from knlite.clock import Clock
from knlite.facts import Fact, InstanceChanged, PathChanged, RequestDone, ScaleDecided
from knlite.serving.instance import RevisionName
from knlite.serving.levels import RevisionLoad, RevisionScale
from knlite.telemetry.bus import Bus
from knlite.telemetry.live.deltas import Delta, Keyed
from knlite.telemetry.live.hub import Hub

TOPIC = "load"
_SERVER_ERROR = 500
_REASONS = (InstanceChanged, ScaleDecided, PathChanged)
Sampled = Callable[[Iterable[RevisionName]], None]


class Activator(Protocol):
    """Who knows what requests there are."""

    def loads(self) -> Iterator[RevisionLoad]:
        """What each revision has to do now."""
        ...

    def load(self, revision: RevisionName) -> RevisionLoad | None:
        """What *revision* has to do now."""
        ...

    def sampling(self, told: Sampled) -> AbstractContextManager[None]:
        """Have *told* called with the revisions of each round of samples."""
        ...


class Autoscaler(Protocol):
    """Who knows how many instances there are to be."""

    def scales(self) -> Iterator[RevisionScale]:
        """The scale of every revision that there is."""
        ...

    def scale(self, revision: RevisionName) -> RevisionScale | None:
        """The scale of *revision*."""
        ...


class LoadNow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One revision; instances and requests in numbers, averages and targets of *metric*."""

    namespace: str
    service: str
    revision: str
    requests: int = 0
    """Answered since the last message about this revision; *failed* of them with a 5xx."""
    failed: int = 0
    queued: int = 0
    active: int = 0
    concurrency: float = 0.0
    """On average over the last second."""
    metric: str = ""
    """Empty if it is not scaled by its requests."""
    target: float = 0.0
    stable: float = 0.0
    panic_window: float = 0.0
    panic: bool = False
    desired: int = 0
    ready: int = 0
    not_ready: int = 0
    pending: int = 0
    frozen: int = 0
    gone: bool = False
    """There is no such revision any more."""


class Load:
    """Reads levels while somebody looks."""

    def __init__(
        self, live: Hub, bus: Bus, clock: Clock, activator: Activator, autoscaler: Autoscaler
    ) -> None:
        self._live = live
        self._bus = bus
        self._clock = clock
        self._activator = activator
        self._autoscaler = autoscaler
        self._answering: dict[tuple[str, str], list[int]] = {}
        """Requests since the last samples, and how many of them failed; by what makes a
        ``RevisionName``, as making one takes longer than all the rest."""
        self._answered: dict[RevisionName, list[int]] = {}
        """The same before the last samples, until it is told."""
        self._touched: set[RevisionName] = set()
        self._told: dict[RevisionName, LoadNow] = {}
        live.topic(TOPIC, self._snapshot)
        live.while_watched(TOPIC, self._reading)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        self._answering, self._answered, self._touched = {}, {}, set()
        self._told = self._all()
        with (
            self._bus.reading(self._request, RequestDone),
            self._bus.reading(self._changed, *_REASONS),
            self._activator.sampling(self._sampled),
        ):
            yield

    def _request(self, fact: Fact) -> None:
        if type(fact) is RequestDone:
            key = (fact.namespace, fact.revision)
            found = self._answering.get(key)
            if found is None:
                self._answering[key] = found = [0, 0]
            found[0] += 1
            if fact.status >= _SERVER_ERROR:
                found[1] += 1

    def _changed(self, fact: Fact) -> None:
        if isinstance(fact, _REASONS) and fact.revision:
            self._touch((RevisionName(fact.namespace, fact.revision),))

    def _sampled(self, revisions: Iterable[RevisionName]) -> None:
        """A second of each of *revisions* is over."""
        answering, self._answering = self._answering, {}
        names = {RevisionName(*key): counted for key, counted in answering.items()}
        for name, (number, failed) in names.items():
            waiting = self._answered.setdefault(name, [0, 0])
            waiting[0] += number
            waiting[1] += failed
        self._touch({*revisions, *names})

    def _touch(self, revisions: Iterable[RevisionName]) -> None:
        self._touched.update(revisions)
        self._live.later(TOPIC, self._gathered)

    def _gathered(self) -> Delta | None:
        touched, self._touched = self._touched, set()
        answered, self._answered = self._answered, {}
        news: dict[object, object] = {}
        for name in touched:
            number, failed = answered.get(name, (0, 0))
            load, scale = self._activator.load(name), self._autoscaler.scale(name)
            now = _load(name, load, scale, number, failed)
            if number or now != self._told.get(name):
                news[name] = now
            if now.gone:
                self._told.pop(name, None)
            else:
                self._told[name] = now
        if not news:
            return None
        beside = {"at": self._clock.wall()}
        return Keyed("revisions", news, joined=_joined, beside=beside)

    def _snapshot(self) -> object:
        return {"at": self._clock.wall(), "revisions": list(self._all().values()), "whole": True}

    def _all(self) -> dict[RevisionName, LoadNow]:
        loads = {_name(each): each for each in self._activator.loads()}
        scales = {_name(each): each for each in self._autoscaler.scales()}
        names = sorted(loads.keys() | scales.keys())
        return {name: _load(name, loads.get(name), scales.get(name)) for name in names}


def _name(of: RevisionLoad | RevisionScale) -> RevisionName:
    return RevisionName(of.namespace, of.revision)


def _load(
    name: RevisionName,
    load: RevisionLoad | None,
    scale: RevisionScale | None,
    requests: int = 0,
    failed: int = 0,
) -> LoadNow:
    told = load or scale
    service = told.service if told is not None else ""
    now = LoadNow(
        namespace=name.namespace,
        service=service,
        revision=name.name,
        requests=requests,
        failed=failed,
        gone=told is None,
    )
    if load is not None:
        now = replace(
            now,
            queued=load.queued,
            active=load.active,
            concurrency=_rounded(load.concurrency),
        )
    if scale is not None:
        counts = scale.instances
        now = replace(
            now,
            metric=scale.metric,
            target=_rounded(scale.target),
            stable=_rounded(scale.stable),
            panic_window=_rounded(scale.in_panic_window),
            panic=scale.panic,
            desired=scale.requested,
            ready=counts.ready,
            not_ready=counts.not_ready,
            pending=counts.pending,
            frozen=counts.frozen,
        )
    return now


def _joined(older: LoadNow, newer: LoadNow) -> LoadNow:
    """What a slow reader has missed of *older* are its requests."""
    if not older.requests:
        return newer
    requests, failed = older.requests + newer.requests, older.failed + newer.failed
    return replace(newer, requests=requests, failed=failed)


def _rounded(number: float) -> float:
    """An average that has moved by less than anybody sees is not told again."""
    return round(number, 3)
