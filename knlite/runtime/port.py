"""The contract of a runtime: prepare code once, start instances of it, stop them, leave nothing.

A runtime knows nothing of revisions, routes or scaling: it gets a ``Launch`` and gives an
``Instance``. It never retries and never decides; whoever calls it does.

What holds for every runtime (``tests/contract/test_runtime.py`` runs against each):

* A launch is a whole pod. All its containers share one network, so they reach each other on
  localhost, and the volumes that they mount. Exactly one of them serves.
* *Prepare* may take long (build, pull, install) and is done again cheaply when nothing changed.
* *Start* runs the init containers one after the other, then starts the containers, and returns as
  soon as their programs run, long before they are ready; readiness is probed by the caller. When
  one container ends by itself ``wait`` returns, whatever the reason: all of them have to run.
* *Starting again* under the same instance name, after ``stop``, is a restart in place: what its
  volumes hold is still there, and init containers that have succeeded do not run again.
  ``discard`` ends that memory.
* *Stop* sends SIGTERM, waits for the grace, then SIGKILL, to everything the instance started, and
  returns when all of it is gone. Stopping twice, or what has ended, does nothing.
* *Freeze* keeps what it is where it is; *thaw* lets it go on from there. Both may be called twice.
  ``stop`` ends a frozen one like any other, and so does a crash.
* *Cancellation* of prepare or start leaves nothing behind.
* *Crash*: instances end with the process that started them, also on ``kill -9``, or at the latest
  when ``sweep`` of the next run finds them.
* Nothing here blocks the event loop.

Source: Knative reference §4 (runtime contract), §3.8 (shutdown).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from knlite.functions.report import Report as Report
from knlite.serving.container import TERMINATION_LOG, Limits, Mount, Security
from knlite.serving.instance import Address
from knlite.serving.vantage import Vantage
from knlite.serving.volume import FileVolume, VolumeContent
from knlite.serving.workload import Workload

Log = Callable[[Literal["stdout", "stderr"], str], None]
"""Takes one line (without its line end) that a container wrote."""

Logs = Callable[[str], Log]
"""Gives the log of the container of that name."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Code that is ready to start. Only the runtime that made it understands *handle*."""

    handle: object
    digest: str
    """Content address of the code, ``sha256:…``; changes when, and only when, the code does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerLaunch:
    """One program of a pod."""

    name: str
    prepared: Prepared
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The complete environment of the contract but for PORT, which the runtime sets on the
    container that serves."""
    command: tuple[str, ...] = ()
    """Replaces the image's entrypoint; only for images."""
    args: tuple[str, ...] = ()
    """Replaces the image's command, or is added to a local command's words."""
    working_dir: str = ""
    limits: Limits = Limits()
    security: Security = Security()
    mounts: tuple[Mount, ...] = ()
    termination_path: str = TERMINATION_LOG
    termination_from_log: bool = True
    """Whether the end of its log stands in for last words that it did not leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Everything a runtime needs to know to start one instance."""

    namespace: str
    service: str
    revision: str
    instance: str
    """Unique in this run; a DNS label or longer, safe as a container's name."""
    port: int
    """The port the serving program is asked to serve on. A runtime without a network of its own
    per instance gives each instance another one, and says so in ``Instance.address``. 0 if it
    serves nobody."""
    serving: ContainerLaunch
    """The container that answers requests."""
    sidecars: tuple[ContainerLaunch, ...] = ()
    """The other containers, in the manifest's order."""
    init: tuple[ContainerLaunch, ...] = ()
    """Programs that have to succeed first, one after the other."""
    volumes: Mapping[str, VolumeContent] = field(default_factory=dict)
    """By name; those that no container mounts do not matter."""
    fs_group: int | None = None
    """Who owns the files of volumes besides root; None means root's group."""
    concurrency: int = 0
    """containerConcurrency: how many requests it may have to run at once; 0 means any number."""

    @property
    def containers(self) -> tuple[ContainerLaunch, ...]:
        """All that run side by side, the serving one first."""
        return (self.serving, *self.sidecars)


@dataclass(frozen=True, slots=True)
class Exit:
    """How an instance ended."""

    code: int
    """The exit code of the first container that ended (128 + n when killed by signal n)."""
    container: str = ""
    """Its name."""
    oom: bool = False
    """Whether it was killed for exceeding its memory limit."""
    message: str = ""
    """Its last words: what it left at its termination path, else the end of its log."""


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command in a container came to."""

    code: int | None
    """Its exit code; None when it did not end in time."""
    output: str
    """Both streams together."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an instance has used, all its containers together."""

    cpu_seconds: float
    """Since its start."""
    memory_bytes: int
    """Now, without what the kernel could give back at once."""


class Instance(Protocol):
    """A started pod."""

    @property
    def address(self) -> Address:
        """Where it is expected to listen."""
        ...

    @property
    def label(self) -> str:
        """What a person calls it: ``pid 4121``, ``container 3f2a91c0``."""
        ...

    @property
    def origin(self) -> str:
        """What its start was: ``forked``, ``spawned``, ``container``; after a colon, why it could
        not be forked."""
        ...

    async def wait(self) -> Exit:
        """Return once a container has ended, by itself or by ``stop``."""
        ...

    async def stop(self, grace: float) -> None:
        """End all of it: SIGTERM, up to *grace* seconds, SIGKILL. Returns when nothing is left."""
        ...

    async def park(self, grace: float) -> None:
        """End it like ``stop``, but keep what its next start may go on with, until ``discard``."""
        ...

    async def freeze(self) -> bool:
        """Keep all of it in memory without a turn on a processor, until ``thaw``.

        To be called when no request is at it. False if that cannot be done to it; then it goes on.
        """
        ...

    async def thaw(self) -> None:
        """Let it go on; returns when it can take a request. Raises ``InstanceFailed``."""
        ...

    async def exec(self, container: str, command: Sequence[str], seconds: float) -> ExecResult:
        """Run *command* in the container of that name, for at most that many *seconds*.

        A command that cannot be run, and a container that has ended, give a code that is not 0
        and say so in the output. Raises nothing.
        """
        ...

    async def usage(self) -> Usage | None:
        """What it uses; None once it has ended, or where that is not known. Cheap."""
        ...

    async def listening(self) -> tuple[Address, ...] | None:
        """Where it listens in truth, to explain why it does not answer; None if not known."""
        ...


class Runtime(Protocol):
    """One way to run code."""

    @property
    def vantage(self) -> Vantage:
        """How its instances reach the gateway."""
        ...

    @property
    def warmed(self) -> int:
        """Bytes that it holds itself so that starts are quicker, besides those of instances."""
        ...

    async def prepare(self, workload: Workload, report: Report) -> Prepared:
        """Make *workload* ready to start. Raises ``InstanceFailed`` with a Kubernetes reason."""
        ...

    async def forget(self, prepared: Prepared, kept: Collection[Prepared]) -> None:
        """Remove what *prepared* needed and *kept* does not; nothing starts it any more.

        *kept* is all that may still be started. Raises nothing.
        """
        ...

    async def start(self, launch: Launch, logs: Logs) -> Instance:
        """Start one instance. Raises ``InstanceFailed``."""
        ...

    async def refresh(self, instance: str, volumes: Mapping[str, FileVolume]) -> None:
        """Put what *volumes* hold now into those of a running instance, by name.

        A mount with a sub path keeps what it held at the start, as in Kubernetes. Does nothing
        for an instance that is not running.
        """
        ...

    async def discard(self, instance: str) -> None:
        """Free what outlives a restart of *instance*, which has been stopped for good."""
        ...

    async def release(self, volume: str) -> bool:
        """Remove the lasting *volume*; False while an instance mounts it. Raises nothing."""
        ...

    async def sweep(self) -> tuple[str, ...]:
        """Remove what crashed runs left behind; returns a word for each thing removed."""
        ...

    async def aclose(self) -> None:
        """Give back what the runtime itself holds. All its instances have been stopped before."""
        ...
