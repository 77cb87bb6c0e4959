"""Whether spans are wanted of what passes, and the ``traceparent`` of the span of one request.

While nobody wants spans, a request's ``traceparent`` passes as it is, as with Knative's proxies
when tracing is off. While somebody does, the instance gets that of the request's own span.

Source: W3C Trace Context §3.
Not here: what the spans are (``telemetry/tracing``), the traces of events (``eventing/trace.py``).
"""

from knlite.dataplane.wire.exchange import Headers
from knlite.dataplane.wire.framing import lookup
from knlite.eventing import trace
from knlite.eventing.trace import Bits, Sampler

_NAME = trace.TRACEPARENT.encode()
_OF_A_TRACE = frozenset((_NAME, b"tracestate"))


class Tracing:
    """What one run does about traces."""

    def __init__(self, bits: Bits) -> None:
        self._bits = bits
        self.sampler: Sampler | None = None
        """None while nobody wants spans."""

    def hop(self, headers: Headers) -> tuple[bytes, Headers]:
        """The ``traceparent`` of the span of a request, and its *headers* without their own one.

        To be asked while there is a sampler.
        """
        came = lookup(headers, _NAME)
        if came is None:
            return trace.fresh(self._bits, self._sampled).encode(), headers
        parent = came.decode("latin-1").strip()
        if trace.is_parent(parent):
            others = [each for each in headers if each[0].lower() != _NAME]
            return self._child(parent).encode(), others
        # The vendor's part means nothing without the trace it belongs to.
        others = [each for each in headers if each[0].lower() not in _OF_A_TRACE]
        return trace.fresh(self._bits, self._sampled).encode(), others

    def begun(self, headers: trace.Headers) -> tuple[tuple[str, str], ...]:
        """What of the *headers* of an event carries its trace, ``traceparent`` at the end."""
        if self.sampler is None:
            return trace.begun(headers, self._bits)
        return trace.begun(headers, self._bits, self._sampled)

    def _child(self, parent: str) -> str:
        sampled = self._sampled(int(parent[3:35], 16), trace.is_sampled(parent))
        return f"{trace.child(parent, self._bits)[:53]}{'01' if sampled else '00'}"

    def _sampled(self, of: int, wanted: bool | None) -> bool:
        return self.sampler is not None and self.sampler.sampled(of, wanted)
