"""The one loop that runs all reconcilers, and writes what they decide.

A reconciler runs again when anything that it read has changed, when the time it asked for has
come, or when its outcome could not be committed (later and later). A reconciler that raises is a
defect: it is reported with its key, counted, and tried again; the others go on.

Source: Kubernetes controllers; ``docs/adr/0003-reading-is-depending.md``.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import anyio
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.controlplane.workqueue import WorkQueue
from knlite.errors import Forbidden, KnliteError
from knlite.facts import Notice, Publish, ReconcileFailed
from knlite.kinds.catalog import info_of
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.meta import Object
from knlite.kinds.users import EVENTING_CONTROLLER, SERVING_CONTROLLER
from knlite.kinds.webhooks import OF_EVENTING
from knlite.reconcile import (
    Change,
    Create,
    Delete,
    Key,
    Outcome,
    Reconciler,
    Update,
    UpdateStatus,
    key_of,
)
from knlite.registry.recordingview import Dependency
from knlite.registry.registry import Notification, Registry
from knlite.registry.store import listed_alike

BATCH = 50
"""Reconciles in a row before other tasks get their turn."""


class Item(NamedTuple):
    """One reconciler (by its place in the list) for one object."""

    reconciler: int
    key: Key


def _user_of(kind: type[Object]) -> str:
    """In whose name the reconciler of *kind* writes."""
    return EVENTING_CONTROLLER if info_of(kind).group in OF_EVENTING else SERVING_CONTROLLER


class Controller:
    """Runs *reconcilers*, each a kind and the function for it."""

    def __init__(
        self,
        registry: Registry,
        reconcilers: Sequence[tuple[type[Object], Reconciler]],
        clock: Clock,
        publish: Publish,
    ) -> None:
        self._registry = registry
        self._reconcilers = tuple(reconcilers)
        self._clock = clock
        self._publish = publish
        self._queue: WorkQueue[Item] = WorkQueue()
        self._wakeup = anyio.Event()
        self._readers: defaultdict[Dependency, set[Item]] = defaultdict(set)
        self._reads: dict[Item, set[Dependency]] = {}
        self._config = registry.config

    @property
    def settled(self) -> bool:
        """Whether nothing is left to reconcile at this moment."""
        return not self._queue

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Reconcile until cancelled."""
        with self._registry.listening(self._note):
            self._begin()
            task_status.started()
            while True:
                for _ in range(BATCH):
                    if not self._step():
                        break
                await self._pause()

    def settle(self) -> None:
        """Reconcile until nothing is due, without giving way; for the first apply of a run."""
        while self._step():
            pass

    def _begin(self) -> None:
        """What is there already has to be looked at once."""
        stored = self._registry.recording_view()
        for index, (kind, _) in enumerate(self._reconcilers):
            # What is computed from others is no reason to reconcile anything.
            for obj in stored.listed(kind, ""):
                self._queue.add(Item(index, key_of(obj)))

    def _note(self, notification: Notification) -> None:
        obj = notification.obj
        if self._registry.config is not self._config:
            self._config = self._registry.config
            for item in self._reads:
                self._queue.add(item)
        touched: set[Dependency] = {key_of(obj), *self._registry.lists_of(obj)}
        if notification.old is not None and not listed_alike(notification.old, obj):
            touched.update(self._registry.lists_of(notification.old))
        for dependency in touched:
            for item in self._readers.get(dependency, ()):
                self._queue.add(item)
        for index, (kind, _) in enumerate(self._reconcilers):
            if isinstance(obj, kind):
                self._queue.add(Item(index, key_of(obj)))
        self._wakeup.set()

    async def _pause(self) -> None:
        """Give way; when nothing is due, wait for a change or for the next due time."""
        if self._queue:
            await self._clock.sleep_until(self._clock.now())
            return
        self._wakeup = anyio.Event()
        due = self._queue.next_due()
        async with anyio.create_task_group() as waiting:
            if due is not None:
                waiting.start_soon(self._wake_at, due, self._wakeup)
            await self._wakeup.wait()
            waiting.cancel_scope.cancel()

    async def _wake_at(self, when: float, wakeup: anyio.Event) -> None:
        await self._clock.sleep_until(when)
        wakeup.set()

    def _step(self) -> bool:
        """Reconcile one item; False if none was due."""
        item = self._queue.take(self._clock.now())
        if item is None:
            return False
        view = self._registry.recording_view()
        try:
            outcome = self._reconcilers[item.reconciler][1](item.key, view, self._clock.wall())
        except Exception as exc:  # noqa: BLE001  the loop must survive a defect of one rule
            self._forget(item)
            self._give_back(item, repr(exc))
            return True
        self._remember(item, view.dependencies)
        self._commit(item, outcome)
        return True

    def _commit(self, item: Item, outcome: Outcome) -> None:
        user = _user_of(item.key.kind)
        for change in outcome.changes:
            try:
                self._apply(change, user)
            except Forbidden as exc:
                if not self._is_going(item.key.namespace):
                    self._give_back(item, str(exc))
                    return
                # Nothing new comes into a namespace that goes, and this object goes with it.
                break
            except KnliteError as exc:
                self._give_back(item, str(exc))
                return
        self._queue.succeeded(item)
        if outcome.requeue_after is not None and not math.isinf(outcome.requeue_after):
            self._queue.add_at(item, self._clock.now() + outcome.requeue_after)

    def _is_going(self, namespace: str) -> bool:
        found = self._registry.at(Key(Namespace, "", namespace))
        return found is not None and found.metadata.deletion_timestamp is not None

    def _apply(self, change: Change, user: str) -> None:
        match change:
            case Create(obj):
                self._registry.create(obj, user=user)
            case Update(obj):
                self._registry.update(obj, user=user)
            case UpdateStatus(obj):
                self._registry.update_status(obj)
            case Delete(key):
                self._registry.delete(key)

    def _give_back(self, item: Item, why: str) -> None:
        self._queue.failed(item, self._clock.now())
        now, key = self._clock.wall(), item.key
        self._publish(
            ReconcileFailed(
                at=now,
                kind=key.kind.__name__,
                namespace=key.namespace,
                name=key.name,
                why=why,
            )
        )
        text = f"reconciling {key} failed: {why}"
        self._publish(Notice(at=now, level="error", text=text))

    def _remember(self, item: Item, dependencies: set[Dependency]) -> None:
        """Note what *item* read this time, in the place of what it read before.

        An object that is gone keeps no notes: it is queued again when it comes back.
        """
        before = self._reads.get(item, set())
        for dependency in before - dependencies:
            self._drop(dependency, item)
        if self._registry.at(item.key) is None:
            self._forget(item)
            return
        for dependency in dependencies - before:
            self._readers[dependency].add(item)
        self._reads[item] = dependencies

    def _forget(self, item: Item) -> None:
        for dependency in self._reads.pop(item, set()):
            self._drop(dependency, item)

    def _drop(self, dependency: Dependency, item: Item) -> None:
        readers = self._readers.get(dependency)
        if readers is not None:
            readers.discard(item)
            if not readers:
                del self._readers[dependency]
