"""Takes events into brokers and channels: checks them, keeps them, and only then says 202.

Source: Eventing data plane reference §1.1 (order of decisions), §1.2 (time to live).
Differs: upstream answers when all triggers are done; here 202 means that the event is kept, and the
annotation ``messaging.knative.dev/async-handler`` changes nothing. Answers that refuse say why in
their body, which upstream leaves empty. A log that is full answers 503.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from knlite.clock import Clock
from knlite.dataplane.bearer import NO_TOKENS, Tokens, denied
from knlite.dataplane.eventhosts import Answer, Handler
from knlite.errors import InvalidInput, Overloaded
from knlite.eventing import trace
from knlite.eventing.channels import CHANNEL_ENDING, channel_host
from knlite.eventing.cloudevent import CloudEvent, Malformed
from knlite.eventing.extensions import arrived, arriving_ttl
from knlite.eventing.headers import passing
from knlite.eventing.httpcodec import decode
from knlite.eventing.topology import Resource, ResourceKey, Topology
from knlite.eventlog.port import Engine, EventLog, Record
from knlite.facts import EventAccepted, EventRefused, Publish
from knlite.kinds.names import MAX_LABEL

RETRY_AFTER = "1"
"""Seconds that a sender is asked to wait when a log is full."""

_STAND_IN = "memory"
"""The engine for resources whose own is not there."""
_ALLOW = ("Allow", "POST, OPTIONS")
_TEXT = ("Content-Type", "text/plain; charset=utf-8")
_WEBHOOK = (_ALLOW, ("WebHook-Allowed-Origin", "*"), ("WebHook-Allowed-Rate", "*"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Open:
    """A resource that takes events."""

    resource: Resource
    log: EventLog


class EventIngress:
    """The way in for events, of all brokers and channels."""

    def __init__(
        self,
        clock: Clock,
        publish: Publish,
        engines: Mapping[str, Engine],
        draw: random.Random | None = None,
        after: int = 0,
        tokens: Tokens = NO_TOKENS,
    ) -> None:
        """*engines* by the names that ``Resource.engine`` gives them; arrivals are above *after*.

        The one called ``memory`` stands in for those that are not there. *tokens* are asked while
        resources have guards.
        """
        self._tokens = tokens
        self._clock = clock
        self._publish = publish
        self._engines = engines
        self._bits = (draw or random.Random()).getrandbits
        self._open: dict[ResourceKey, _Open] = {}
        self._catch_up: Callable[[], None] = _nothing
        self.last_arrival = max((after, *(engine.newest for engine in engines.values())))
        """Of the newest event that was taken."""

    def ask_first(self, catch_up: Callable[[], None]) -> None:
        """Call *catch_up* before an event is looked at; it says at once what has changed lately.

        Who has seen that a Broker or a Trigger is ready may send to it in the same moment.
        """
        self._catch_up = catch_up

    def topology_changed(self, topology: Topology) -> None:
        """These are the resources now; one that was replaced begins with an empty log."""
        for key, known in tuple(self._open.items()):
            wanted = topology.resources.get(key)
            if wanted is None or wanted.uid != known.resource.uid:
                del self._open[key]
                self._engine(known.resource).forget(known.resource.uid)
        for key, resource in topology.resources.items():
            opened = self._open.get(key)
            if opened is None:
                readers = [egress.uid for egress in resource.egresses]
                log = self._engine(resource).log(resource, readers)
            else:
                log = opened.log
            self._open[key] = _Open(resource, log)

    def resources(self) -> tuple[ResourceKey, ...]:
        """All that take events now."""
        return tuple(self._open)

    def log_of(self, key: ResourceKey) -> EventLog:
        """The log of a resource that there is."""
        return self._open[key].log

    async def to_broker(
        self,
        namespace: str,
        broker: str,
        method: str,
        path: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        client: str = "",
    ) -> Answer:
        """Answer a request to a broker, which its *path* named."""
        if method == "OPTIONS":
            return Answer(200, _WEBHOOK)
        name = broker.removesuffix("/")
        key = ResourceKey("Broker", namespace, name)
        sender = _sender(client, headers)
        if method != "POST":
            return self._refuse(key, 405, "events are sent with POST", sender)
        if not namespace and not name:
            return self._refuse(key, 404, "the path names no broker", sender)
        if not namespace or not name or "/" in name:
            return self._refuse(key, 400, "the path must be /NAMESPACE/BROKER", sender)
        event = decode(headers, body)
        if isinstance(event, Malformed):
            return self._refuse(key, 400, f"not a CloudEvent: {event.why}", sender)
        self._catch_up()
        found = self._open.get(key)
        if found is None:
            why = f"there is no broker {namespace}/{name}"
            return self._refuse(key, 404, why, sender, event)
        if found.resource.guard is not None:
            no = denied(found.resource.guard, headers, event, self._tokens)
            if no is not None:
                return self._refuse(key, no.status, no.why, sender, event)
        travelling = (*passing(headers), *trace.begun(headers, self._bits))
        return await self.accept(key, event, arriving_ttl(event), travelling, sender)

    def channel_at(self, namespace: str, channel: str) -> Handler:
        """Who answers at a channel's own host, which holds a hash in place of a long name."""
        self._catch_up()
        key = ResourceKey("InMemoryChannel", namespace, channel)
        if key not in self._open and len(channel) + len(CHANNEL_ENDING) >= MAX_LABEL:
            host = channel_host(namespace, channel)
            known = (each for each, it in self._open.items() if host in it.resource.hosts)
            key = next(known, key)
        return partial(self._to_channel, key)

    async def to_channels(
        self, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes, client: str
    ) -> Answer:
        """Answer a request to the host of all channels, where the path names one."""
        namespace, _, name = path.partition("?")[0].strip("/").partition("/")
        key = ResourceKey("InMemoryChannel", namespace, name)
        if not namespace or not name or "/" in name:
            why = "the path must be /NAMESPACE/CHANNEL"
            return self._refuse(key, 400, why, _sender(client, headers), allow=False)
        return await self._to_channel(key, method, "/", headers, body, client)

    async def _to_channel(
        self,
        key: ResourceKey,
        method: str,
        path: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        client: str,
    ) -> Answer:
        sender = _sender(client, headers)
        if path.partition("?")[0].strip("/"):
            # Upstream takes such a path for the name of a channel.
            why = f"{path} is no address of channel {key.namespace}/{key.name}, / is"
            return self._refuse(key, 500, why, sender, allow=False)
        self._catch_up()
        if key not in self._open:
            # Upstream looks for the channel by its host before anything else, hence no 404.
            why = f"there is no channel {key.namespace}/{key.name}"
            return self._refuse(key, 500, why, sender, allow=False)
        if method == "OPTIONS":
            return Answer(200, _WEBHOOK)
        if method != "POST":
            return self._refuse(key, 405, "events are sent with POST", sender)
        event = decode(headers, body)
        if isinstance(event, Malformed):
            return self._refuse(key, 400, f"not a CloudEvent: {event.why}", sender)
        guard = self._open[key].resource.guard
        if guard is not None:
            no = denied(guard, headers, event, self._tokens)
            if no is not None:
                return self._refuse(key, no.status, no.why, sender, event)
        travelling = (*passing(headers), *trace.begun(headers, self._bits))
        return await self.accept(key, event, 0, travelling, sender)

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
        subject: str | None = None,
    ) -> Answer:
        """Keep *event*, which may pass a broker *ttl* times from here on.

        *headers* travel with it; *only* and *replay_of* are as in ``Record``. *subject* is in whose
        name it is sent; None: somebody's who may do everything, or has been asked already.
        """
        self._catch_up()
        found = self._open.get(key)
        broker = key.kind == "Broker"
        if broker and ttl <= 0:
            why = f"event {event.id} has no time to live left"
            return self._refuse(key, 400, why, sender, event)
        if found is None:
            what = "broker" if broker else "channel"
            why = f"there is no {what} {key.namespace}/{key.name}"
            return self._refuse(key, 404, why, sender, event)
        guard = found.resource.guard
        if guard is not None and subject is not None:
            why = guard.denial(subject, event)
            if why:
                return self._refuse(key, 403, why, sender, event)
        if not headers or headers[-1][0] != trace.TRACEPARENT:
            headers = (*headers, *trace.begun(headers, self._bits))
        resource = found.resource
        now = self._clock.wall()
        arrival = self._arrival(now)
        if broker:
            event = arrived(event, now)
        record = Record(event, ttl, headers, arrival, only, replay_of)
        try:
            readers = await found.log.append(record)
        except Overloaded as exc:
            answer = self._refuse(key, 503, str(exc), sender, event)
            return Answer(503, (*answer.headers, ("Retry-After", RETRY_AFTER)), answer.body)
        except InvalidInput as exc:
            return self._refuse(key, 413, str(exc), sender, event)
        self._tell(resource, record, now, sender, readers)
        return Answer(202, (_ALLOW,), b"", arrival)

    def tell_again(self, resource: Resource, reader: str, record: Record) -> None:
        """An earlier run has taken *record*; a crash may have cut off what was told of that."""
        at = _EPOCH + timedelta(microseconds=record.arrival)
        self._tell(resource, record, at, "", (reader,), again=True)

    def _tell(
        self,
        resource: Resource,
        record: Record,
        at: datetime,
        sender: str,
        readers: tuple[str, ...] | None,
        *,
        again: bool = False,
    ) -> None:
        event = record.event
        self._publish(
            EventAccepted(
                at,
                resource.kind,
                resource.namespace,
                resource.name,
                resource.uid,
                record.arrival,
                event.attributes,
                event.content_type,
                event.data,
                record.ttl,
                record.headers,
                sender,
                record.replay_of,
                tuple(record.only),
                resource.engine if resource.engine in self._engines else _STAND_IN,
                readers,
                again,
            )
        )

    def _engine(self, resource: Resource) -> Engine:
        return self._engines.get(resource.engine) or self._engines[_STAND_IN]

    def _arrival(self, now: datetime) -> int:
        """Microseconds since the epoch, above all others, also when the time of day goes back."""
        passed = now - _EPOCH
        micros = (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
        self.last_arrival = max(micros, self.last_arrival + 1)
        return self.last_arrival

    def _refuse(
        self,
        key: ResourceKey,
        status: int,
        why: str,
        sender: str,
        event: CloudEvent | None = None,
        *,
        allow: bool = True,
    ) -> Answer:
        self._publish(
            EventRefused(
                at=self._clock.wall(),
                kind=key.kind,
                namespace=key.namespace,
                name=key.name,
                status=status,
                why=why,
                sender=sender,
                event_id=event.id if event is not None else "",
            )
        )
        return Answer(status, (_ALLOW, _TEXT) if allow else (_TEXT,), f"{why}\n".encode())


def _nothing() -> None:
    """There is nobody who knows better."""


def _sender(client: str, headers: Sequence[tuple[str, str]]) -> str:
    """The address, if it has come from elsewhere, and what the program calls itself."""
    for name, value in headers:
        if len(name) == 10 and name.lower() == "user-agent":
            return f"{client} {value[:100]}" if client else value[:200]
    return client
