"""Which headers of a sender travel with its event, also through a server.

Source: Eventing data plane reference §1.4, §2.1; RFC 9110 §5.
"""

import re
from collections.abc import Iterable

from knlite.eventing.trace import CARRIED, TRACEPARENT, is_parent

_NAMES = frozenset(("x-request-id", "retry-after"))
_PREFIXES = ("knative-", "x-b3-")
_FIRST = frozenset("xXrRkK")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNFIT = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
"""What no header of a request may hold: it would end it, and begin another one."""
NAMESPACE = "Kn-Namespace"
PREFER_REPLY = ("Prefer", "reply")


def passing(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those of *headers* that go on to subscribers."""
    found = []
    for header in headers:
        # By their first letter most are out.
        if header[0][:1] in _FIRST:
            name = header[0].lower()
            if name in _NAMES or name.startswith(_PREFIXES):
                found.append(header)
    return tuple(found)


def travelled(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those of *headers* that knlite can have sent along with an event, ``traceparent`` at the end.

    They come from a server, so anybody may have written them, and they become headers of requests.
    """
    others, carried, parent = list[tuple[str, str]](), list[tuple[str, str]](), ""
    for header in headers:
        name, text = header
        if _UNFIT.search(text):
            continue
        lower = name.lower()
        if lower == TRACEPARENT:
            parent = parent or (text if is_parent(text) else "")
        elif lower in CARRIED:
            carried.append((lower, text))
        elif _TOKEN.fullmatch(name):
            others.append(header)
    return (*passing(others), *carried, *(((TRACEPARENT, parent),) if parent else ()))
