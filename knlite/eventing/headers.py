"""Which headers of a sender travel with its event.

Source: Eventing data plane reference §1.4, §2.1.
"""

from collections.abc import Iterable

_NAMES = frozenset(("x-request-id", "retry-after"))
_PREFIXES = ("knative-", "x-b3-")
NAMESPACE = "Kn-Namespace"
PREFER_REPLY = ("Prefer", "reply")


def passing(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those of *headers* that go on to subscribers."""
    kept = []
    for header in headers:
        lower = header[0].lower()
        if lower in _NAMES or lower.startswith(_PREFIXES):
            kept.append(header)
    return tuple(kept)
