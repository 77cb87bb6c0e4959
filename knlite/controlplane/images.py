"""Makes the code of every revision ready to start, before the first request needs it.

The outcome is written as the status of the Image of each container. A preparation that failed is
tried again when the next instance is to start.

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
from knlite.kinds.core.secret import Secret
from knlite.kinds.labels import SERVICE
from knlite.kinds.meta import controller_of
from knlite.kinds.podspec.fields import Container, serving_container
from knlite.kinds.serving.image import CONDITIONS, Image, ImageStatus, image_name
from knlite.kinds.serving.revision import Revision
from knlite.registry.registry import Notification, Registry
from knlite.runtime.port import Prepared, Report, Runtime
from knlite.serving.imagename import at_digest
from knlite.serving.instance import RevisionName
from knlite.serving.pullsecrets import credentials
from knlite.serving.support import require_supported, without_effect
from knlite.serving.workload import (
    Choice,
    FunctionProject,
    LocalCommand,
    RuntimeName,
    StoredImage,
    Unrunnable,
)

AT_ONCE = 4
"""Preparations side by side; a build or an install keeps a processor busy by itself."""

Choose = Callable[[Revision, Container], Choice | Unrunnable]

_MISSING = frozenset({"ErrImagePull", "ErrImageNeverPull", "InvalidImageName"})
"""What a runtime says of an image that it cannot get."""


@dataclass(frozen=True, slots=True)
class Code:
    """Code that can be started, and by which runtime."""

    runtime: Runtime
    prepared: Prepared
    choice: Choice


@dataclass(frozen=True, slots=True)
class PodCode:
    """The code of all containers of a revision, which one runtime starts."""

    serving: Code
    prepared: Mapping[str, Prepared]
    """By the container's name, init containers too."""


@dataclass(eq=False, slots=True)
class _Entry:
    """The code of one container."""

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
        *,
        uid: int | None = None,
    ) -> None:
        """*uid* is the user that local processes run as; None if they may be anybody's."""
        self._uid = uid
        self._registry = registry
        self._runtimes = runtimes
        self._choose = choose
        self._clock = clock
        self._publish = publish
        self._entries: dict[RevisionName, dict[str, _Entry]] = {}
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

    async def pod_of(self, revision: RevisionName) -> PodCode:
        """The code of *revision*, waiting for it if need be. Raises ``InstanceFailed``."""
        found = self._registry.view.get(Revision, revision.namespace, revision.name)
        serving = serving_container(found.spec) if found is not None else None
        if found is None or serving is None:
            raise InstanceFailed("ContainerMissing", f"{revision.name} has been deleted")
        containers = (*found.spec.containers, *found.spec.init_containers)
        # Begun all at once, so that they are prepared side by side.
        entries = {each.name: self._entry(revision, each.name) for each in containers}
        codes = {name: await self._code(revision, entry) for name, entry in entries.items()}
        first = codes[serving.name]
        for name, code in codes.items():
            if code.runtime is not first.runtime:
                raise InstanceFailed(
                    "UnsupportedPod",
                    f"the container {name} runs as {code.choice.runtime}, "
                    f"the serving one as {first.choice.runtime}",
                    fix="run all of them with --runtime docker",
                )
        return PodCode(first, {name: code.prepared for name, code in codes.items()})

    async def code_of(self, revision: RevisionName) -> Code:
        """The code of what serves. Raises ``InstanceFailed``."""
        return (await self.pod_of(revision)).serving

    def _entry(self, revision: RevisionName, container: str) -> _Entry:
        entry = self._entries.get(revision, {}).get(container)
        if entry is None or entry.failure is not None:
            entry = self._begin(revision, container)
        return entry

    async def _code(self, revision: RevisionName, entry: _Entry) -> Code:
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
                container = self._container_of(revision, image.metadata.name)
                if container is not None and container not in self._entries.get(revision, {}):
                    self._begin(revision, container)
            case "deleted":
                for entry in self._entries.pop(revision, {}).values():
                    entry.done.set()
            case _:
                pass

    def _container_of(self, revision: RevisionName, image: str) -> str | None:
        found = self._registry.view.get(Revision, revision.namespace, revision.name)
        names = [] if found is None else [each.name for each in _containers(found)]
        return next((each for each in names if image_name(revision.name, each) == image), None)

    def _begin(self, revision: RevisionName, container: str) -> _Entry:
        entry = _Entry()
        self._entries.setdefault(revision, {})[container] = entry
        if self._group is not None:
            self._busy += 1
            self._group.start_soon(self._prepare, revision, container, entry)
        return entry

    async def _prepare(self, name: RevisionName, container: str, entry: _Entry) -> None:
        try:
            entry.code = await self._prepared(name, container)
        except InstanceFailed as exc:
            entry.failure = exc
        finally:
            self._busy -= 1
            entry.done.set()
        if self._entries.get(name, {}).get(container) is entry:
            self._write_status(name, container, entry)

    async def _prepared(self, name: RevisionName, container: str) -> Code:
        revision = self._registry.view.get(Revision, name.namespace, name.name)
        found = None if revision is None else _containers(revision, container)
        if revision is None or not found:
            raise InstanceFailed("ContainerMissing", f"revision {name.name} is gone")
        choice = self._choose(revision, found[0])
        if isinstance(choice, Unrunnable):
            raise InstanceFailed(choice.reason, choice.message)
        report = self._report(revision)
        if found[0] is serving_container(revision.spec):
            require_supported(revision.spec, choice.runtime, self._uid)
            ignored = without_effect(revision.spec, choice.runtime)
            if ignored:
                report(f"without effect on a {choice.runtime} instance: {', '.join(ignored)}")
        choice = self._resolved(revision, container, choice)
        if isinstance(choice.workload, LocalCommand):
            return await self._command(choice, report)
        async with self._limit:
            return await self._built(choice, report)

    def _resolved(self, revision: Revision, container: str, choice: Choice) -> Choice:
        """*choice* with what this run's configuration and an earlier run know of its image."""
        workload = choice.workload
        if not isinstance(workload, StoredImage):
            return choice
        meta, view = revision.metadata, self._registry.view
        image = view.get(Image, meta.namespace, image_name(meta.name, container))
        reference = workload.reference
        if image is not None and image.status.digest:
            # Fixed when the revision was new; its tag may mean something else by now.
            reference = at_digest(reference, image.status.digest)
        secrets = (
            view.get(Secret, meta.namespace, each.name) for each in revision.spec.image_pull_secrets
        )
        stored = replace(
            workload,
            reference=reference,
            resolve_within=self._registry.config.deployment.digest_resolution_timeout,
            auth=credentials(reference, (each for each in secrets if each is not None)),
        )
        return replace(choice, workload=stored)

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

    def _write_status(self, name: RevisionName, container: str, entry: _Entry) -> None:
        key = (name.namespace, image_name(name.name, container))
        image = self._registry.view.get(Image, *key)
        if image is None:
            return
        editor = CONDITIONS.edit(image.status.conditions, self._clock.wall())
        if entry.failure is not None:
            editor.false("Ready", *_explained(image.spec.image, entry.failure))
        else:
            editor.true("Ready")
        code = entry.code
        status = ImageStatus(
            observed_generation=image.metadata.generation,
            conditions=editor.result(),
            digest=code.prepared.digest if code else image.status.digest,
            runs_as=f"{code.choice.runtime}: {code.choice.why}" if code else "",
        )
        self._registry.update_status(msgspec.structs.replace(image, status=status))


def _containers(revision: Revision, name: str | None = None) -> list[Container]:
    """All containers of *revision*, or the one called *name*."""
    spec = revision.spec
    return [each for each in (*spec.containers, *spec.init_containers) if name in (None, each.name)]


def _explained(image: str, failed: InstanceFailed) -> tuple[str, str]:
    """Reason and message of a condition; those of a missing image are Knative's.

    An image that is named by its digest has nothing to resolve, so upstream notices when it is
    pulled, and says so in Kubernetes' words.
    """
    if failed.reason not in _MISSING or "@" in image:
        return failed.reason, str(failed)
    fix = f"\n  fix:   {failed.fix}" if failed.fix else ""
    return (
        "ContainerMissing",
        f'Unable to fetch image "{image}": {failed.cause or failed.what}{fix}',
    )


def _again(failed: InstanceFailed) -> InstanceFailed:
    """A fresh one: the same exception raised in several tasks would gather tracebacks."""
    return InstanceFailed(failed.reason, failed.what, cause=failed.cause, fix=failed.fix)
