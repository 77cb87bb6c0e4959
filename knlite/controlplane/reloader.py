"""A saved file becomes a new revision: watches over local code, and stamps what runs it.

Folders are known from the objects that run code from them. A change that a digest does not confirm
(a file that was touched, a cache, a log) is none. While a program keeps changing its own folder its
reloads are held back, and the last change still comes to run.

Source: knlite's own; ``docs/adr/0042-a-save-is-a-template-change.md``.
Not here: what tells of changed files (``watching.py``), what a stamp is (``serving/code.py``),
which code is whose (``localcode.py``).
"""

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import anyio
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.controlplane.localcode import Local, LocalCode, look, no_code
from knlite.errors import Conflict, InstanceFailed
from knlite.facts import Notice, Publish
from knlite.functions.ignore import FILE as FUNCIGNORE
from knlite.kinds.conditions import find
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.labels import ROUTING_STATE, SERVICE
from knlite.kinds.meta import Object, controller_of
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.service import Service
from knlite.reconcile import Key, key_of
from knlite.registry.registry import Notification, Registry
from knlite.serving.code import Stamped, annotations_of, code_of, is_named
from knlite.serving.instance import RevisionName

USER = "knlite"
"""In whose name objects are stamped."""
OFTEN = 20
WITHIN = 10.0
"""So many reloads of a folder in so many seconds are a program's own doing, not a person's."""
SLOW = 5.0
"""Seconds after which it is said that a change is not live yet."""
LINGER = 1.0
"""Seconds that a revision out of use keeps its instances."""
NAMED = 3
"""How many files a notice names."""


@dataclass(eq=False, slots=True)
class _Folder:
    """What is known of the code in one folder."""

    path: Path
    code: Local
    digest: str = ""
    """Of the code as it was last seen; "" before it was."""
    reloads: deque[float] = field(default_factory=lambda: deque(maxlen=OFTEN))
    """When it has changed, lately."""
    held: bool = False
    """Whether reloads are held back."""
    due: bool = False
    """Whether it is to be looked at, after having been held back."""
    unreadable: str = ""
    """What has been said of why it cannot be read."""
    looking: anyio.Lock = field(default_factory=anyio.Lock)


class Reloader:
    """The local code of one run."""

    def __init__(
        self,
        registry: Registry,
        code: LocalCode,
        cache_dir: Path,
        clock: Clock,
        publish: Publish,
    ) -> None:
        self._registry = registry
        self._code = code
        self._cache_dir = cache_dir
        self._clock = clock
        self._publish = publish
        self._folders: dict[Path, _Folder] = {}
        self._users: dict[Key, frozenset[Path]] = {}
        self._rest: Callable[[RevisionName], None] = lambda _: None
        self._follow: Callable[[frozenset[Path]], None] | None = None
        self._news = anyio.Event()
        self._saved: dict[Key, float] = {}
        """When the change was noticed that an object is about to run."""

    def report_to(self, follow: Callable[[frozenset[Path]], None]) -> None:
        """Tell *follow* now, and whenever it changes, which folders hold code that runs."""
        self._follow = follow
        follow(frozenset(self._folders))

    def rest_by(self, rest: Callable[[RevisionName], None]) -> None:
        """*rest* takes a revision to zero, or raises ``Conflict``."""
        self._rest = rest

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """See what code looks like when it first runs, until cancelled."""
        with self._registry.listening(self._note):
            self.sources_changed()
            task_status.started()
            while True:
                await self._news.wait()
                self._news = anyio.Event()
                for folder in tuple(self._folders.values()):
                    if not folder.digest:
                        await self._first_look(folder)
                    elif folder.due:
                        folder.held = folder.due = False
                        self.write(await self.look((folder.path,)))

    def sources_changed(self) -> None:
        """Where code is may be another place now."""
        view = self._registry.recording_view()
        found: tuple[Stamped, ...] = (
            *view.listed(Service, ""),
            *view.listed(Configuration, ""),
            *view.listed(Deployment, ""),
        )
        for obj in found:
            self._learn(obj)
        self._tell()

    async def look(self, paths: Iterable[Path]) -> frozenset[Path]:
        """The folders whose code has changed, when *paths* have; a path may be a folder's."""
        paths = frozenset(paths)
        changed = set[Path]()
        for folder in tuple(self._folders.values()):
            touched = [
                path
                for path in paths
                if path.is_relative_to(folder.path) or folder.path.is_relative_to(path)
            ]
            if touched and folder.digest and await self._has_changed(folder):
                changed.add(folder.path)
                self._announce(folder, touched)
        return frozenset(changed)

    def write(self, folders: frozenset[Path]) -> None:
        """Stamp what runs the code in *folders*; each gets a new revision by that."""
        for key, used in tuple(self._users.items()):
            obj = self._registry.at(key)
            if not used & folders or not isinstance(obj, Service | Configuration | Deployment):
                continue
            if is_named(obj):
                self._say(
                    f"{_words(key)}: its code has changed, but its revision has a fixed name "
                    f"({obj.spec.template.metadata.name}) and stays as it is; change the name or "
                    "remove it from the template",
                    "warning",
                )
                continue
            if isinstance(obj, Service):
                since = self._saved[key] = self._clock.now()
                self._clock.call_at(since + SLOW, partial(self._see_slow, key, since))
            self._registry.update(obj, user=USER)

    # From the registry.

    def _note(self, notification: Notification) -> None:
        obj = notification.obj
        if isinstance(obj, Revision):
            self._see_out_of_use(obj, notification.old)
            return
        if not isinstance(obj, Service | Configuration | Deployment):
            return
        key, old = key_of(obj), notification.old
        if notification.change == "deleted":
            self._saved.pop(key, None)
            if self._users.pop(key, None):
                self._tell()
            return
        if old is None or old.metadata.generation != obj.metadata.generation:
            self._learn(obj)
            self._tell()
        if key in self._saved and isinstance(obj, Service):
            self._see_live(key, obj)

    def _see_live(self, key: Key, obj: Service) -> None:
        """Say so once the change is what answers, or never will."""
        ready = find(obj.status.conditions)
        observed = obj.status.observed_generation == obj.metadata.generation
        if not observed or ready is None or ready.status == "Unknown":
            return
        since = self._saved.pop(key)
        made, serves = obj.status.latest_created_revision_name, _serving(obj)
        if ready.status != "True":
            on = f"; {serves} goes on serving" if serves and serves != made else ""
            self._say(f"{_words(key)}: {made} does not start{on}", "warning")
        elif made in serves.split(", "):
            self._say(f"{_words(key)}: live as {made} after {self._clock.now() - since:.2f} s")
        else:
            self._say(f"{_words(key)}: {made} is ready; its traffic is for {serves}")

    def _see_slow(self, key: Key, since: float) -> None:
        obj = self._registry.at(key)
        if self._saved.get(key) != since or not isinstance(obj, Service):
            return
        made, serves = obj.status.latest_created_revision_name, _serving(obj)
        on = f"; {serves} goes on serving" if serves else ""
        self._say(f"{_words(key)}: {made} is not ready after {SLOW:.0f} s{on}", "warning")

    def _see_out_of_use(self, revision: Revision, old: Object | None) -> None:
        """Give up the instances of one that a newer one has taken the place of.

        On a cluster they stay for a stable window; a save every few seconds would heap them up.
        """
        labels = revision.metadata.labels
        key = Key(Service, revision.metadata.namespace, labels.get(SERVICE, ""))
        before = old.metadata.labels.get(ROUTING_STATE) if old is not None else None
        if labels.get(ROUTING_STATE) != "reserve" or before != "active":
            return
        service = self._registry.at(key)
        if not isinstance(service, Service) or not code_of(annotations_of(service)):
            return
        name = RevisionName(revision.metadata.namespace, revision.metadata.name)
        # A moment later, when no request is on its way to it any more.
        self._clock.call_at(self._clock.now() + LINGER, lambda: self._give_up(name))

    def _give_up(self, name: RevisionName) -> None:
        revision = self._registry.view.get(Revision, *name)
        if revision is not None and revision.metadata.labels.get(ROUTING_STATE) == "reserve":
            with suppress(Conflict):
                self._rest(name)

    def _learn(self, obj: Stamped) -> None:
        key = key_of(obj)
        found = self._code.of(obj) if controller_of(obj) is None else {}
        if not found:
            self._users.pop(key, None)
            return
        self._users[key] = frozenset(found)
        for path, code in found.items():
            known = self._folders.get(path)
            if known is None:
                self._folders[path] = _Folder(path, code)
                self._news.set()
            else:
                known.code = code

    def _tell(self) -> None:
        used = frozenset[Path]().union(*self._users.values())
        gone = self._folders.keys() - used
        for path in gone:
            # Whoever comes to it later sees it as it is then.
            del self._folders[path]
            self._code.changed.pop(path, None)
        if self._follow is not None:
            self._follow(used)

    # Looking.

    async def _first_look(self, folder: _Folder) -> None:
        """See what is there; if an earlier run has run something else, it has changed."""
        found = await self._digest(folder)
        if found is None:
            return
        folder.digest = found
        before = {
            code_of(annotations_of(obj))
            for key, used in self._users.items()
            if used == {folder.path}
            and isinstance(obj := self._registry.at(key), Service | Configuration | Deployment)
        }
        if before - {"", found}:
            self._code.changed[folder.path] = found
            self.write(frozenset({folder.path}))

    async def _has_changed(self, folder: _Folder) -> bool:
        async with folder.looking:
            if self._is_held(folder):
                return False
            found = await self._digest(folder)
            if found is None or found == folder.digest:
                return False
            folder.digest = self._code.changed[folder.path] = found
            folder.reloads.append(self._clock.now())
            return True

    def _is_held(self, folder: _Folder) -> bool:
        """Whether it changes so often that no person can be the cause; it is looked at later."""
        if folder.held or len(folder.reloads) < OFTEN:
            return folder.held
        due = folder.reloads[0] + WITHIN
        if due <= self._clock.now():
            return False
        folder.held = True
        self._say(
            f"{folder.path} keeps changing: its code is reloaded {OFTEN} times in {WITHIN:.0f} "
            "seconds and no more; if the program writes there itself, name what it writes in "
            f"{folder.path / FUNCIGNORE}",
            "warning",
        )

        def look() -> None:
            folder.due = True
            self._news.set()

        self._clock.call_at(due, look)
        return True

    async def _digest(self, folder: _Folder) -> str | None:
        """Of its code as it is now; None if it cannot be told."""
        why = ""
        if not await anyio.Path(folder.path).is_dir():
            why = f"{folder.path} is gone: what runs from it runs on as it is"
        else:
            try:
                found = await look(folder.code, folder.path, self._code.sources, self._cache_dir)
            except InstanceFailed as exc:
                why = str(exc)
            else:
                folder.unreadable = ""
                return found
        if why != folder.unreadable:
            folder.unreadable = why
            self._say(why, "warning")
        return None

    def _announce(self, folder: _Folder, touched: list[Path]) -> None:
        rule = no_code(folder.code, folder.path, self._code.sources)
        inside = (
            path.relative_to(folder.path).as_posix()
            for path in touched
            if folder.path in path.parents
        )
        names = sorted(path for path in inside if not rule(path, False)) or ["its code"]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        have = "has" if len(names) == 1 else "have"
        whose = ", ".join(_words(key) for key, used in self._users.items() if folder.path in used)
        self._say(f"{whose}: {', '.join(names[:NAMED])}{more} {have} changed")

    def _say(self, text: str, level: Literal["info", "warning"] = "info") -> None:
        self._publish(Notice(at=self._clock.wall(), level=level, text=text))


def _serving(service: Service) -> str:
    """The revisions that get requests."""
    names = (each.revision_name for each in service.status.traffic if each.percent)
    return ", ".join(dict.fromkeys(names))


def _words(key: Key) -> str:
    return f"{key.namespace}/{key.name}"
