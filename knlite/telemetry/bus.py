"""The one stream of facts, and its readers.

Not here: what the facts are (``facts.py``), what readers make of them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from knlite.facts import Fact, Notice

Reader = Callable[[Fact], None]


class Bus:
    """Hands every fact to every reader of its kind, in the order they subscribed.

    A reader must take note and return; one that raises is dropped, so that no reader can stop the
    platform, and the others are told.
    """

    def __init__(self) -> None:
        self._readers: tuple[tuple[Reader, frozenset[type]], ...] = ()
        self._of_kind: dict[type, tuple[Reader, ...]] = {}
        """Made when a fact of the kind comes, so that no request asks who does not read it."""

    def publish(self, fact: Fact) -> None:
        """Hand *fact* to all who read its kind."""
        readers = self._of_kind.get(type(fact))
        if readers is None:
            readers = self._readers_of(type(fact))
        for reader in readers:
            try:
                reader(fact)
            except Exception as exc:  # noqa: BLE001  a reader must not stop the platform
                self._remove(reader)
                name = getattr(reader, "__qualname__", type(reader).__name__)
                text = f"{name} has failed and is left out: {type(exc).__name__}: {exc}"
                self.publish(Notice(at=fact.at, level="error", text=text))

    @contextmanager
    def reading(self, reader: Reader, *kinds: type[Fact]) -> Iterator[None]:
        """Let *reader* have every fact of *kinds* while the context lasts; none means all."""
        self._readers = (*self._readers, (reader, frozenset(kinds)))
        self._of_kind.clear()
        try:
            yield
        finally:
            self._remove(reader)

    def _readers_of(self, kind: type[Fact]) -> tuple[Reader, ...]:
        found = tuple(reader for reader, kinds in self._readers if not kinds or kind in kinds)
        self._of_kind[kind] = found
        return found

    def _remove(self, reader: Reader) -> None:
        # Compared by value: a bound method is another object each time it is asked for.
        self._readers = tuple(each for each in self._readers if each[0] != reader)
        self._of_kind.clear()
