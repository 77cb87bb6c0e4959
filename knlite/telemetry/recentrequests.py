"""The last requests, the last cold ones, and what became of the instances that they waited for.

Every request passes here, so it is kept as it came and costs a look at a number; a row, its stages
and its texts are made when somebody asks. What is kept is bounded: ``KEPT`` and ``KEPT_COLD``
requests, of whose heads no more is kept than is usual (``keptheads.py``): 30 MB at the very most.

A request's id is its client's, who may use it twice: what tells requests apart is their *number*.
Source: ``docs/adr/0049-requests-and-logs-in-the-console.md``.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from knlite.facts import ColdStart, Fact, InstanceChanged, PreparationStep, RequestDone
from knlite.telemetry.accesslog import record, shown_headers
from knlite.telemetry.keptheads import EVENT_HEADERS, LONGEST, are_heavy, lightened
from knlite.telemetry.waterfall import DIGITS, Moment, Stage, Waterfall, stages_of, waterfall

KEPT = 2000
KEPT_COLD = 500
KEPT_STARTS = 200
"""Of each service."""
KEPT_MOMENTS = 64
"""Of the life of each revision's instances."""
KEPT_NAMES = 1000
"""Services and revisions of which something is kept; those heard of longest ago go first."""
READ = (InstanceChanged, PreparationStep, ColdStart)
"""What it takes note of beside requests."""
WEIGHED = 200
"""Requests whose heads are weighed together."""

K = TypeVar("K")
V = TypeVar("V")


class RequestRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One request in a list."""

    id: str
    """X-Request-Id as the instance got it; made of the number if there was none."""
    number: int
    """How many there had been of this run when it ended, itself among them."""
    at: datetime
    """When it arrived."""
    namespace: str
    service: str
    revision: str
    instance: str
    method: str
    host: str
    path: str
    """With the query."""
    status: int
    """0 if the client left before there was one."""
    seconds: float
    waited: float
    first_byte: float
    cold: bool
    how: str
    """How the instance was started that it waited for."""
    why: str
    """For answers that knlite gave itself: what happened."""
    event: str
    """The id of the CloudEvent that it carried in its headers."""
    stages: Sequence[Stage]


class CarriedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The CloudEvent in a request's headers."""

    id: str
    type: str
    source: str


class RequestStory(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All that is known of one request."""

    request: RequestRow
    waterfall: Waterfall
    event: CarriedEvent | None
    record: dict[str, Any]
    """As the access log has it."""
    headers: dict[str, str]
    """Those that may be shown."""
    same_id: Sequence[RequestRow]
    """Other requests of the same id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestQuery:
    """Which requests; what is empty or None selects all."""

    namespace: str = ""
    service: str = ""
    revision: str = ""
    instance: str = ""
    cold: bool | None = None
    status: str = ""
    """``404``, ``5xx``, ``failed`` (5xx, or no answer)."""
    text: str = ""
    """Somewhere in path, host, method, id, instance or why; upper and lower case are alike."""
    event: str = ""
    """The id of the event that it carried."""
    slower: float = 0.0
    """Seconds that it took at least."""
    limit: int = 200


class RecentRequests:
    """A reader of facts that keeps requests."""

    __slots__ = ("_cold", "_count", "_life", "_ring", "_starts")

    def __init__(self) -> None:
        self._count = 0
        self._ring: deque[RequestDone] = deque(maxlen=KEPT)
        self._cold: deque[tuple[int, RequestDone]] = deque(maxlen=KEPT_COLD)
        self._starts: OrderedDict[tuple[str, str], deque[ColdStart]] = OrderedDict()
        self._life: OrderedDict[tuple[str, str], deque[Moment]] = OrderedDict()

    @property
    def count(self) -> int:
        """How many requests there have been."""
        return self._count

    def read(self, fact: Fact) -> None:
        """Keep *fact*, a request."""
        if type(fact) is RequestDone:
            self._count += 1
            if fact.cold:
                fact = lightened(fact, EVENT_HEADERS)
                self._cold.append((self._count, fact))
            self._ring.append(fact)
            if not self._count % WEIGHED:
                self._weigh()

    def note(self, fact: Fact) -> None:
        """Keep *fact*, one of ``READ``."""
        match fact:
            case ColdStart():
                _kept(self._starts, (fact.namespace, fact.service), KEPT_STARTS).append(fact)
            case InstanceChanged(revision=revision) if revision:
                moment = Moment(fact.at, fact.instance, fact.state, fact.why)
                _kept(self._life, (fact.namespace, revision), KEPT_MOMENTS).append(moment)
            case PreparationStep(revision=revision) if revision:
                life = _kept(self._life, (fact.namespace, revision), KEPT_MOMENTS)
                if not (life and life[-1].text == fact.text):  # One that goes on is told again.
                    life.append(Moment(fact.at, text=fact.text))
            case _:
                pass

    def find(self, query: RequestQuery) -> list[RequestRow]:
        """The last that *query* selects, the newest first."""
        found: list[RequestRow] = []
        for number, done in self._newest_first():
            if len(found) >= query.limit:
                break
            if _selects(query, done):
                found.append(self._row(number, done))
        return found

    def newest(self, limit: int) -> list[RequestRow]:
        """The last *limit*, in the order in which they ended."""
        begin = max(0, len(self._ring) - limit)
        first = self._count - len(self._ring) + 1
        return [
            self._row(first + index, self._ring[index]) for index in range(begin, len(self._ring))
        ]

    def story(self, id_: str, number: int | None = None) -> RequestStory | None:
        """What is known of the last request *id_*, or of the one of that id and *number*."""
        same = [(each, done) for each, done in self._newest_first() if _id(each, done) == id_]
        found = next((pair for pair in same if number in (None, pair[0])), None)
        if found is None:
            return None
        its_number, done = found
        shown = shown_headers(done.headers, EVENT_HEADERS)
        headers = {_text(name): _text(value) for name, value in sorted(shown.items())}
        event = None
        if b"ce-id" in shown:
            event = CarriedEvent(
                id=headers["ce-id"],
                type=headers.get("ce-type", ""),
                source=headers.get("ce-source", ""),
            )
        return RequestStory(
            request=self._row(its_number, done),
            waterfall=waterfall(done, self._life_of(done)),
            event=event,
            record=record(done),
            headers=headers,
            same_id=[self._row(each, other) for each, other in same[:20] if each != its_number],
        )

    def starts(self, namespace: str, service: str) -> Sequence[ColdStart]:
        """The last cold starts of a service; each once, however many requests waited for it."""
        return tuple(self._starts.get((namespace, service), ()))

    def started(self) -> list[tuple[str, str]]:
        """The services that have had a cold start, by namespace and name."""
        return sorted(self._starts)

    def _weigh(self) -> None:
        """See to it that the last heads are no heavier than usual, all in all."""
        ring = self._ring
        last = [ring[-index] for index in range(1, WEIGHED + 1)]
        if are_heavy(last):
            for index, done in enumerate(last, 1):
                ring[-index] = lightened(done, EVENT_HEADERS)

    def _life_of(self, done: RequestDone) -> Sequence[Moment]:
        return tuple(self._life.get((done.namespace, done.revision), ()))

    def _row(self, number: int, done: RequestDone) -> RequestRow:
        # Only one that waited in vain needs to look at what it waited for.
        waited = done.cold and not done.instance
        stages = waterfall(done, self._life_of(done)).stages if waited else stages_of(done)
        return _row(number, done, stages)

    def _newest_first(self) -> Iterator[tuple[int, RequestDone]]:
        number = self._count
        for done in reversed(self._ring):
            yield number, done
            number -= 1
        for its_number, done in reversed(self._cold):
            if its_number <= number:
                yield its_number, done


def _kept(of: "OrderedDict[K, deque[V]]", key: K, length: int) -> "deque[V]":
    found = of.get(key)
    if found is None:
        found = of[key] = deque(maxlen=length)
        if len(of) > KEPT_NAMES:
            of.popitem(last=False)
    of.move_to_end(key)
    return found


def _row(number: int, done: RequestDone, stages: Sequence[Stage]) -> RequestRow:
    return RequestRow(
        id=_id(number, done),
        number=number,
        at=done.at - timedelta(seconds=done.seconds),
        namespace=done.namespace,
        service=done.service,
        revision=done.revision,
        instance=done.instance,
        method=done.method,
        host=_text(done.host),
        path=_text(done.target[:LONGEST]),
        status=done.status,
        seconds=round(done.seconds, DIGITS),
        waited=round(done.waited, DIGITS),
        first_byte=round(done.first_byte, DIGITS),
        cold=done.cold,
        how=done.cold_start.how if done.cold_start is not None else "",
        why=done.why,
        event=_text(_header(done, b"ce-id")),
        stages=stages,
    )


def _id(number: int, done: RequestDone) -> str:
    given = done.request_id or _header(done, b"x-request-id")
    return _text(given) if given else f"knlite-{number}"


def _header(done: RequestDone, wanted: bytes) -> bytes:
    return next((value for name, value in done.headers if name.lower() == wanted), b"")


def _selects(query: RequestQuery, done: RequestDone) -> bool:
    return (
        query.namespace in ("", done.namespace)
        and query.service in ("", done.service)
        and query.revision in ("", done.revision)
        and query.instance in ("", done.instance)
        and query.cold in (None, done.cold)
        and done.seconds >= query.slower
        and (not query.status or _has_status(query.status, done.status))
        and (not query.event or _text(_header(done, b"ce-id")) == query.event)
        and (not query.text or _contains(done, query.text.lower()))
    )


def _has_status(wanted: str, status: int) -> bool:
    if wanted == "failed":
        return status == 0 or status >= 500
    if wanted.endswith("xx"):
        return wanted[:-2] == str(status // 100)
    return wanted == str(status)


def _contains(done: RequestDone, text: str) -> bool:
    places = (done.method, done.why, done.instance)
    raw = (done.target, done.host, done.request_id, _header(done, b"ce-id"))
    return any(text in place.lower() for place in places) or any(
        text in _text(place).lower() for place in raw
    )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
