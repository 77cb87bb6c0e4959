"""Facts of events as a run tells them, with as little to say as a test needs."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.topology import ResourceKey
from knlite.facts import DeliveryAttempted, EgressChanged, EventAccepted
from knlite.telemetry.resending import Headers

BROKER = "uid-of-broker"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(arrival: int) -> datetime:
    return _EPOCH + timedelta(microseconds=arrival)


def accepted(arrival: int = 1000, readers: Sequence[str] = ("a",), **other: Any) -> Any:
    attributes = {"specversion": "1.0", "id": "e", "source": "/s", "type": "t"}
    fields: dict[str, Any] = {
        "at": at(arrival),
        "kind": "Broker",
        "namespace": "ns",
        "name": "b",
        "resource_uid": BROKER,
        "arrival": arrival,
        "content_type": None,
        "data": None,
        "ttl": 255,
        "headers": (),
        "sender": "127.0.0.1:5 curl/8",
        "engine": "memory",
        "readers": tuple(readers),
    }
    named = {name: other.pop(name) for name in ("id", "source", "type") if name in other}
    return EventAccepted(**{**fields, "attributes": {**attributes, **named}, **other})


def attempted(
    arrival: int = 1000, egress: str = "a", outcome: str = "delivered", **other: Any
) -> Any:
    fields: dict[str, Any] = {
        "at": at(arrival + 10),
        "kind": "Broker",
        "namespace": "ns",
        "name": "b",
        "egress_kind": "Trigger",
        "egress_namespace": "ns",
        "egress_name": egress,
        "egress_uid": egress,
        "arrival": arrival,
        "event_id": "e",
        "event_type": "t",
        "leg": "subscriber",
        "target": "http://sub/",
        "attempt": 1,
        "status": 200 if outcome == "delivered" else 500,
        "outcome": outcome,
        "ended": outcome not in {"retrying", "waiting"},
    }
    return DeliveryAttempted(**{**fields, **other})


def egress(name: str = "a", since: int = 0, *, gone: bool = False, **wanted: str) -> EgressChanged:
    """A trigger that wants events with these attributes."""
    spec = {"filter": {"attributes": wanted}} if wanted else {}
    return EgressChanged(
        at=at(since),
        since=since,
        kind="Broker",
        namespace="ns",
        name="b",
        resource_uid=BROKER,
        egress_kind="Trigger",
        egress_namespace="ns",
        egress_name=name,
        egress_uid=name,
        filter_spec=json.dumps(spec),
        gone=gone,
    )


class Taken:
    """What a broker says."""

    def __init__(self, arrival: int = 0, status: int = 202, body: bytes = b"") -> None:
        self.arrival = arrival
        self.status = status
        self.body = body


class Entrance:
    """The way in to one broker; what has come in."""

    def __init__(self) -> None:
        self.came: list[tuple[ResourceKey, CloudEvent, frozenset[str], int]] = []
        self.answer = Taken(7000)
        self.keys: tuple[ResourceKey, ...] = (ResourceKey("Broker", "ns", "b"),)

    def resources(self) -> Sequence[ResourceKey]:
        return self.keys

    async def accept(
        self,
        key: ResourceKey,
        event: CloudEvent,
        ttl: int,
        headers: tuple[tuple[str, str], ...],
        sender: str,
        *,
        only: frozenset[str] = frozenset(),
        replay_of: int = 0,
    ) -> Taken:
        self.came.append((key, event, only, replay_of))
        return self.answer


class Posts:
    """The rest of the world; what it has got."""

    def __init__(self, status: int = 202) -> None:
        self.status = status
        self.got: list[tuple[str, Mapping[str, str], bytes]] = []

    async def __call__(
        self,
        url: str,
        headers: Headers,
        body: bytes,
        timeout: float,  # noqa: ASYNC109  as Post has it
    ) -> tuple[int, bytes, str]:
        self.got.append((url, dict(headers), body))
        return self.status, b"", "" if self.status else "nobody is there"
