"""Sends events because a person says so: new ones, and again those that the log has.

What is sent again says which event it repeats; nothing is sent again by itself.

Source: ``docs/adr/0031-the-event-log.md``.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, get_args

import msgspec

from knlite.errors import InvalidInput, KnliteError, NotFound, Overloaded
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.extensions import arriving_ttl
from knlite.eventing.httpcodec import encode_binary
from knlite.eventing.topology import ResourceKey, ResourceKind
from knlite.eventlog.history import BY_HAND
from knlite.facts import DeliveryAttempted, EgressChanged, EventAccepted, Publish
from knlite.telemetry.deadletters import DeadLetter
from knlite.telemetry.eventquery import Query
from knlite.telemetry.eventrecords import EventRecords
from knlite.telemetry.stories import Place, Row
from knlite.telemetry.xray import event_of

TIMEOUT = 30.0
"""Seconds for what is sent straight to a URL."""

Headers = Sequence[tuple[str, str]]
Post = Callable[[str, Headers, bytes, float], Awaitable[tuple[int, bytes, str]]]
"""POST to a URL within seconds: the status (0: no answer), the body, and why there is no answer."""


class Receipt(Protocol):
    """What a resource says to an event."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...
    @property
    def arrival(self) -> int: ...


class Times(Protocol):
    """What is asked of a clock."""

    def now(self) -> float: ...
    def wall(self) -> datetime: ...


class Entrance(Protocol):
    """Takes events into brokers and channels."""

    def resources(self) -> Sequence[ResourceKey]:
        """The resources there are."""
        ...

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
    ) -> Receipt:
        """Keep *event*, or say why not."""
        ...


class Sent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was done about one event, or would be."""

    id: str
    arrival: int = 0
    """Of the event that there is now; 0 if there is none."""
    replay_of: int = 0
    to: Place | None = None
    egress: Place | None = None
    """The one that alone gets it; None: all whose filter passes."""
    url: str = ""
    """Where it went straight to."""
    status: int = 0
    """0 if nothing answered, or if nothing was sent."""
    why: str = ""
    """Why it was not taken, or left out."""


class Resending:
    """The ways to send."""

    def __init__(
        self,
        records: EventRecords,
        entrance: Entrance,
        post: Post,
        clock: Times,
        publish: Publish,
    ) -> None:
        self._records = records
        self._entrance = entrance
        self._post = post
        self._clock = clock
        self._publish = publish
        self._posts = 0

    async def send(
        self, event: CloudEvent, kind: str, namespace: str, name: str, *, sender: str
    ) -> Sent:
        """Give *event* to a resource; without a *name* to the only one of that *kind*.

        Its story says that it came from *sender*.

        Raises ``InvalidInput``, ``NotFound``, ``Overloaded``.
        """
        key = self._key(kind, namespace, name)
        receipt = await self._entrance.accept(key, event, arriving_ttl(event), (), sender)
        why = receipt.body.decode(errors="replace").strip()
        if receipt.status >= 300:
            raise _refusal(receipt.status, why)
        return Sent(id=event.id, arrival=receipt.arrival, to=_place(key), status=receipt.status)

    def foretell(self, event: CloudEvent, kind: str, namespace: str, name: str) -> list[Row]:
        """Who would get *event* from a resource (without a name: from any), and why.

        Raises ``NotFound``.
        """
        if name and (key := _known_key(kind, namespace, name)) not in self._entrance.resources():
            raise NotFound(f"there is no {key.kind} {key.namespace}/{key.name}")
        return self._records.foretell(event, kind, namespace, name)

    def channel_kind(self, namespace: str, name: str) -> str:
        """Of which kind the channel of that name is; there need not be one."""
        in_kafka = ResourceKey("KafkaChannel", namespace, name)
        in_memory = ResourceKey("InMemoryChannel", namespace, name)
        there = self._entrance.resources()
        return (in_kafka if in_kafka in there and in_memory not in there else in_memory).kind

    async def send_to(self, event: CloudEvent, url: str) -> Sent:
        """POST *event* straight to *url*; no broker, no filter, no log."""
        headers, body = encode_binary(event)
        status, answer, why = await self._post(url, headers, body, TIMEOUT)
        text = why if 200 <= status < 300 else why or answer[:500].decode(errors="replace").strip()
        return Sent(id=event.id, url=url, status=status, why=text)

    async def replay(
        self, query: Query, *, egress: str = "", url: str = "", dry_run: bool = False
    ) -> list[Sent]:
        """Send events again: to all who want them now, to one *egress* (NS/NAME), or to *url*.

        What repeats another event is left out, unless its arrival is asked for. Raises
        ``InvalidInput``, ``NotFound``.
        """
        if egress and url:
            raise InvalidInput("an event is sent again to a trigger or to a URL, not to both")
        found = await self._records.find(query, originals=query.before - query.since > 1)
        if query.id and len(found) > 1:
            arrivals = ", ".join(str(each.accepted.arrival) for each in found[:10])
            raise InvalidInput(
                f'which event "{query.id}"?',
                cause=f"there are {len(found)}, which arrived as {arrivals}",
                fix="give the source, or the arrival",
            )
        if query.id and not found:
            raise NotFound(f'no event "{query.id}" is in the log', fix="see: knlite events")
        if url:
            return [await self._replay_to(each.accepted, url, dry_run=dry_run) for each in found]
        facts = [each.accepted for each in found]
        if egress and facts and not any(self._egress(fact, egress) for fact in facts):
            raise NotFound(
                _lacks(facts[0], egress),
                cause="only what gets events of that one can get this event again",
                fix="see what there is: knlite get trigger, knlite get subscription",
            )
        return [await self._replay(fact, egress, dry_run=dry_run) for fact in facts]

    async def redrive(self, query: Query, *, egress: str = "", dry_run: bool = False) -> list[Sent]:
        """Send dead letters again, each to the one who did not take it; *egress* selects one."""
        letters = await self._records.dead_letters(query)
        if egress:
            namespace, slash, name = egress.rpartition("/")
            letters = [
                each
                for each in letters
                if each.egress.name == name and (not slash or each.egress.namespace == namespace)
            ]
        if query.id and not letters:
            raise NotFound(
                f'no dead letter of event "{query.id}" is in the log',
                fix="see what is there: knlite dead-letters list",
            )
        return [await self._redrive(each, dry_run=dry_run) for each in letters]

    async def _replay(self, fact: EventAccepted, egress: str, *, dry_run: bool) -> Sent:
        only: frozenset[str] = frozenset()
        place = None
        if egress:
            found = self._egress(fact, egress)
            if found is None:
                return Sent(id=_id(fact), replay_of=fact.arrival, why=_lacks(fact, egress))
            place = Place(found.egress_kind, found.egress_namespace, found.egress_name)
            only = frozenset((found.egress_uid,))
        key = _known_key(fact.kind, fact.namespace, fact.name, may_be_source=True)
        sent = Sent(id=_id(fact), replay_of=fact.arrival, to=_place(key), egress=place)
        return sent if dry_run else await self._again(sent, only, "knlite replay")

    async def _redrive(self, letter: DeadLetter, *, dry_run: bool) -> Sent:
        why = ""
        if letter.is_repeated:
            why = f"it has been sent again as {letter.again}, which is {letter.again_state}"
        elif self._records.egress(letter.uid) is None:
            why = f"{letter.egress.kind} {letter.egress.namespace}/{letter.egress.name} is gone"
        if why:
            return Sent(id=letter.id, replay_of=letter.arrival, egress=letter.egress, why=why)
        sent = Sent(id=letter.id, replay_of=letter.arrival, to=letter.to, egress=letter.egress)
        only = frozenset((letter.uid,))
        return sent if dry_run else await self._again(sent, only, "knlite dead-letters redrive")

    async def _again(self, sent: Sent, only: frozenset[str], sender: str) -> Sent:
        """Have the event that *sent* repeats accepted once more."""
        fact = await self._whole(sent.replay_of)
        if fact is None:
            return msgspec.structs.replace(sent, why=_FORGOTTEN)
        receipt = await self._entrance.accept(
            _known_key(fact.kind, fact.namespace, fact.name, may_be_source=True),
            event_of(fact),
            fact.ttl,
            fact.headers,
            sender,
            only=only,
            replay_of=fact.arrival,
        )
        return msgspec.structs.replace(
            sent,
            arrival=receipt.arrival,
            status=receipt.status,
            why=receipt.body.decode(errors="replace").strip(),
        )

    async def _replay_to(self, found: EventAccepted, url: str, *, dry_run: bool) -> Sent:
        sent = Sent(id=_id(found), replay_of=found.arrival, url=url)
        if dry_run:
            return sent
        fact = await self._whole(found.arrival)
        if fact is None:
            return msgspec.structs.replace(sent, why=_FORGOTTEN)
        event = event_of(fact)
        began = self._clock.now()
        sent = await self.send_to(event, url)
        taken = 200 <= sent.status < 300
        self._posts += 1
        self._publish(
            DeliveryAttempted(
                at=self._clock.wall(),
                kind=fact.kind,
                namespace=fact.namespace,
                name=fact.name,
                egress_kind=BY_HAND,
                egress_namespace=fact.namespace,
                egress_name="by hand",
                egress_uid=f"{BY_HAND}/{self._posts}/{self._clock.wall().isoformat()}",
                arrival=fact.arrival,
                event_id=event.id,
                event_type=event.type,
                leg="subscriber",
                target=url,
                attempt=1,
                status=sent.status,
                outcome="delivered" if taken else "failed",
                why=sent.why,
                seconds=self._clock.now() - began,
                ended=True,
            )
        )
        return msgspec.structs.replace(sent, replay_of=fact.arrival)

    async def _whole(self, arrival: int) -> EventAccepted | None:
        """An event with its data; one at a time, as together they may be more than memory holds."""
        try:
            return (await self._records.happened(arrival)).accepted
        except NotFound:
            return None

    def _key(self, kind: str, namespace: str, name: str) -> ResourceKey:
        if name:
            return _known_key(kind, namespace, name)
        keys = [key for key in self._entrance.resources() if key.kind == kind]
        if not keys:
            raise NotFound(f"there is no {kind} to send to", fix="apply one, or send with --to URL")
        if len(keys) > 1:
            names = ", ".join(f"{key.namespace}/{key.name}" for key in keys[:10])
            raise InvalidInput(
                f"which {kind}?", cause=f"there are {len(keys)}: {names}", fix="name one"
            )
        return keys[0]

    def _egress(self, fact: EventAccepted, name: str) -> EgressChanged | None:
        """The egress *name* of where the event was, if there is one now."""
        wanted = _egress_name(fact, name)
        for each in self._records.egresses():
            if each.resource_uid == fact.resource_uid and wanted == (
                each.egress_namespace,
                each.egress_name,
            ):
                return each
        return None


def _egress_name(fact: EventAccepted, name: str) -> tuple[str, str]:
    namespace, slash, last = name.rpartition("/")
    return (namespace if slash else fact.namespace, last)


def _lacks(fact: EventAccepted, name: str) -> str:
    return (
        f"{fact.kind} {fact.namespace}/{fact.name} has no trigger or subscription "
        f"{'/'.join(_egress_name(fact, name))}"
    )


_FORGOTTEN = "the log has forgotten it meanwhile"


def _id(fact: EventAccepted) -> str:
    return fact.attributes.get("id", "")


def _place(key: ResourceKey) -> Place:
    return Place(*key)


_KINDS: Mapping[str, ResourceKind] = {kind: kind for kind in get_args(ResourceKind)}
_SOURCES = frozenset(("KafkaSource", "RabbitmqSource"))
"""They get events from a server only, but those may be sent again."""


def _known_key(kind: str, namespace: str, name: str, *, may_be_source: bool = False) -> ResourceKey:
    found = _KINDS.get(kind)
    if found is None or (kind in _SOURCES and not may_be_source):
        raise InvalidInput(f'"{kind}" takes no events', fix="send to a Broker or InMemoryChannel")
    return ResourceKey(found, namespace, name)


def _refusal(status: int, why: str) -> KnliteError:
    families: dict[int, type[KnliteError]] = {404: NotFound, 503: Overloaded}
    family: type[KnliteError] = families.get(status, InvalidInput)
    return family(why)
