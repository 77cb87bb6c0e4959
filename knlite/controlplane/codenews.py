"""What a person is told of changed code: that it was seen, that it is live, or why it is not.

Not here: seeing that code has changed (``reloader.py``).
"""

from functools import partial
from typing import Literal

from knlite.clock import Clock
from knlite.errors import InstanceFailed
from knlite.facts import Notice, Publish
from knlite.kinds.conditions import find
from knlite.kinds.serving.service import CONFIGURATIONS_READY, ROUTES_READY, Service
from knlite.reconcile import Key
from knlite.registry.registry import Registry
from knlite.serving.failures import in_short

SLOW = 5.0
"""Seconds after which it is said that a change is not live yet."""
NAMED = 3
"""How many files a notice names."""


class CodeNews:
    """Follows each change until it is live."""

    def __init__(self, registry: Registry, clock: Clock, publish: Publish) -> None:
        self._registry = registry
        self._clock = clock
        self._publish = publish
        self._saved: dict[Key, float] = {}
        """When the change was noticed that an object is about to run."""

    def changed(self, users: list[Key], files: list[str]) -> None:
        """*files*, of code that *users* run, are others than before."""
        names = files or ["its code"]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        have = "has" if len(names) == 1 else "have"
        whose = ", ".join(map(words, users))
        self.say(f"{whose}: {', '.join(names[:NAMED])}{more} {have} changed")

    def begun(self, key: Key) -> None:
        """The Service at *key* is about to run the change."""
        since = self._saved[key] = self._clock.now()
        self._clock.call_at(since + SLOW, partial(self._see_slow, key, since))

    def forget(self, key: Key) -> None:
        """The Service at *key* is gone."""
        self._saved.pop(key, None)

    def see(self, key: Key, obj: Service) -> None:
        """Say so once the change is what answers, or never will."""
        if key not in self._saved or obj.status.observed_generation != obj.metadata.generation:
            return
        conditions = obj.status.conditions
        started, routed = find(conditions, CONFIGURATIONS_READY), find(conditions, ROUTES_READY)
        made, serves = obj.status.latest_created_revision_name, _serving(obj)
        if started is None or started.status == "Unknown":
            return
        if started.status == "False":
            on = f"; {serves} goes on serving" if serves and serves != made else ""
            self._end(key, f"{made} does not start{on}", "warning")
        elif routed is None or routed.status == "Unknown":
            return
        elif routed.status == "False":
            self._end(key, f"{made} is ready, but not reached: {routed.message}", "warning")
        elif made in serves.split(", "):
            self._end(key, f"live as {made} after {self._clock.now() - self._saved[key]:.2f} s")
        else:
            self._end(key, f"{made} is ready; its traffic is for {serves}")

    def live(self, key: Key, revision: str, since: float) -> None:
        """*revision* has changed in its place, as was begun at *since*."""
        self.say(f"{words(key)}: live in {revision} after {self._clock.now() - since:.2f} s")

    def failed(self, key: Key, revision: str, exc: InstanceFailed) -> None:
        """*revision* has not changed in its place."""
        why = in_short(str(exc))
        text = f"{words(key)}: the change does not start: {why}; {revision} goes on as before"
        self.say(text, "error")

    def say(self, text: str, level: Literal["info", "warning", "error"] = "info") -> None:
        """Tell the person at the terminal."""
        self._publish(Notice(at=self._clock.wall(), level=level, text=text))

    def _end(self, key: Key, text: str, level: Literal["info", "warning"] = "info") -> None:
        del self._saved[key]
        self.say(f"{words(key)}: {text}", level)

    def _see_slow(self, key: Key, since: float) -> None:
        obj = self._registry.at(key)
        if self._saved.get(key) != since or not isinstance(obj, Service):
            return
        made, serves = obj.status.latest_created_revision_name, _serving(obj)
        on = f"; {serves} goes on serving" if serves else ""
        self.say(f"{words(key)}: {made} is not ready after {SLOW:.0f} s{on}", "warning")


def words(key: Key) -> str:
    """How people know what is at *key*."""
    return f"{key.namespace}/{key.name}"


def _serving(service: Service) -> str:
    """The revisions that get requests."""
    names = (each.revision_name for each in service.status.traffic if each.percent)
    return ", ".join(dict.fromkeys(names))
