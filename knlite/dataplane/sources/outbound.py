"""Hands the events of sources to their sinks, and tries again a few times. Each begins a trace.

An event that is not taken in the end is lost, as upstream; the terminal and the facts say so.

Source: knative/eventing ``pkg/adapter/v2/cloudevents.go``, CloudEvents SDK for Go
``v2/protocol/http/protocol_retry.go``, ``v2/context/retry.go``; Eventing delivery reference §12.
"""

from typing import Final

from knlite.clock import Clock
from knlite.dataplane.bearer import NO_TOKENS, Tokens, bearing
from knlite.dataplane.sender import Answered, Sender, Unanswered
from knlite.dataplane.tracing import Tracing
from knlite.eventing import cloudevent
from knlite.eventing.cloudevent import CloudEvent, Draft, Malformed
from knlite.eventing.delivery import UNBOUNDED
from knlite.eventing.headers import NAMESPACE
from knlite.eventing.httpcodec import encode_binary
from knlite.eventing.sources import Outlet
from knlite.eventing.trace import Bits
from knlite.facts import Publish, SourceSent

RETRIES: Final = 5
PERIOD: Final = 0.05
"""Seconds; doubled before every attempt but the first."""
RETRIED: Final = frozenset((404, 413, 425, 429, 502, 503, 504))
"""Statuses after which it is tried again. A plain 500 is not among them."""


class Outbound:
    """The way out for events of sources."""

    def __init__(
        self,
        sender: Sender,
        clock: Clock,
        publish: Publish,
        bits: Bits,
        tokens: Tokens = NO_TOKENS,
        tracing: Tracing | None = None,
    ) -> None:
        self._tokens = tokens
        self._sender = sender
        self._tracing = tracing or Tracing(bits)
        self._clock = clock
        self._publish = publish

    async def deliver(self, outlet: Outlet, event: CloudEvent) -> None:
        """Send *event* to the sink of *outlet*; returns when it is taken or given up."""
        try:
            await self._deliver(outlet, event)
        except Exception as exc:  # noqa: BLE001  one event must not stop the platform
            why = f"knlite has a bug that this event has met: {type(exc).__name__}: {exc}"
            self.tell(outlet, event, 0, 0, why)

    async def _deliver(self, outlet: Outlet, event: CloudEvent) -> None:
        # Extensions and content types are a person's: a line break in one would be a header.
        checked = cloudevent.checked(Draft(dict(event.attributes), event.content_type, event.data))
        if isinstance(checked, Malformed):
            self.tell(outlet, event, 0, 0, f"it is no valid event: {checked.why}")
            return
        headers, body = encode_binary(checked)
        who = f"{outlet.kind.lower()} {outlet.namespace}/{outlet.name}"
        begun, began = self._tracing.begun(()), self._clock.now()
        sent = [(NAMESPACE, outlet.namespace), ("User-Agent", who), *begun, *headers]
        if outlet.audience:
            account = (outlet.namespace, outlet.account)
            sent.append(bearing(self._tokens, *account, outlet.audience))
        attempt = 0
        while True:
            attempt += 1
            answer = await self._sender.send(outlet.sink, sent, body, UNBOUNDED, outlet.ca_certs)
            if _taken(answer) or attempt > RETRIES or not _retried(answer):
                break
            await self._clock.sleep_until(self._clock.now() + PERIOD * 2**attempt)
        status, why = _words(answer)
        seconds = self._clock.now() - began
        why = "" if _taken(answer) else why
        self.tell(outlet, event, attempt, status, why, seconds, begun[-1][1])

    def tell(
        self,
        outlet: Outlet,
        event: CloudEvent,
        attempts: int,
        status: int,
        why: str,
        seconds: float = 0.0,
        trace: str = "",
    ) -> None:
        """Publish what has become of *event*; *why* is empty if it was taken."""
        self._publish(
            SourceSent(
                at=self._clock.wall(),
                kind=outlet.kind,
                namespace=outlet.namespace,
                name=outlet.name,
                event_id=event.id,
                event_type=event.type,
                target=outlet.sink,
                attempts=attempts,
                status=status,
                outcome="failed" if why else "delivered",
                why=why,
                seconds=seconds,
                trace=trace,
            )
        )


def _taken(answer: Answered | Unanswered) -> bool:
    return isinstance(answer, Answered) and 200 <= answer.status < 300


def _retried(answer: Answered | Unanswered) -> bool:
    return isinstance(answer, Unanswered) or answer.status in RETRIED


def _words(answer: Answered | Unanswered) -> tuple[int, str]:
    match answer:
        case Answered(status=status, body=body):
            said = body[:200].decode("utf-8", "replace").strip()
            return status, f"it answered {status}" + (f": {said}" if said else "")
        case Unanswered(why):
            return 0, why
