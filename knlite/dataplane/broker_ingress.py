"""Takes events into brokers: checks them, keeps them, and only then says 202.

Source: Eventing data plane reference §1.1 (order of decisions), §1.2 (time to live).
Differs: upstream answers when all triggers are done; here 202 means that the event is kept. Answers
that refuse say why in their body, which upstream leaves empty. A log that is full answers 503.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from knlite.clock import Clock
from knlite.errors import Overloaded
from knlite.eventing.cloudevent import CloudEvent, Malformed
from knlite.eventing.extensions import arrived, arriving_ttl
from knlite.eventing.headers import passing
from knlite.eventing.httpcodec import decode
from knlite.eventing.topology import Topology
from knlite.eventlog.memory import MemoryLog
from knlite.eventlog.port import EventLog, Record
from knlite.facts import EventAccepted, EventRefused, Publish

RETRY_AFTER = "1"
"""Seconds that a sender is asked to wait when a log is full."""

_ALLOW = ("Allow", "POST, OPTIONS")
_TEXT = ("Content-Type", "text/plain; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender gets."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


class BrokerIngress:
    """The way in for events, of all brokers."""

    def __init__(
        self, clock: Clock, publish: Publish, new_log: Callable[[], EventLog] = MemoryLog
    ) -> None:
        self._clock = clock
        self._publish = publish
        self._new_log = new_log
        self._logs: dict[tuple[str, str], tuple[str, EventLog]] = {}

    def topology_changed(self, topology: Topology) -> None:
        """These are the brokers now; one that was replaced begins with an empty log."""
        for key in tuple(self._logs):
            plan = topology.brokers.get(key)
            if plan is None or plan.uid != self._logs[key][0]:
                del self._logs[key]
        for key, plan in topology.brokers.items():
            if key not in self._logs:
                self._logs[key] = (plan.uid, self._new_log())

    def log_of(self, namespace: str, broker: str) -> EventLog | None:
        """The log of a broker, if there is one."""
        found = self._logs.get((namespace, broker))
        return None if found is None else found[1]

    async def receive(
        self,
        namespace: str,
        broker: str,
        method: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
    ) -> Answer:
        """Answer a request to a broker."""
        if method == "OPTIONS":
            webhook = (("WebHook-Allowed-Origin", "*"), ("WebHook-Allowed-Rate", "*"))
            return Answer(200, (_ALLOW, *webhook))
        if method != "POST":
            return self._refuse(namespace, broker, 405, "events are sent with POST")
        name = broker.removesuffix("/")
        if not namespace and not name:
            return self._refuse(namespace, broker, 404, "the path names no broker")
        if not namespace or not name or "/" in name:
            return self._refuse(namespace, broker, 400, "the path must be /NAMESPACE/BROKER")
        event = decode(headers, body)
        if isinstance(event, Malformed):
            return self._refuse(namespace, name, 400, f"not a CloudEvent: {event.why}")
        if (namespace, name) not in self._logs:
            return self._refuse(namespace, name, 404, f"there is no broker {namespace}/{name}")
        return await self.accept(namespace, name, event, arriving_ttl(event), passing(headers))

    async def accept(
        self,
        namespace: str,
        broker: str,
        event: CloudEvent,
        ttl: int,
        headers: tuple[tuple[str, str], ...],
    ) -> Answer:
        """Keep *event*, which may pass a broker *ttl* times from here on."""
        if ttl <= 0:
            return self._refuse(
                namespace, broker, 400, f"event {event.id} has no time to live left"
            )
        log = self.log_of(namespace, broker)
        if log is None:
            return self._refuse(namespace, broker, 404, f"there is no broker {namespace}/{broker}")
        record = Record(arrived(event, self._clock.wall()), ttl, headers)
        try:
            position = await log.append(record)
        except Overloaded as exc:
            answer = self._refuse(namespace, broker, 503, str(exc))
            return Answer(503, (*answer.headers, ("Retry-After", RETRY_AFTER)), answer.body)
        self._publish(
            EventAccepted(
                at=self._clock.wall(),
                namespace=namespace,
                broker=broker,
                position=position,
                event_id=event.id,
                event_type=event.type,
                event_source=event.source,
            )
        )
        return Answer(202, (_ALLOW,))

    def _refuse(self, namespace: str, broker: str, status: int, why: str) -> Answer:
        self._publish(
            EventRefused(
                at=self._clock.wall(), namespace=namespace, broker=broker, status=status, why=why
            )
        )
        return Answer(status, (_ALLOW, _TEXT), f"{why}\n".encode())
