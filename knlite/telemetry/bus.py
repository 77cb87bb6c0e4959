"""The one stream of facts, and its readers.

Not here: what the facts are (``facts.py``), what readers make of them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from knlite.facts import Fact

Reader = Callable[[Fact], None]


class Bus:
    """Hands every fact to every reader, in the order they subscribed.

    A reader must take note and return; one that raises is dropped, so that no reader can stop the
    platform, and the error is kept for ``doctor`` and tests.
    """

    def __init__(self) -> None:
        self._readers: tuple[Reader, ...] = ()
        self.failures: list[Exception] = []

    def publish(self, fact: Fact) -> None:
        """Hand *fact* to all readers."""
        for reader in self._readers:
            try:
                reader(fact)
            except Exception as exc:  # noqa: BLE001  a reader must not stop the platform
                self.failures.append(exc)
                self._remove(reader)

    @contextmanager
    def reading(self, reader: Reader) -> Iterator[None]:
        """Let *reader* have every fact while the context lasts."""
        self._readers = (*self._readers, reader)
        try:
            yield
        finally:
            self._remove(reader)

    def _remove(self, reader: Reader) -> None:
        self._readers = tuple(each for each in self._readers if each is not reader)
