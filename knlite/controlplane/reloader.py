"""A saved file becomes a new revision: watches over local code, and stamps what runs it.

Folders are known from the objects that run code from them. A change that a digest does not confirm
(a file that was touched, a cache, a log) is none. Seeing one, taking it for what runs from now on,
and writing it into what runs it are three steps, so that a manifest can change with its code, or be
refused together with it. While a program keeps changing its own folder its
reloads are held back, and the last change still comes to run.

Source: knlite's own; ``docs/adr/0042-a-save-is-a-template-change.md``.
Not here: what tells of changed files (``watching.py``), what a stamp is (``serving/code.py``),
which code is whose (``localcode.py``), what people are told (``codenews.py``), what becomes of the
revision before (``outofuse.py``), revisions that change in their place (``replacements.py``).
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import anyio
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.controlplane.codefolder import OFTEN, WITHIN, CodeFolder
from knlite.controlplane.codenews import CodeNews
from knlite.controlplane.localcode import LocalCode
from knlite.controlplane.replacements import Replace, Replacements
from knlite.errors import InstanceFailed, KnliteError
from knlite.facts import Publish
from knlite.functions.ignore import FILE as FUNCIGNORE
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.meta import controller_of
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.service import Service
from knlite.reconcile import Key, key_of
from knlite.registry.registry import Notification, Registry
from knlite.serving.code import Stamped, annotations_of, code_of, is_named

USER = "knlite"
"""In whose name objects are stamped."""


class Change(NamedTuple):
    """The digests of the code in a folder."""

    before: str
    now: str


Changes = Mapping[Path, Change]
"""What has changed, by the folder."""


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
        self._replacements: Replacements | None = None
        self._follow: Callable[[frozenset[Path]], None] | None = None
        self._wake = anyio.Event()

    def report_to(self, follow: Callable[[frozenset[Path]], None]) -> None:
        """Tell *follow* now, and whenever it changes, which folders hold code that runs."""
        self._follow = follow
        follow(self._used)

    def replace_by(self, replace: Replace) -> None:
        """Change revisions in their place by *replace*; to be called before ``run``."""
        self._replacements = Replacements(replace, self._news, self._clock)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """See what code looks like when it first runs, until cancelled."""
        async with anyio.create_task_group() as group:
            if self._replacements is not None:
                await group.start(self._replacements.run)
            with self._registry.listening(self._note):
                self.sources_changed()
                task_status.started()
                await self._look_when_due()

    async def _look_when_due(self) -> None:
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            # Once for all objects that have come or gone since.
            self._tell()
            for folder in tuple(self._folders.values()):
                if folder.path not in self._used:
                    continue
                if not folder.digest:
                    await self._first_look(folder)
                missed, folder.missed = folder.missed, set()
                if folder.digest and (missed or folder.due):
                    folder.held = folder.due = False
                    self._reload(await self.look(missed or (folder.path,), early=bool(missed)))

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

    async def look(self, paths: Iterable[Path], *, early: bool = False) -> Changes:
        """The changes of code when *paths* have changed; a path may be a folder's.

        *early* are changes from when the first revisions were made: nobody knows whether these have
        them, so they count although the digest may know them already.
        """
        found: dict[Path, Change] = {}
        for folder, touched in self._touched(frozenset(paths)).items():
            if not folder.digest:
                # Nobody knows whether what is being read just now has it.
                folder.missed.update(touched)
                self._wake.set()
                continue
            if self._is_held(folder):
                continue
            files = self._files(folder, touched)
            before, now = folder.digest, await self._digest(folder)
            if now is not None and (now != before or (early and files)):
                found[folder.path] = Change(before, now)
                users = [key for key, used in self._users.items() if folder.path in used]
                self._news.changed(users, files)
        return found

    def take(self, changes: Changes) -> None:
        """From now on the code is what *changes* say; what is admitted is stamped with it."""
        for path, (before, now) in changes.items():
            folder = self._folders[path]
            if folder.digest != before:
                # Somebody else has looked meanwhile, and perhaps seen more.
                self._look_at(folder)
                continue
            folder.digest = now
            folder.reloads.append(self._clock.now())
            self._code.change(path, folder.code, now, in_place=self._in_place)

    def write(self, folders: Iterable[Path]) -> None:
        """Stamp what runs the code in *folders*; each gets a new revision by that."""
        folders = frozenset(folders)
        for key, used in tuple(self._users.items()):
            obj = self._registry.at(key)
            if not used & folders or not isinstance(obj, Service | Configuration | Deployment):
                continue
            if not isinstance(obj, Deployment) and (self._in_place or is_named(obj)):
                if self._replacements is not None:
                    self._replacements.begin(key, obj.status.latest_created_revision_name)
                continue
            try:
                self._registry.update(obj, user=USER)
            except KnliteError as exc:
                # A setting has changed since, so that it would be refused now.
                self._news.say(f"{key}: its new code cannot run: {exc}", "error")

    def _reload(self, changes: Changes) -> None:
        self.take(changes)
        self.write(changes)

    # From the registry.

    def _note(self, notification: Notification) -> None:
        obj, old = notification.obj, notification.old
        if not isinstance(obj, Service | Configuration | Deployment):
            return
        key = key_of(obj)
        if notification.change == "deleted":
            self._forget(key)
            return
        if old is None or old.metadata.generation != obj.metadata.generation:
            self._learn(obj)
        if isinstance(obj, Service):
            if isinstance(old, Service) and key in self._users and _code(old) != _code(obj):
                self._news.begun(key)
            self._news.see(key, obj)

    def _forget(self, key: Key) -> None:
        self._news.forget(key)
        if self._replacements is not None:
            self._replacements.end(key)
        if self._users.pop(key, None):
            self._wake.set()

    def _learn(self, obj: Stamped) -> None:
        key = key_of(obj)
        found = self._code.of(obj) if controller_of(obj) is None else {}
        if self._users.get(key, frozenset()) != frozenset(found):
            self._wake.set()
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
        used = frozenset[Path]().union(*self._users.values())
        if used != self._used:
            self._used = used
            if self._follow is not None:
                self._follow(used)

    # Looking.

    def _touched(self, paths: frozenset[Path]) -> dict[CodeFolder, list[Path]]:
        """Which of *paths* are in which folder in use, or around it."""
        found: dict[CodeFolder, list[Path]] = {}
        for path in paths:
            for around in (path, *path.parents):
                if around in self._used and around in self._folders:
                    found.setdefault(self._folders[around], []).append(path)
        for used in self._used & self._folders.keys():
            for path in paths.intersection(used.parents):
                found.setdefault(self._folders[used], []).append(path)
        return found

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
        """Those of *touched* that are files of its code, as their author names them.

        What an editor made for a moment beside the file that it saved is none.
        """
        rule = self._code.rule(folder.code, folder.path)
        inside = [path for path in touched if folder.path in path.parents]
        names = {path: path.relative_to(folder.path).as_posix() for path in inside}
        found = [path for path, name in names.items() if not rule(name, False)]
        # Not what an editor has renamed, unless it is all that there is.
        there = [path for path in found if path.exists()]
        return sorted(names[path] for path in there or found)


def _code(service: Service) -> str:
    return code_of(annotations_of(service))
