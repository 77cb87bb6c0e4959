"""One request to a revision, from its arrival to the end of its answer. Everything is a callback.

It takes a place, is relayed to the instance that it got, and gives the place back whatever happens:
an answer, a client that leaves, an instance that fails, a timer.

Source: Knative reference §3.4 (places), §3.5 (timers; knative/serving
``pkg/http/handler/timeout.go``).
Not here: bytes (``forward.py``), who may go where (``serving/capacity``).
"""

import random
from collections.abc import Sequence
from itertools import count

from knlite.clock import Timer
from knlite.dataplane.forward import ClientLeft, Relay
from knlite.dataplane.headers import Header, to_instance
from knlite.dataplane.revision import Revision
from knlite.dataplane.servertiming import server_timing
from knlite.dataplane.wire.exchange import Exchange, Headers
from knlite.dataplane.wire.failures import Failure
from knlite.facts import ColdStart, RequestDone
from knlite.serving.capacity.throttler import Admitted, Rejected, Ticket
from knlite.serving.instance import Address, Endpoint, StartFailure
from knlite.serving.routing import DISABLED

ACTIVATOR_TIMEOUT = "activator request timeout"
"""While the activator is in the path: its timers are set before the queue-proxy's."""
QUEUE_PROXY_TIMEOUT = "request timeout"
NOWHERE = Address("", 0)
HTTP, HTTPS = b"http", b"https"
"""By what the client has come."""
TEXT = ((b"Content-Type", b"text/plain; charset=utf-8"), (b"X-Content-Type-Options", b"nosniff"))


class Request:
    """A request that has arrived at the activator."""

    # Defaults live in the class, so that making a request costs only what differs.
    _endpoint: Endpoint | None = None
    _ticket: Ticket | None = None
    _relay: Relay | None = None
    _held = False
    """It found no instance."""
    _waited = 0.0
    _first_byte = 0.0
    _cold_start: ColdStart | None = None
    _request_id = b""
    """As the instance got it."""
    _trace = b""
    """The traceparent of its span, while spans are wanted."""
    route_tag = DISABLED
    """By which tag it came."""
    proto = HTTP
    _over = False
    _idle_timer: Timer | None = None

    def __init__(
        self,
        revision: Revision,
        exchange: Exchange,
        target: bytes,
        host: bytes,
        headers: Headers,
        arrived: float,
    ) -> None:
        self._revision = revision
        self._exchange = exchange
        self._target = target
        """The request target, without the prefix of a path address."""
        self._host = host
        self._headers = headers
        """Those of the client, Host among them."""
        self.arrived = arrived

    def begin(self) -> None:
        """Take a place."""
        revision = self._revision
        revision.meter.begin(self.arrived)
        if revision.total is not None:
            revision.total.begin(self)
        if revision.response_start is not None:
            revision.response_start.begin(self)
        if revision.settings.idle_timeout:
            self._idle_timer = self._watch_progress(self.arrived)
        outcome = revision.throttler.request(self._decided)
        if isinstance(outcome, Ticket):
            self._ticket = outcome
            self._held = not revision.endpoints
            self._exchange.attend(self)
            revision.waits(revision)
        else:
            self._decided(outcome)

    def _decided(self, outcome: Admitted | Rejected) -> None:
        if self._ticket is not None:
            self._ticket = None
            self._waited = self._revision.clock.now() - self.arrived
        if self._over:
            if isinstance(outcome, Admitted):
                self._revision.release(outcome.endpoint)
        elif isinstance(outcome, Admitted):
            self._forward(outcome.endpoint)
        elif isinstance(outcome.why, StartFailure):
            self._refuse(503, f"{self._revision.name.name} did not start: {outcome.why.message}\n")
        else:
            self._refuse(503, f"{outcome.why}\n")

    def _forward(self, endpoint: Endpoint) -> None:
        revision, exchange = self._revision, self._exchange
        self._endpoint = endpoint
        headers, request_id = to_instance(
            self._headers,
            client=exchange.client.host,
            host=self._host,
            proto=self.proto,
            proxied=revision.mode == "Proxy",
        )
        if request_id:
            also: Headers = ()
        else:
            request_id = _request_id()
            also = ((b"X-Request-Id", request_id),)
        self._request_id = request_id
        if revision.tracing.sampler is not None:
            self._trace, headers = revision.tracing.hop(headers)
            also = (*also, (b"traceparent", self._trace))
        relay = self._relay = Relay(exchange, self)
        if self._idle_timer is not None:
            relay.now = revision.clock.now
        try:
            relay.begin(revision.upstreams[endpoint.instance], self._target, headers, also)
        except ValueError as exc:
            # Whoever parsed it let it through; the place must be given back all the same.
            relay.cancel()
            self._refuse(400, f"the request cannot be passed on: {exc}\n")

    # The relay: forward.Owner

    def first_byte(self, status: int) -> Sequence[Header]:
        self._first_byte = self._revision.clock.now() - self.arrived
        if status == 101:
            # Upstream's timer sees nothing of a splice, so there it goes on.
            if self._endpoint is not None:
                self._revision.spliced(self._endpoint.instance)
        elif self._revision.response_start is not None:
            self._revision.response_start.end(self)
        return self._tell_cold_start() if self._held else ()

    def done(self) -> None:
        relay = self._relay
        self._finish(relay.status if relay is not None else 0, "")

    def broke_off(self, why: ClientLeft | Failure) -> None:
        if isinstance(why, ClientLeft):
            self._finish(0, f"the client left: {why.why}")
        elif self._exchange.started:
            self._finish(502, why.why)
        else:
            self._refuse(502, f"{why.why}\n")

    # Waiting: exchange.Taker, until the relay takes over

    def body(self, data: bytes) -> None:
        """Nothing comes before it is asked for."""

    def body_end(self, trailers: Headers) -> None:
        """Nothing comes before it is asked for."""

    def client_left(self, why: str) -> None:
        """Give up the place in the queue."""
        if self._ticket is not None:
            self._leave_queue()
            self._finish(0, f"the client left while it waited: {why}")

    def client_full(self) -> None:
        """Nothing is sent while it waits."""

    def client_ready(self) -> None:
        """Nothing is sent while it waits."""

    # Timers

    def timed_out(self) -> None:
        """timeoutSeconds are over; this ends an answer that has begun as well."""
        self._give_up("timeoutSeconds", self._revision.settings.timeout)

    def answer_is_late(self) -> None:
        """responseStartTimeoutSeconds are over."""
        # A splice is no answer that could have begun, however much has passed.
        switched = self._relay is not None and self._relay.switched_over
        if switched or not self._exchange.started:
            seconds = self._revision.settings.response_start_timeout
            self._give_up("responseStartTimeoutSeconds", seconds)

    def _watch_progress(self, since: float) -> Timer:
        due = since + self._revision.settings.idle_timeout
        return self._revision.clock.call_at(due, self._look_for_progress)

    def _look_for_progress(self) -> None:
        if self._over:
            return
        relay, since = self._relay, self.arrived
        if relay is not None and not relay.switched_over:
            since = max(since, relay.progressed)
        seconds = self._revision.settings.idle_timeout
        if self._revision.clock.now() < since + seconds:
            self._idle_timer = self._watch_progress(since)
        else:
            self._give_up("idleTimeoutSeconds", seconds)

    def _give_up(self, timer: str, seconds: float) -> None:
        if self._over:
            return
        self._leave_queue()
        relay, exchange = self._relay, self._exchange
        if relay is not None:
            relay.cancel()
        text = ACTIVATOR_TIMEOUT if self._revision.mode == "Proxy" else QUEUE_PROXY_TIMEOUT
        why = f"{text}: {timer} ({seconds:g} s) passed"
        if not exchange.started:
            exchange.respond(504, TEXT, text.encode())
            self._finish(504, why)
            return
        status = relay.status if relay is not None else 0
        if relay is None or relay.switched_over:
            exchange.abort()
        else:
            # The status is sent already, so the text follows what has been sent of the body, and
            # that is the end of it: complete where no length was announced, else cut short.
            exchange.write(text.encode())
            exchange.end()
        self._finish(status, why)

    # The end

    def _leave_queue(self) -> None:
        if self._ticket is not None:
            self._revision.throttler.cancel(self._ticket)
            self._ticket = None
            self._waited = self._revision.clock.now() - self.arrived

    def _refuse(self, status: int, text: str) -> None:
        """Answer in the place of an instance."""
        self._exchange.respond(status, TEXT, text.encode())
        self._finish(status, text.rstrip("\n"))

    def _finish(self, status: int, why: str) -> None:
        """Give back what the request held, and tell what became of it."""
        if self._over:
            return
        self._over = True
        revision, endpoint, exchange = self._revision, self._endpoint, self._exchange
        if revision.total is not None:
            revision.total.end(self)
        if revision.response_start is not None:
            revision.response_start.end(self)
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        clock, settings, relay = revision.clock, revision.settings, self._relay
        now = clock.now()
        if not self._trace and revision.tracing.sampler is not None:
            # It never got to an instance, which is worth telling all the more.
            self._trace = revision.tracing.hop(self._headers)[0]
        revision.meter.end(now)
        if endpoint is None:
            instance, address = "", NOWHERE
        else:
            instance, address = endpoint.instance, endpoint.address
            if self._held and self._cold_start is None:
                # It failed before its first byte; how far its instance came is told all the same.
                self._cold_start = self._stages(endpoint)
            if relay is not None and relay.switched_over:
                revision.unspliced(instance)
            revision.release(endpoint)
        namespace, name = revision.name
        # By position, which costs a tenth of names: this happens for every request.
        revision.publish(
            RequestDone(
                clock.wall(),
                namespace,
                settings.service,
                name,
                instance,
                exchange.method.decode("latin-1"),
                status,
                now - self.arrived,
                self._held,
                why,
                settings.configuration,
                self._target,
                exchange.host,
                exchange.http_version,
                relay.received if relay is not None else 0,
                relay.sent if relay is not None else 0,
                self._waited,
                exchange.headers,
                exchange.client,
                address,
                self.route_tag,
                self._request_id,
                self._first_byte,
                self._cold_start,
                self._trace,
            )
        )
        # The two refer to each other; so they need not wait for the garbage collector.
        self._relay = None

    def _stages(self, endpoint: Endpoint) -> ColdStart | None:
        """The stages of the start that this request waited for, as far as it came."""
        birth, began, revision = endpoint.birth, self.arrived, self._revision
        if birth is None:
            return None
        queued = max(0.0, birth.ordered - began)
        created = max(queued, birth.created - began)
        started = max(created, birth.started - began)
        ready = max(started, birth.ready - began)
        return ColdStart(
            at=revision.clock.wall(),
            namespace=revision.name.namespace,
            service=revision.settings.service,
            revision=revision.name.name,
            instance=endpoint.instance,
            queued=queued,
            created=created,
            started=started,
            ready=ready,
            forwarded=max(ready, self._waited),
            first_byte=self._first_byte,
            how=birth.how,
            request=self._request_id.decode("latin-1"),
        )

    def _tell_cold_start(self) -> Sequence[Header]:
        """What a start took, as Server-Timing."""
        endpoint, revision = self._endpoint, self._revision
        cold = None if endpoint is None else self._stages(endpoint)
        if cold is None:
            return ()
        self._cold_start = cold
        if cold.instance not in revision.cold_reported:
            # Only the first of those that waited: the others tell the same story.
            revision.cold_reported.add(cold.instance)
            revision.publish(cold)
        return ((b"Server-Timing", server_timing(cold)),)


_number = count()
_prefix = random.SystemRandom().randbytes(10).hex()
_PREFIX = f"{_prefix[:8]}-{_prefix[8:12]}-4{_prefix[12:15]}-a{_prefix[15:18]}-".encode()


def _request_id() -> bytes:
    """A new UUID, of which only the last group differs from the one before: cheap to make."""
    return b"%b%012x" % (_PREFIX, next(_number))
