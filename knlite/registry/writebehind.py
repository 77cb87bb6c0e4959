"""Write-behind: what happens in the registry is kept a moment later, and off the loop.

A thread of its own writes at most every 50 ms, always a whole number of changes. After a crash that
moment is lost, never half of a change; after an ordinary end nothing is.

Source: ``docs/adr/0012-objects-survive-a-restart.md``.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from knlite.errors import KnliteError
from knlite.kinds.catalog import info_of
from knlite.kinds.meta import Object
from knlite.reconcile import Key, key_of
from knlite.registry.registry import Notification, Registry
from knlite.registry.storage import (
    Batch,
    Kept,
    Storage,
    address_of,
    damaged,
    keys_read,
    keys_written,
    record_of,
)

DELAY = 0.05
"""Seconds in which changes gather before they are written."""
_RETRY = 1.0
"""Seconds between attempts while writing fails."""

_VERSION = "version"
_APPLIED = "applied"
_RUNNING = "running"
_UNKNOWN_VERSIONS = 100_000
"""More versions than a run can give out in the moment that a crash loses."""


class WriteBehind:
    """Between one registry and one storage."""

    def __init__(
        self, registry: Registry, storage: Storage, complain: Callable[[str], None]
    ) -> None:
        """*complain* is told, in the writing thread, when nothing can be kept (any more)."""
        self._registry = registry
        self._storage = storage
        self._complain = complain
        self._changed = threading.Condition()
        self._pending: dict[Key, Object | None] = {}
        self._notes: dict[str, str] = {}
        self._closing = False
        self._failing = False
        self.applied: frozenset[Key] = frozenset()
        """What the files of the earlier run have declared; known after ``restore``."""

    def restore(self) -> None:
        """Put what an earlier run has kept into the registry.

        Raises ``InvalidInput`` (it cannot be read), ``ConfigInvalid``.
        """
        kept = self._storage.load()
        try:
            version, applied = _next_version(kept), keys_read(kept.notes.get(_APPLIED, "[]"))
        except ValueError as exc:
            raise damaged("a note", str(exc)) from exc
        self._registry.restore(kept.objects, version)
        self.applied = applied

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keep every change while the context lasts, and all of them at its end.

        Raises ``Unreachable`` if nothing can be written from the start.
        """
        # Before the first version is given out: a crash within a moment would leave no trace of it.
        self._storage.write(Batch(notes={_RUNNING: "true"}))
        thread = threading.Thread(target=self._run, name="knlite-keeper", daemon=True)
        with self._registry.listening(self._note):
            thread.start()
            try:
                yield
            finally:
                self._remember({_RUNNING: "false"})
                with self._changed:
                    self._closing = True
                    self._changed.notify()
                thread.join()

    def remember_applied(self, keys: frozenset[Key]) -> None:
        """Keep which objects the files of this run declare, for the next one."""
        self._remember({_APPLIED: keys_written(keys)})

    def _note(self, notification: Notification) -> None:
        obj = notification.obj
        if not info_of(type(obj)).kept:
            return
        with self._changed:
            gone = notification.change == "deleted"
            self._pending[key_of(obj)] = None if gone else obj
            self._notes[_VERSION] = str(self._registry.version)
            self._changed.notify()

    def _remember(self, notes: Mapping[str, str]) -> None:
        with self._changed:
            self._notes.update(notes)
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._notes or self._closing)
                # Changes come in bursts; at the end there is nothing more to wait for.
                pause = _RETRY if self._failing else DELAY
                self._changed.wait_for(lambda: self._closing, timeout=pause)
                closing = self._closing
                pending, self._pending = self._pending, {}
                notes, self._notes = self._notes, {}
            if pending or notes:
                self._write(pending, notes)
            if closing:
                if self._failing:
                    self._complain("the last changes of this run are lost")
                return

    def _write(self, pending: dict[Key, Object | None], notes: dict[str, str]) -> None:
        batch = Batch(
            records=tuple(record_of(key, obj) for key, obj in pending.items() if obj is not None),
            gone=tuple(address_of(key) for key, obj in pending.items() if obj is None),
            notes=notes,
        )
        try:
            self._storage.write(batch)
        except KnliteError as exc:
            if not self._failing:
                self._complain(f"changes are not kept at present: {exc}")
            self._failing = True
            with self._changed:
                self._pending = {**pending, **self._pending}
                self._notes = {**notes, **self._notes}
            return
        if self._failing:
            self._complain("changes are kept again")
        self._failing = False


def _next_version(kept: Kept) -> int:
    version = int(kept.notes.get(_VERSION, "0"))
    if kept.notes.get(_RUNNING) == "true":
        # Clients may have seen versions that were lost; none of them may come again.
        version += _UNKNOWN_VERSIONS
    return version
