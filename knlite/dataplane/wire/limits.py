"""How much, and how slowly, a client may send before it is refused.

The defaults suit a developer's machine; ``knlite up --limit NAME=VALUE`` sets others
(``knlite/limits.py``).
Not here: limits that the meaning of HTTP sets (``framing.py``).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    head_bytes: int = 64 * 1024
    """Of one head: request line, names and values; also of trailers. Beyond it: 431."""
    header_count: int = 256
    """Headers in one head. Beyond it: 431."""
    head_seconds: float = 30.0
    """From the first byte of a head to its last. Beyond it: 408.

    A handshake of TLS has as long; beyond it, the connection is closed.
    """
    body_seconds: float = 60.0
    """Without any byte of a body that is wanted. Beyond it: 408."""
    idle_seconds: float = 120.0
    """Until the next request on a connection, or without anybody taking answers that wait (HTTP/2).

    Beyond it, the connection is closed.
    """
    streams: int = 250
    """Requests at once on one connection of HTTP/2. Beyond it: REFUSED_STREAM."""
    connections: int = 10_000
    """Clients at once. Beyond it, new connections are closed at once."""
