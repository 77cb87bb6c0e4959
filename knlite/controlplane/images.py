"""Makes the code of every revision ready to start, before the first request needs it.

The outcome is written as the status of the revision's Image. A preparation that failed is tried
again when the next instance is to start.

Source: knlite's own; the reasons are Kubernetes' (``ErrImagePull``) and Knative's
(``ContainerMissing``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import anyio
import msgspec
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.errors import InstanceFailed
from knlite.facts import PreparationStep, Publish
from knlite.kinds.labels import REVISION, SERVICE
from knlite.kinds.meta import controller_of
from knlite.kinds.serving.image import CONDITIONS, Image, ImageStatus
from knlite.kinds.serving.revision import Revision
from knlite.registry.registry import Notification, Registry
from knlite.runtime.port import Prepared, Report, Runtime
from knlite.serving.instance import RevisionName
from knlite.serving.workload import (
    Choice,
    FunctionProject,
    LocalCommand,
    RuntimeName,
    Unrunnable,
)

AT_ONCE = 4
"""Preparations side by side; a build or an install keeps a processor busy by itself."""

Choose = Callable[[Revision], Choice | Unrunnable]


@dataclass(frozen=True, slots=True)
class Code:
    """Code that can be started, and by which runtime."""

    runtime: Runtime
    prepared: Prepared
    choice: Choice


@dataclass(eq=False, slots=True)
class _Entry:
    done: anyio.Event = field(default_factory=anyio.Event)
    code: Code | None = None
    failure: InstanceFailed | None = None


@dataclass(eq=False, slots=True)
class _Shared:
    """One preparation for all revisions that asked for the same code before it began."""

    done: anyio.Event = field(default_factory=anyio.Event)
    code: Code | None = None
    failure: InstanceFailed | None = None


class Images:
    """The code of all revisions of a run."""

    def __init__(
        self,
        registry: Registry,
        runtimes: Mapping[RuntimeName, Runtime],
        choose: Choose,
        clock: Clock,
        publish: Publish,
    ) -> None:
        self._registry = registry
        self._runtimes = runtimes
        self._choose = choose
        self._clock = clock
        self._publish = publish
        self._entries: dict[RevisionName, _Entry] = {}
        self._queued: dict[Choice, _Shared] = {}
        self._limit = anyio.Semaphore(AT_ONCE)
        self._group: TaskGroup | None = None
        self._busy = 0

    @property
    def settled(self) -> bool:
        """Whether nothing is being prepared."""
        return self._busy == 0

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Prepare the code of every revision that appears, until cancelled."""
        async with anyio.create_task_group() as self._group:
            with self._registry.listening(self._note):
                task_status.started()
                await anyio.sleep_forever()

    async def code_of(self, revision: RevisionName) -> Code:
        """The code of *revision*, waiting for it if need be. Raises ``InstanceFailed``."""
        entry = self._entries.get(revision)
        if entry is None or entry.failure is not None:
            entry = self._begin(revision)
        if entry.code is None:
            await entry.done.wait()
        if entry.failure is not None:
            raise _again(entry.failure)
        if entry.code is None:
            raise InstanceFailed("ContainerMissing", f"{revision.name} has been deleted")
        return entry.code

    def _note(self, notification: Notification) -> None:
        image = notification.obj
        if not isinstance(image, Image):
            return
        owner = controller_of(image)
        if owner is None:
            return
        revision = RevisionName(image.metadata.namespace, owner.name)
        match notification.change:
            case "added":
                self._begin(revision)
            case "deleted":
                entry = self._entries.pop(revision, None)
                if entry is not None:
                    entry.done.set()
            case _:
                pass

    def _begin(self, revision: RevisionName) -> _Entry:
        entry = _Entry()
        self._entries[revision] = entry
        if self._group is not None:
            self._busy += 1
            self._group.start_soon(self._prepare, revision, entry)
        return entry

    async def _prepare(self, name: RevisionName, entry: _Entry) -> None:
        try:
            entry.code = await self._prepared(name)
        except InstanceFailed as exc:
            entry.failure = exc
        finally:
            self._busy -= 1
            entry.done.set()
        if self._entries.get(name) is entry:
            self._write_status(name, entry)

    async def _prepared(self, name: RevisionName) -> Code:
        revision = self._registry.view.get(Revision, name.namespace, name.name)
        if revision is None:
            raise InstanceFailed("ContainerMissing", f"revision {name.name} is gone")
        choice = self._choose(revision)
        if isinstance(choice, Unrunnable):
            raise InstanceFailed(choice.reason, choice.message)
        if isinstance(choice.workload, LocalCommand):
            return await self._command(choice, self._report(revision))
        async with self._limit:
            return await self._built(choice, self._report(revision))

    async def _command(self, choice: Choice, report: Report) -> Code:
        """Thousands of services may run one command from one folder; it is looked through once.

        A preparation that has begun is not joined: it may not see what has changed since.
        """
        shared = self._queued.get(choice)
        if shared is None:
            shared = self._queued[choice] = _Shared()
            try:
                async with self._limit:
                    del self._queued[choice]
                    shared.code = await self._prepared_by(choice, report)
            except InstanceFailed as exc:
                shared.failure = exc
            finally:
                shared.done.set()
        await shared.done.wait()
        if shared.failure is not None:
            raise _again(shared.failure)
        if shared.code is None:
            raise InstanceFailed("ContainerMissing", "its preparation was given up")
        return shared.code

    async def _built(self, choice: Choice, report: Report) -> Code:
        try:
            return await self._prepared_by(choice, report)
        except InstanceFailed as exc:
            instead = self._instead(choice, exc)
            if instead is None:
                raise
            report(f"{exc.what}; it runs as a local process instead")
            return await self._prepared_by(instead, report)

    async def _prepared_by(self, choice: Choice, report: Report) -> Code:
        runtime = self._runtimes[choice.runtime]
        return Code(runtime, await runtime.prepare(choice.workload, report), choice)

    def _instead(self, choice: Choice, exc: InstanceFailed) -> Choice | None:
        """A function whose base image cannot be had without a network can still run from source."""
        offline = exc.reason == "ErrImagePull" and isinstance(choice.workload, FunctionProject)
        if not offline or choice.runtime == "process" or "process" not in self._runtimes:
            return None
        return replace(choice, runtime="process", why=f"{choice.why}; {exc.what}")

    def _report(self, revision: Revision) -> Report:
        def report(text: str) -> None:
            self._publish(
                PreparationStep(
                    at=self._clock.wall(),
                    namespace=revision.metadata.namespace,
                    service=revision.metadata.labels.get(SERVICE, ""),
                    revision=revision.metadata.name,
                    text=text,
                )
            )

        return report

    def _write_status(self, name: RevisionName, entry: _Entry) -> None:
        for image in self._registry.view.labelled(Image, name.namespace, REVISION, name.name):
            editor = CONDITIONS.edit(image.status.conditions, self._clock.wall())
            if entry.failure is not None:
                editor.false("Ready", entry.failure.reason, str(entry.failure))
            else:
                editor.true("Ready")
            code = entry.code
            status = ImageStatus(
                observed_generation=image.metadata.generation,
                conditions=editor.result(),
                digest=code.prepared.digest if code else "",
                runs_as=f"{code.choice.runtime}: {code.choice.why}" if code else "",
            )
            self._registry.update_status(msgspec.structs.replace(image, status=status))


def _again(failed: InstanceFailed) -> InstanceFailed:
    """A fresh one: the same exception raised in several tasks would gather tracebacks."""
    return InstanceFailed(failed.reason, failed.what, cause=failed.cause, fix=failed.fix)
