"""The trace that an event is part of, in the headers of the requests that carry it.

Every delivery continues the sender's trace with a span of its own; an event that came without one
begins a trace.

Source: W3C Trace Context §3 (traceparent, tracestate); Eventing data plane reference §1.4, §10.
Differs: upstream begins a trace only where spans are exported; here there is always one, sampled,
so that the programs of a run can be seen together.
"""

import re
from collections.abc import Callable, Sequence

TRACEPARENT = "traceparent"
_FIRST = frozenset("tTbB")
CARRIED = frozenset(("tracestate", "baggage"))
_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")

Headers = Sequence[tuple[str, str]]
Bits = Callable[[int], int]
"""So many random bits."""


def begun(headers: Headers, bits: Bits) -> tuple[tuple[str, str], ...]:
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
        return (*others, (TRACEPARENT, parent))
    # The vendor's part means nothing without the trace it belongs to.
    kept = [header for header in others if header[0] != "tracestate"]
    fresh = f"00-{bits(128) or 1:032x}-{bits(64) or 1:016x}-01"
    return (*kept, (TRACEPARENT, fresh))


def child(parent: str, bits: Bits) -> str:
    """The ``traceparent`` of a span below *parent*, which is valid."""
    return f"00-{parent[3:35]}-{bits(64) or 1:016x}-{parent[53:55]}"


def is_parent(parent: str) -> bool:
    """Whether *parent* is a ``traceparent`` that can be continued."""
    match = _PARENT.fullmatch(parent)
    if match is None or (parent[:2] == "00" and len(parent) != 55):
        return False
    return match[1].strip("0") != "" and match[2].strip("0") != ""
