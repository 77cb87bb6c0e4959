"""Which headers of a sender travel with its event.

Source: Eventing data plane reference §1.4, §2.1.
"""

from collections.abc import Iterable

_NAMES = frozenset(("x-request-id", "retry-after"))
_PREFIXES = ("knative-", "x-b3-")
_FIRST = frozenset("xXrRkK")
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
