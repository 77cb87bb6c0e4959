"""Who answers at hosts of the cluster that are no revision's: channels, job sinks, transformations.

Whoever takes events in by a host of its own says so here; the gateway asks for each request that no
route takes. A host is known by all its names: with and without a port, ``NAME.NS``, ``NAME.NS.svc``
and ``NAME.NS.svc.cluster.local``.

Source: Eventing data plane reference §1.1, §8 (upstream knows the long name only, §11 no. 41).
Not here: brokers, which have one host for all of them (``serving/routing.py``).
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """What the sender gets."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    arrival: int = 0
    """What names the event, if it was taken."""


Handler = Callable[[str, str, Sequence[tuple[str, str]], bytes, str], Awaitable[Answer]]
"""Answers a request: its method, its path with the query, its headers, its whole body, and the
address of the client."""

HandlerFor = Callable[[str, str], Handler]
"""The handler for a namespace and a name."""


class EventHosts:
    """The hosts and their handlers."""

    def __init__(self) -> None:
        self._exact: dict[str, Handler] = {}
        self._endings: dict[str, HandlerFor] = {}
        self._waiting: set[Handler] = set()
        self.generation = 0
        """Another number whenever another host is served, or one no more."""

    def serve(self, host: str, handler: Handler, *, waits: bool = False) -> None:
        """*handler* answers at *host*, ``NAME.NS`` or longer, in place of any other.

        One that *waits* for something else is cancelled when its client leaves.
        """
        self._exact[_short(host)] = handler
        self.generation += 1
        if waits:
            self._waiting.add(handler)

    def waits(self, handler: Handler) -> bool:
        """Whether *handler* is to be cancelled when its client leaves."""
        return handler in self._waiting

    def serve_all(self, ending: str, handler_for: HandlerFor) -> None:
        """At all hosts ``NAME`` + *ending* + ``.NS`` answers *handler_for* NS and NAME.

        It answers also for what does not exist.
        """
        self._endings[ending] = handler_for
        self.generation += 1

    def leave(self, host: str) -> None:
        """Nobody answers at *host* any more."""
        handler = self._exact.pop(_short(host), None)
        self.generation += 1
        if handler is not None and handler not in self._exact.values():
            self._waiting.discard(handler)

    def find(self, host: str) -> Handler | None:
        """Who answers at *host*, which is as a client may write it."""
        short = _short(host)
        found = self._exact.get(short)
        if found is not None:
            return found
        name, _, namespace = short.partition(".")
        if not namespace or "." in namespace:
            return None
        for ending, handler_for in self._endings.items():
            if len(name) > len(ending) and name.endswith(ending):
                return handler_for(namespace, name.removesuffix(ending))
        return None


def _short(host: str) -> str:
    name = host.lower().partition(":")[0].rstrip(".")
    return name.removesuffix(".cluster.local").removesuffix(".svc")
