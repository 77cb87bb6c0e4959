"""Holds requests to RequestReplies until their replies come back as events.

Source: knative/eventing ``pkg/requestreply/ingress_handler.go``; Eventing reference §13, Eventing
delivery reference §2. Differs: see ``docs/adr/0029`` (how long, how many, what at the end).
"""

import random
from collections.abc import Sequence

import anyio

from knlite.clock import Clock
from knlite.dataplane.bearer import NO_TOKENS, Tokens, denied, refusal
from knlite.dataplane.eventhosts import Answer
from knlite.dataplane.eventingress import EventIngress
from knlite.eventing import trace
from knlite.eventing.cloudevent import CloudEvent, Malformed
from knlite.eventing.correlation import NONCE, correlation_id, is_ours
from knlite.eventing.extensions import arriving_ttl
from knlite.eventing.headers import passing
from knlite.eventing.httpcodec import decode, encode_binary
from knlite.eventing.requestreplies import RequestReplies, RequestReplyPlan
from knlite.eventing.topology import ResourceKey
from knlite.facts import Publish

MOST_WAITING = 4096
"""Requests that are held at once, of all RequestReplies."""
MOST_BYTES = 256 * 1024 * 1024
"""Of the data of those requests together."""

_ALLOW = ("Allow", "POST, OPTIONS")
_TEXT = ("Content-Type", "text/plain; charset=utf-8")
_WEBHOOK = (_ALLOW, ("WebHook-Allowed-Origin", "*"), ("WebHook-Allowed-Rate", "*"))

Headers = Sequence[tuple[str, str]]


class _Waiting:
    """A request that is held."""

    def __init__(self) -> None:
        self.over = anyio.Event()
        self.reply: CloudEvent | None = None


class RequestReplyIngress:
    """The way in for requests, and for their replies."""

    def __init__(
        self,
        ingress: EventIngress,
        clock: Clock,
        draw: random.Random,
        publish: Publish,
        tokens: Tokens = NO_TOKENS,
    ) -> None:
        self._ingress = ingress
        self._publish = publish
        self._tokens = tokens
        self._clock = clock
        self._random = draw
        self._plans: RequestReplies = {}
        self._waiting: dict[str, _Waiting] = {}
        """By correlation id."""
        self._bytes = 0

    def request_replies_changed(self, plans: RequestReplies) -> None:
        """These are the RequestReplies now. Requests that are held stay so."""
        self._plans = plans

    async def receive(
        self, method: str, path: str, headers: Headers, body: bytes, client: str
    ) -> Answer:
        """Answer a request to ``/NAMESPACE/NAME``, or take a reply at ``/NAMESPACE/NAME/reply``."""
        if method == "OPTIONS":
            return Answer(200, _WEBHOOK)
        if method != "POST":
            return _said(405, "events are sent with POST")
        parts = path.partition("?")[0].strip("/").split("/")
        if parts == [""]:
            return _said(404, "the path names no RequestReply")
        if not (len(parts) == 2 or (len(parts) == 3 and parts[2] == "reply")):
            return _said(400, "the path must be /NAMESPACE/NAME")
        event = decode(headers, body)
        if isinstance(event, Malformed):
            return _said(400, f"not a CloudEvent: {event.why}")
        namespace, name = parts[:2]
        plan = self._plans.get((namespace, name))
        if plan is None:
            return _said(404, f"there is no RequestReply {namespace}/{name} that is ready")
        if len(parts) == 3:
            # Nobody knows a correlation id but who has got the request.
            return self._replied(plan, event)
        if plan.guard is not None:
            no = denied(plan.guard, headers, event, self._tokens)
            if no is not None:
                where = ("RequestReply", namespace, name)
                self._publish(refusal(self._clock.wall(), where, no, client, event))
                return _said(no.status, no.why)
        return await self._ask(plan, (namespace, name), event, headers, client)

    async def _ask(
        self,
        plan: RequestReplyPlan,
        where: tuple[str, str],
        event: CloudEvent,
        headers: Headers,
        client: str,
    ) -> Answer:
        size = len(event.data or b"")
        if len(self._waiting) >= MOST_WAITING or self._bytes + size > MOST_BYTES:
            why = f"{len(self._waiting)} requests wait for their replies already"
            return _said(503, why, ("Retry-After", "1"))
        namespace, name = where
        until = self._clock.now() + plan.timeout
        correlation = correlation_id(event.id, plan.key, self._random.randbytes(NONCE))
        marked = event.with_attributes(**{plan.correlation_attribute.lower(): correlation})
        travelling = (*passing(headers), *trace.begun(headers, self._random.getrandbits))
        waiting = self._waiting[correlation] = _Waiting()
        self._bytes += size
        timer = self._clock.call_at(until, waiting.over.set)
        try:
            with anyio.CancelScope(shield=True):
                # Who leaves just now must not keep it from being told what is kept.
                taken = await self._ingress.accept(
                    ResourceKey("Broker", namespace, plan.broker),
                    marked,
                    arriving_ttl(event),
                    travelling,
                    f"requestreply {namespace}/{name}" + (f" of {client}" if client else ""),
                )
            if taken.status == 404:
                # The RequestReply is there, only what is behind it is not.
                return Answer(500, taken.headers, taken.body)
            if taken.status != 202:
                return taken
            await waiting.over.wait()
        finally:
            timer.cancel()
            self._bytes -= size
            del self._waiting[correlation]
        if waiting.reply is None:
            return _said(504, f"no reply has come within {plan.timeout:g} s")
        replied, data = encode_binary(waiting.reply)
        return Answer(200, (_ALLOW, *replied), data)

    def _replied(self, plan: RequestReplyPlan, event: CloudEvent) -> Answer:
        correlation = event.attributes.get(plan.reply_attribute.lower(), "")
        if not correlation:
            return _said(400, f"the event has no attribute {plan.reply_attribute}")
        if not is_ours(correlation, plan.key):
            return _said(400, f"{plan.reply_attribute} is no correlation id of this RequestReply")
        waiting = self._waiting.get(correlation)
        # Of several replies the first counts; one that comes too late has nobody to go to.
        if waiting is not None and waiting.reply is None:
            waiting.reply = event
            waiting.over.set()
        return Answer(202, (_ALLOW,))


def _said(status: int, why: str, *headers: tuple[str, str]) -> Answer:
    return Answer(status, (_ALLOW, _TEXT, *headers), f"{why}\n".encode())
