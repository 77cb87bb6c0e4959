"""A saved file becomes a new revision: watches over local code, and stamps what runs it.

Folders are known from the objects that run code from them. A change that a digest does not confirm
(a file that was touched, a cache, a log) is none. While a program keeps changing its own folder its
reloads are held back, and the last change still comes to run.

Source: knlite's own; ``docs/adr/0042-a-save-is-a-template-change.md``.
Not here: what tells of changed files (``watching.py``), what a stamp is (``serving/code.py``),
which code is whose (``localcode.py``), what people are told (``codenews.py``).
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import anyio
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.controlplane.codefolder import OFTEN, WITHIN, CodeFolder
from knlite.controlplane.codenews import CodeNews
from knlite.controlplane.localcode import LocalCode
from knlite.errors import Conflict, InstanceFailed, KnliteError
from knlite.facts import Publish
from knlite.functions.ignore import FILE as FUNCIGNORE
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
LINGER = 1.0
"""Seconds that a revision out of use keeps its instances."""


class Hands(Protocol):
    """What can be done to the instances of a revision."""

    def rest(self, revision: RevisionName) -> None:
        """Have none any more. Raises ``Conflict``."""
        ...

    async def replace(self, revision: RevisionName) -> None:
        """Have new ones, of its code as it is now. Raises ``InstanceFailed``."""
        ...


class Reloader:
    """The local code of one run."""

    def __init__(
        self,
        registry: Registry,
        code: LocalCode,
        clock: Clock,
        publish: Publish,
        *,
        in_place: bool = False,
    ) -> None:
        """Without new revisions if *in_place*."""
        self._registry = registry
        self._code = code
        self._clock = clock
        self._news = CodeNews(registry, clock, publish)
        self._folders: dict[Path, CodeFolder] = {}
        self._users: dict[Key, frozenset[Path]] = {}
        self._used: frozenset[Path] = frozenset()
        self._in_place = in_place
        self._hands: Hands | None = None
        self._group: TaskGroup | None = None
        self._replacing: dict[Key, anyio.CancelScope] = {}
        self._follow: Callable[[frozenset[Path]], None] | None = None
        self._wake = anyio.Event()
        self._turns: dict[Key, anyio.Lock] = {}

    def report_to(self, follow: Callable[[frozenset[Path]], None]) -> None:
        """Tell *follow* now, and whenever it changes, which folders hold code that runs."""
        self._follow = follow
        follow(self._used)

    def act_by(self, hands: "Hands") -> None:
        """Act on instances by *hands*; to be called before ``run``."""
        self._hands = hands

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """See what code looks like when it first runs, until cancelled."""
        async with anyio.create_task_group() as self._group:
            with self._registry.listening(self._note):
                self.sources_changed()
                task_status.started()
                await self._look_when_due()

    async def _look_when_due(self) -> None:
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
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

    async def look(self, paths: Iterable[Path], *, early: bool = False) -> frozenset[Path]:
        """The folders whose code has changed, when *paths* have; a path may be a folder's.

        *early* are changes from when the first revisions were made: nobody knows whether these have
        them, so they count although the digest may know them already.
        """
        paths = frozenset(paths)
        changed = set[Path]()
        for folder in tuple(self._folders.values()):
            touched = [
                path
                for path in paths
                if path.is_relative_to(folder.path) or folder.path.is_relative_to(path)
            ]
            if not (touched and folder.digest):
                continue
            files = self._files(folder, touched)
            if await self._has_changed(folder, surely=early and bool(files)):
                changed.add(folder.path)
                users = [key for key, used in self._users.items() if folder.path in used]
                self._news.changed(users, files)
        return frozenset(changed)

    def write(self, folders: frozenset[Path]) -> None:
        """Stamp what runs the code in *folders*; each gets a new revision by that."""
        for key, used in tuple(self._users.items()):
            obj = self._registry.at(key)
            if not used & folders or not isinstance(obj, Service | Configuration | Deployment):
                continue
            if not isinstance(obj, Deployment) and (self._in_place or is_named(obj)):
                if self._group is not None:
                    self._group.start_soon(self._replace, key, obj)
                continue
            if isinstance(obj, Service):
                self._news.begun(key)
            try:
                self._registry.update(obj, user=USER)
            except KnliteError as exc:
                # A setting has changed since, so that it would be refused now.
                self._news.forget(key)
                self._news.say(f"{key}: its new code cannot run: {exc}", "error")

    async def _replace(self, key: Key, obj: Service | Configuration) -> None:
        """Let the newest revision of *obj* run the change; a newer change takes its place."""
        since, name = self._clock.now(), obj.status.latest_created_revision_name
        with anyio.CancelScope() as scope:
            earlier, self._replacing[key] = self._replacing.get(key), scope
            if earlier is not None:
                earlier.cancel()
            async with self._turns.setdefault(key, anyio.Lock()):
                try:
                    if self._hands is not None:
                        await self._hands.replace(RevisionName(key.namespace, name))
                except InstanceFailed as exc:
                    self._news.failed(key, name, exc)
                else:
                    self._news.live(key, name, since)

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
            self._news.forget(key)
            self._replacing.pop(key, None)
            self._turns.pop(key, None)
            if self._users.pop(key, None):
                self._tell()
            return
        if old is None or old.metadata.generation != obj.metadata.generation:
            self._learn(obj)
            self._tell()
        if isinstance(obj, Service):
            self._news.see(key, obj)

    def _see_out_of_use(self, revision: Revision, old: Object | None) -> None:
        """Give up the instances of one that a newer one has taken the place of.

        On a cluster they stay for a stable window; a save every few seconds would heap them up.
        """
        labels = revision.metadata.labels
        key = Key(Service, revision.metadata.namespace, labels.get(SERVICE, ""))
        before = old.metadata.labels.get(ROUTING_STATE) if old is not None else None
        if labels.get(ROUTING_STATE) != "reserve" or before == "reserve":
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
                if self._hands is not None:
                    self._hands.rest(name)

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
                self._folders[path] = CodeFolder(path, code)
                self._wake.set()
            else:
                known.code = code
                if path not in self._used:
                    # It may have changed while nothing ran from it.
                    self._look_at(known)

    def _tell(self) -> None:
        self._used = frozenset[Path]().union(*self._users.values())
        if self._follow is not None:
            self._follow(self._used)

    # Looking.

    async def _first_look(self, folder: CodeFolder) -> None:
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
            self._code.change(folder.path, folder.code, found, in_place=self._in_place)
            if not self._in_place:
                self.write(frozenset({folder.path}))

    async def _has_changed(self, folder: CodeFolder, *, surely: bool) -> bool:
        async with folder.looking:
            if self._is_held(folder):
                return False
            found = await self._digest(folder)
            if found is None or (found == folder.digest and not surely):
                return False
            folder.digest = found
            self._code.change(folder.path, folder.code, found, in_place=self._in_place)
            folder.reloads.append(self._clock.now())
            return True

    def _is_held(self, folder: CodeFolder) -> bool:
        """Whether it changes so often that no person can be the cause; it is looked at later."""
        until = None if folder.held else folder.hold(self._clock.now())
        if until is not None:
            self._news.say(
                f"{folder.path} keeps changing: its code is reloaded {OFTEN} times in {WITHIN:.0f} "
                "seconds and no more; if the program writes there itself, name what it writes in "
                f"{folder.path / FUNCIGNORE}",
                "warning",
            )
            self._clock.call_at(until, lambda: self._look_at(folder))
        return folder.held

    def _look_at(self, folder: CodeFolder) -> None:
        folder.due = True
        self._wake.set()

    async def _digest(self, folder: CodeFolder) -> str | None:
        """Of its code as it is now; None if it cannot be told."""
        try:
            found = await self._code.look(folder.code, folder.path)
        except InstanceFailed as exc:
            why = str(exc)
            if why != folder.unreadable:
                folder.unreadable = why
                self._news.say(why, "warning")
            return None
        folder.unreadable = ""
        return found

    def _files(self, folder: CodeFolder, touched: list[Path]) -> list[str]:
        """Those of *touched* that are files of its code, as their author names them."""
        rule = self._code.rule(folder.code, folder.path)
        inside = (
            path.relative_to(folder.path).as_posix()
            for path in touched
            if folder.path in path.parents
        )
        return sorted(path for path in inside if not rule(path, False))
