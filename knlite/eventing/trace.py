"""The trace that an event is part of, in the headers of the requests that carry it.

Every delivery continues the sender's trace with a span of its own; an event that came without one
begins a trace.

Source: W3C Trace Context §3 (traceparent, tracestate); Eventing data plane reference §1.4, §10;
OpenTelemetry's samplers (parent based, by the id of the trace).
Differs: upstream begins a trace only where spans are exported; here there is always one, sampled
unless whoever exports spans wants fewer, so that the programs of a run can be seen together.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

TRACEPARENT = "traceparent"
_FIRST = frozenset("tTbB")
CARRIED = frozenset(("tracestate", "baggage"))
_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")

_LOW = (1 << 63) - 1
"""The bits of a trace's id that are random by any standard, and decide."""

Headers = Sequence[tuple[str, str]]
Bits = Callable[[int], int]
"""So many random bits."""
Sampled = Callable[[int, bool | None], bool]
"""Whether the spans of a trace are wanted: its id, and whether its sender wants them (None: it
begins here)."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """Of which traces spans are wanted."""

    rate: float = 1.0
    """The share of those that begin here, 0 to 1."""
    follows: bool = True
    """What whoever began a trace wants is done."""

    def sampled(self, of: int, wanted: bool | None) -> bool:
        """Whether spans of trace *of* are wanted, as ``Sampled``."""
        if wanted is not None and self.follows:
            return wanted
        return (of & _LOW) < self.rate * (_LOW + 1)


def _always(_: int, wanted: bool | None) -> bool:
    return wanted is not False


def begun(headers: Headers, bits: Bits, sampled: Sampled = _always) -> tuple[tuple[str, str], ...]:
    """What of a request's *headers* carries its trace, ``traceparent`` at the end."""
    parent, others = "", []
    for name, value in headers:
        # By their first letter most are out.
        lower = name.lower() if name[:1] in _FIRST else ""
        if lower == TRACEPARENT:
            parent = parent or value.strip()
        elif lower in CARRIED:
            others.append((lower, value))
    if parent and is_parent(parent):
        if sampled is not _always:
            parent = _marked(parent, sampled)
        return (*others, (TRACEPARENT, parent))
    # The vendor's part means nothing without the trace it belongs to.
    kept = [header for header in others if header[0] != "tracestate"]
    return (*kept, (TRACEPARENT, fresh(bits, sampled)))


def extensions(headers: Headers) -> dict[str, str]:
    """The trace of a request's *headers* as attributes of its event, if its spans are wanted.

    Source: CloudEvents, distributed tracing extension.
    """
    found = {name.lower(): value.strip() for name, value in reversed(headers)}
    parent, state = found.get(TRACEPARENT, ""), found.get("tracestate", "")
    if not is_parent(parent) or not is_sampled(parent):
        return {}
    return {TRACEPARENT: parent, **({"tracestate": state} if state else {})}


def fresh(bits: Bits, sampled: Sampled = _always) -> str:
    """The ``traceparent`` of the first span of a new trace."""
    of = bits(128) or 1
    return f"00-{of:032x}-{bits(64) or 1:016x}-{'01' if sampled(of, None) else '00'}"


def child(parent: str, bits: Bits) -> str:
    """The ``traceparent`` of a span below *parent*, which is valid."""
    return f"00-{parent[3:35]}-{bits(64) or 1:016x}-{parent[53:55]}"


def _marked(parent: str, sampled: Sampled) -> str:
    """*parent* with the flag that *sampled* wants; others than that flag are kept."""
    flags = int(parent[53:55], 16)
    wanted = sampled(int(parent[3:35], 16), bool(flags & 1))
    return f"{parent[:53]}{flags & ~1 | wanted:02x}{parent[55:]}"


def is_sampled(parent: str) -> bool:
    """Whether the spans of the trace of *parent*, which is valid, are wanted."""
    return int(parent[53:55], 16) & 1 == 1


def is_parent(parent: str) -> bool:
    """Whether *parent* is a ``traceparent`` that can be continued."""
    match = _PARENT.fullmatch(parent)
    if match is None or (parent[:2] == "00" and len(parent) != 55):
        return False
    return match[1].strip("0") != "" and match[2].strip("0") != ""
