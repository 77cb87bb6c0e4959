"""Takes events into brokers and channels: checks them, keeps them, and only then says 202.

Source: Eventing data plane reference §1.1 (order of decisions), §1.2 (time to live).
Differs: upstream answers when all triggers are done; here 202 means that the event is kept, and the
annotation ``messaging.knative.dev/async-handler`` changes nothing. Answers that refuse say why in
their body, which upstream leaves empty. A log that is full answers 503.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from knlite.clock import Clock
from knlite.dataplane.acceptances import Acceptances, accepted
from knlite.dataplane.bearer import NO_TOKENS, Tokens, denied
from knlite.dataplane.eventhosts import Answer, Handler
from knlite.dataplane.inboxes import Inbox, Inboxes
from knlite.dataplane.tracing import Tracing
from knlite.errors import InvalidInput, Overloaded, Unavailable
from knlite.eventing import trace
from knlite.eventing.channels import CHANNEL_ENDING, CLUSTER_DOMAIN, channel_host
from knlite.eventing.cloudevent import CloudEvent, Malformed
from knlite.eventing.extensions import arrived, arriving_ttl
from knlite.eventing.headers import passing
from knlite.eventing.httpcodec import decode
from knlite.eventing.topology import ResourceKey, Topology
from knlite.eventlog.port import Engine, Record, Taken
from knlite.facts import EventRefused, Publish
from knlite.kinds.names import MAX_LABEL

RETRY_AFTER = "1"
"""Seconds that a sender is asked to wait when a log is full."""

_ALLOW = ("Allow", "POST, OPTIONS")
_TEXT = ("Content-Type", "text/plain; charset=utf-8")
_WEBHOOK = (_ALLOW, ("WebHook-Allowed-Origin", "*"), ("WebHook-Allowed-Rate", "*"))


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
        tracing: Tracing | None = None,
    ) -> None:
        """*engines* by the names that ``Resource.engine`` gives them; arrivals are above *after*.

        The one called ``memory`` stands in for those that are not there. *tokens* are asked while
        resources have guards.
        """
        self._tokens = tokens
        self._clock = clock
        self._publish = publish
        self._inboxes = Inboxes(engines)
        self._bits = (draw or random.Random()).getrandbits
        self._tracing = tracing or Tracing(self._bits)
        newest = max((after, *(engine.newest for engine in engines.values())))
        self._acceptances = Acceptances(clock, publish, self._bits, newest)
        self._catch_up: Callable[[], None] = _nothing

    def ask_first(self, catch_up: Callable[[], None]) -> None:
        """Call *catch_up* before an event is looked at; it says at once what has changed lately.

        Who has seen that a Broker or a Trigger is ready may send to it in the same moment.
        """
        self._catch_up = catch_up

    def topology_changed(self, topology: Topology) -> None:
        """These are the resources now; one that was replaced begins with an empty log."""
        self._inboxes.topology_changed(topology)

    def resources(self) -> tuple[ResourceKey, ...]:
        """All that take events now."""
        return self._inboxes.keys()

    def inbox_of(self, key: ResourceKey) -> Inbox:
        """A resource that there is, and its log."""
        return self._inboxes.of(key)

    def met(self, key: ResourceKey, reader: str, taken: Taken) -> None:
        """The egress *reader* has *taken* an event, which may have come by others."""
        inbox = self._inboxes.get(key)
        if inbox is not None:
            engine = self._inboxes.engine_name(inbox.resource)
            self._acceptances.met(inbox, engine, reader, taken)

    @property
    def last_arrival(self) -> int:
        """Of the newest event that was taken."""
        return self._acceptances.last_arrival

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
        found = self._inboxes.get(key)
        if found is None:
            why = f"there is no broker {namespace}/{name}"
            return self._refuse(key, 404, why, sender, event)
        return await self._admit(found, event, arriving_ttl(event), headers, sender)

    async def receive(
        self,
        key: ResourceKey,
        method: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        client: str = "",
    ) -> Answer:
        """Answer a request to the host of *key*, as the receivers of Kafka and RabbitMQ do."""
        sender = _sender(client, headers)
        if method != "POST":
            return self._refuse(key, 405, "events are sent with POST", sender)
        self._catch_up()
        found = self._inboxes.get(key)
        if found is None:
            what = "broker" if key.kind == "Broker" else key.kind
            why = f"there is no {what} {key.namespace}/{key.name}"
            return self._refuse(key, 404, why, sender)
        event = decode(headers, body)
        if isinstance(event, Malformed):
            return self._refuse(key, 400, f"not a CloudEvent: {event.why}", sender)
        ttl = arriving_ttl(event) if key.kind == "Broker" else 0
        return await self._admit(found, event, ttl, headers, sender)

    def broker_at(self, namespace: str, broker: str, ending: str) -> ResourceKey:
        """Which broker has a host of its own that begins so; a long name is a hash there."""
        key = ResourceKey("Broker", namespace, broker)
        if self._inboxes.get(key) is None and len(broker) + len(ending) >= MAX_LABEL:
            host = f"{broker}{ending}.{namespace}.{CLUSTER_DOMAIN}"
            key = self._inboxes.called(host) or key
        return key

    def channel_at(self, namespace: str, channel: str) -> Handler:
        """Who answers at a channel's own host, which holds a hash in place of a long name."""
        self._catch_up()
        key = ResourceKey("InMemoryChannel", namespace, channel)
        if self._inboxes.get(key) is None:
            in_kafka = ResourceKey("KafkaChannel", namespace, channel)
            if self._inboxes.get(in_kafka) is not None:
                key = in_kafka
            elif len(channel) + len(CHANNEL_ENDING) >= MAX_LABEL:
                key = self._inboxes.called(channel_host(namespace, channel)) or key
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
        found = self._inboxes.get(key)
        if found is None:
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
        return await self._admit(found, event, 0, headers, sender)

    async def _admit(
        self,
        inbox: Inbox,
        event: CloudEvent,
        ttl: int,
        headers: Sequence[tuple[str, str]],
        sender: str,
    ) -> Answer:
        """Keep *event*, if whoever sent it may do so."""
        key, guard = inbox.resource.key, inbox.resource.guard
        if guard is not None:
            no = denied(guard, headers, event, self._tokens)
            if no is not None:
                return self._refuse(key, no.status, no.why, sender, event)
        travelling = (*passing(headers), *self._tracing.begun(headers))
        return await self.accept(key, event, ttl, travelling, sender)

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
        found = self._inboxes.get(key)
        broker = key.kind == "Broker"
        if broker and ttl <= 0:
            why = f"event {event.id} has no time to live left"
            return self._refuse(key, 400, why, sender, event)
        if found is None:
            what = "broker" if broker else "channel" if "Channel" in key.kind else key.kind
            why = f"there is no {what} {key.namespace}/{key.name}"
            return self._refuse(key, 404, why, sender, event)
        guard = found.resource.guard
        if guard is not None and subject is not None:
            why = guard.denial(subject, event)
            if why:
                return self._refuse(key, 403, why, sender, event)
        if not headers or headers[-1][0] != trace.TRACEPARENT:
            headers = (*headers, *self._tracing.begun(headers))
        now = self._clock.wall()
        arrival = self._acceptances.arrival(now)
        if broker and not found.is_remote:
            # The brokers on servers add nothing, as there others read what they write.
            event = arrived(event, now)
        record = Record(event, ttl, headers, arrival, found.readers(only), replay_of)
        engine = self._inboxes.engine_name(found.resource)
        tell = partial(accepted, found, engine, record, now, sender, only=tuple(only))
        if found.is_remote:
            self._acceptances.begin(tell(readers=found.wanting(event, only)))
        try:
            readers = await found.entrance.append(record)
        except Unavailable as exc:
            self._acceptances.doubted(arrival)
            return self._later(key, str(exc), sender, event)
        except Overloaded as exc:
            self._acceptances.refused(arrival)
            return self._later(key, str(exc), sender, event)
        except InvalidInput as exc:
            self._acceptances.refused(arrival)
            return self._refuse(key, 413, str(exc), sender, event)
        except BaseException:
            # Whoever has sent it has gone; the server may keep it all the same.
            self._acceptances.doubted(arrival)
            raise
        if found.is_remote:
            self._acceptances.confirmed(arrival)
        else:
            self._acceptances.tell(tell(readers=readers or ()))
        return Answer(202, (_ALLOW,), b"", arrival)

    def _later(self, key: ResourceKey, why: str, sender: str, event: CloudEvent) -> Answer:
        answer = self._refuse(key, 503, why, sender, event)
        return Answer(503, (*answer.headers, ("Retry-After", RETRY_AFTER)), answer.body)

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
