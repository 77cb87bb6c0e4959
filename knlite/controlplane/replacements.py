"""Revisions that get new code in their place, one change at a time, of which the newest wins.

Source: knlite's own; ``docs/adr/0042-a-save-is-a-template-change.md``.
Not here: how one is replaced (``inplace.py``), when (``reloader.py``).
"""

from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.controlplane.codenews import CodeNews
from knlite.errors import InstanceFailed
from knlite.reconcile import Key
from knlite.serving.instance import RevisionName

Replace = Callable[[RevisionName], Awaitable[None]]
"""Has new instances of a revision, of its code as it is now. Raises ``InstanceFailed``."""


class Replacements:
    """Those of one run."""

    def __init__(self, replace: Replace, news: CodeNews, clock: Clock) -> None:
        self._replace = replace
        self._news = news
        self._clock = clock
        self._newest: dict[Key, anyio.CancelScope] = {}
        self._turns: dict[Key, anyio.Lock] = {}
        self._group: TaskGroup | None = None

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Own all that has begun, until cancelled."""
        async with anyio.create_task_group() as self._group:
            task_status.started()
            await anyio.sleep_forever()

    def begin(self, key: Key, revision: str) -> None:
        """Let *revision* of the object at *key* run what has changed.

        One without a name is still to come, and will be of the code as it is.
        """
        if self._group is not None and revision:
            self.end(key)
            self._newest[key] = scope = anyio.CancelScope()
            self._group.start_soon(self._change, key, revision, scope)

    def end(self, key: Key) -> None:
        """Give up what has begun at *key*."""
        scope = self._newest.pop(key, None)
        if scope is not None:
            scope.cancel()

    async def _change(self, key: Key, revision: str, scope: anyio.CancelScope) -> None:
        since = self._clock.now()
        turn = self._turns.setdefault(key, anyio.Lock())
        with scope:
            # Whoever was given up puts back what there was.
            async with turn:
                try:
                    await self._replace(RevisionName(key.namespace, revision))
                except InstanceFailed as exc:
                    self._news.failed(key, revision, exc)
                else:
                    self._news.live(key, revision, since)
        if self._newest.get(key) is scope:
            del self._newest[key]
        if not turn.statistics().locked and not turn.statistics().tasks_waiting:
            self._turns.pop(key, None)
