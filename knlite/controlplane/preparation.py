"""How the code of one container comes about: what runs it is chosen, then made ready to start.

Source: knlite's own; digests as in Knative reference §1.9.
Not here: who wants it, and how the outcome is written down (``images.py``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import anyio

from knlite.clock import Clock
from knlite.controlplane.wanted import Wanted
from knlite.errors import InstanceFailed, defect
from knlite.facts import PreparationStep, Publish
from knlite.kinds.core.secret import Secret
from knlite.kinds.podspec.fields import Container
from knlite.kinds.serving.image import Image, image_name
from knlite.registry.registry import Registry
from knlite.runtime.port import Prepared, Report, Runtime
from knlite.serving.imagename import at_digest
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

Choose = Callable[[Wanted, Container], Choice | Unrunnable]


@dataclass(frozen=True, slots=True)
class Code:
    """Code that can be started, and by which runtime."""

    runtime: Runtime
    prepared: Prepared
    choice: Choice


@dataclass(frozen=True, slots=True)
class PodCode:
    """The code of all containers of a pod, which one runtime starts."""

    serving: Code
    prepared: Mapping[str, Prepared]
    """By the container's name, init containers too."""


def pod_code(codes: Mapping[str, Code], leading: str) -> PodCode:
    """The pod of *codes*, by container, among which is *leading*. Raises ``InstanceFailed``."""
    first = codes[leading]
    for name, code in codes.items():
        if code.runtime is not first.runtime:
            raise InstanceFailed(
                "UnsupportedPod",
                f"the container {name} runs as {code.choice.runtime}, "
                f"{leading} as {first.choice.runtime}",
                fix="run all of them with --runtime docker",
            )
    return PodCode(first, {name: code.prepared for name, code in codes.items()})


@dataclass(eq=False, slots=True)
class Pending:
    """Code that one prepares and any number wait for."""

    done: anyio.Event = field(default_factory=anyio.Event)
    code: Code | None = None
    failure: InstanceFailed | None = None

    async def outcome(self, given_up: str) -> Code:
        """The code, once it is done. Raises ``InstanceFailed``, *given_up* if there is neither."""
        if self.code is None:
            await self.done.wait()
        failed = self.failure
        if failed is not None:
            # A fresh one: the same exception raised in several tasks would gather tracebacks.
            raise InstanceFailed(failed.reason, failed.what, cause=failed.cause, fix=failed.fix)
        if self.code is None:
            raise InstanceFailed("ContainerMissing", given_up)
        return self.code


class Preparation:
    """Prepares code, a few containers at a time."""

    def __init__(
        self,
        registry: Registry,
        runtimes: Mapping[RuntimeName, Runtime],
        choose: Choose,
        clock: Clock,
        publish: Publish,
        uid: int | None = None,
    ) -> None:
        """*uid* is the user that local processes run as; None if they may be anybody's."""
        self._registry = registry
        self._runtimes = runtimes
        self._choose = choose
        self._clock = clock
        self._publish = publish
        self._uid = uid
        self._queued: dict[Choice, Pending] = {}
        """Preparations that have not begun, for all revisions that want the same code."""
        self._limit = anyio.Semaphore(AT_ONCE)

    async def code(self, wanted: Wanted, container: Container) -> Code:
        """The code of one of the containers of *wanted*. Raises ``InstanceFailed``."""
        choice = self._choose(wanted, container)
        if isinstance(choice, Unrunnable):
            raise InstanceFailed(choice.reason, choice.message)
        report = self._report(wanted)
        if wanted.leads(container):
            require_supported(wanted.spec, choice.runtime, self._uid)
            ignored = without_effect(wanted.spec, choice.runtime)
            if ignored:
                report(f"without effect on a {choice.runtime} instance: {', '.join(ignored)}")
        choice = self._resolved(wanted, container.name, choice)
        if isinstance(choice.workload, LocalCommand):
            return await self._command(choice, report)
        async with self._limit:
            return await self._built(choice, report)

    def _resolved(self, wanted: Wanted, container: str, choice: Choice) -> Choice:
        """*choice* with what this run's configuration and an earlier run know of its image."""
        workload = choice.workload
        if not isinstance(workload, StoredImage):
            return choice
        namespace, view = wanted.namespace, self._registry.view
        image = None
        if wanted.revision:
            image = view.get(Image, namespace, image_name(wanted.revision, container))
        reference = workload.reference
        if image is not None and image.status.digest:
            # Fixed when the revision was new; its tag may mean something else by now.
            reference = at_digest(reference, image.status.digest)
        secrets = (
            view.get(Secret, namespace, each.name) for each in wanted.spec.image_pull_secrets
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
        while (shared := self._queued.get(choice)) is not None:
            await shared.done.wait()
            if shared.code is not None or shared.failure is not None:
                return await shared.outcome("")
            # Whoever had begun it has been cancelled.
        shared = self._queued[choice] = Pending()
        try:
            async with self._limit:
                del self._queued[choice]
                shared.code = await self._prepared_by(choice, report)
        except InstanceFailed as exc:
            shared.failure = exc
        except Exception as exc:  # noqa: BLE001  what one brings to light ends no others
            shared.failure = defect(exc)
        finally:
            if self._queued.get(choice) is shared:
                del self._queued[choice]
            shared.done.set()
        return await shared.outcome("")

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

    def _report(self, wanted: Wanted) -> Report:
        def report(text: str, share: float | None = None) -> None:
            self._publish(
                PreparationStep(
                    at=self._clock.wall(),
                    namespace=wanted.namespace,
                    service=wanted.service,
                    revision=wanted.revision,
                    text=text,
                    share=share,
                )
            )

        return report
