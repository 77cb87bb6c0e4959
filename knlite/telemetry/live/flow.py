"""How many requests and events go along each way of the system, a tenth of a second at a time.

Counted only while somebody looks, and then for each request: what a key is made of is remembered.

Not here: which edge of the map shows which key.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from knlite.facts import (
    DeliveryAttempted,
    EgressChanged,
    EventAccepted,
    Fact,
    RequestDone,
    SourceSent,
)
from knlite.kinds.catalog import KINDS
from knlite.telemetry.bus import Bus
from knlite.telemetry.live.deltas import Counts, Delta
from knlite.telemetry.live.hub import Hub

TOPIC = "flow"
_SERVER_ERROR = 500
_REMEMBERED = 4096
_KINDS = {info.kind.lower(): info.kind for info in KINDS}
_SENT_HERE = re.compile(r"(?:(?:reply|dead letter sink) of )?([a-z]+) ([a-z0-9.-]+/[a-z0-9.-]+)")
"""What parts of knlite call themselves; others are told with their address."""


class Flow:
    """A reader of facts that counts while somebody looks."""

    def __init__(self, live: Hub, bus: Bus) -> None:
        self._live = live
        self._bus = bus
        self._counts: dict[str, list[int]] = {}
        self._requests: dict[tuple[str, str], list[int]] = {}
        """Those of each service, as there are more of them than of all else."""
        self._egresses: dict[str, str] = {}
        """The keys of those that there are, by uid."""
        live.topic(TOPIC)
        live.while_watched(TOPIC, self._counting)

    def note(self, fact: Fact) -> None:
        """An egress has come, or has gone; to be told always."""
        if isinstance(fact, EgressChanged):
            if fact.gone:
                self._egresses.pop(fact.egress_uid, None)
            else:
                name = f"{fact.egress_kind}/{fact.egress_namespace}/{fact.egress_name}"
                self._egresses[fact.egress_uid] = f"{name}|in"

    @contextmanager
    def _counting(self) -> Iterator[None]:
        self._counts, self._requests = {}, {}
        bus = self._bus
        with (
            bus.reading(self._request, RequestDone),
            bus.reading(self._accepted, EventAccepted),
            bus.reading(self._attempted, DeliveryAttempted),
            bus.reading(self._sent, SourceSent),
        ):
            yield

    def _request(self, fact: Fact) -> None:
        if type(fact) is RequestDone:
            key = (fact.namespace, fact.service)
            found = self._requests.get(key)
            if found is None:
                self._begin()
                self._requests[key] = found = [0, 0]
            found[0] += 1
            if fact.status >= _SERVER_ERROR:
                found[1] += 1

    def _accepted(self, fact: Fact) -> None:
        if type(fact) is EventAccepted and not fact.again:
            self._count(_entrance(fact.kind, fact.namespace, fact.name, fact.sender), False)
            for uid in fact.readers:
                key = self._egresses.get(uid)
                if key is not None:
                    self._count(key, False)

    def _attempted(self, fact: Fact) -> None:
        # What waits for its subscriber has not been tried; what was sent by hand has no egress.
        if type(fact) is DeliveryAttempted and fact.egress_namespace and fact.outcome != "waiting":
            failed = fact.outcome in {"retrying", "failed"}
            kind, namespace, name = fact.egress_kind, fact.egress_namespace, fact.egress_name
            self._count(_leg(kind, namespace, name, fact.leg), failed)

    def _sent(self, fact: Fact) -> None:
        if type(fact) is SourceSent:
            key = f"{fact.kind}/{fact.namespace}/{fact.name}|sends"
            self._count(key, fact.outcome == "failed")

    def _count(self, key: str, failed: bool) -> None:
        counts = self._counts
        found = counts.get(key)
        if found is None:
            self._begin()
            counts[key] = [1, int(failed)]
        else:
            found[0] += 1
            found[1] += failed

    def _begin(self) -> None:
        """There is something to tell."""
        if not self._counts and not self._requests:
            self._live.later(TOPIC, self._gathered)

    def _gathered(self) -> Delta:
        counts, self._counts = self._counts, {}
        requests, self._requests = self._requests, {}
        for (namespace, service), counted in requests.items():
            counts[f"Service/{namespace}/{service}|requests"] = counted
        return Counts(counts)


@lru_cache(_REMEMBERED)
def _leg(kind: str, namespace: str, name: str, leg: str) -> str:
    return f"{kind}/{namespace}/{name}|{leg}"


@lru_cache(_REMEMBERED)
def _entrance(kind: str, namespace: str, name: str, sender: str) -> str:
    """By whom it came in: an object here, or anybody else."""
    own = _SENT_HERE.fullmatch(sender)
    by = _KINDS.get(own[1], "") if own else ""
    return f"{kind}/{namespace}/{name}|in:" + (f"{by}/{own[2]}" if own and by else "")
