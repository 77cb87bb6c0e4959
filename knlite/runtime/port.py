"""The contract of a runtime: prepare code once, start instances of it, stop them, leave nothing.

A runtime knows nothing of revisions, routes or scaling: it gets a ``Launch`` and gives an
``Instance``. It never retries and never decides; whoever calls it does.

What holds for every runtime (``tests/contract/test_runtime.py`` runs against each):

* *Prepare* may take long (build, pull, install) and is done again cheaply when nothing changed.
* *Start* returns as soon as the program runs, long before it is ready; readiness is probed by the
  caller. An instance that ends by itself makes ``wait`` return, whatever the reason.
* *Stop* sends SIGTERM, waits for the grace, then SIGKILL, to everything the instance started, and
  returns when all of it is gone. Stopping twice, or what has ended, does nothing.
* *Cancellation* of prepare or start leaves nothing behind.
* *Crash*: instances end with the process that started them, also on ``kill -9``, or at the latest
  when ``sweep`` of the next run finds them.
* Nothing here blocks the event loop.

Source: Knative reference §4 (runtime contract), §3.8 (shutdown).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from knlite.serving.instance import Address
from knlite.serving.vantage import Vantage
from knlite.serving.workload import Workload

Log = Callable[[Literal["stdout", "stderr"], str], None]
"""Takes one line (without its line end) that the instance wrote."""

Report = Callable[[str], None]
"""Takes a sentence about a step that takes time, for the person who waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Resource limits; None means none."""

    cpus: float | None = None
    memory: int | None = None
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Everything a runtime needs to know to start one instance."""

    namespace: str
    service: str
    revision: str
    instance: str
    """Unique in this run; a DNS label or longer, safe as a container's name."""
    env: Mapping[str, str]
    """The complete environment of the contract but for PORT, which the runtime sets."""
    port: int
    """The port the program is asked to serve on. A runtime without a network of its own per
    instance gives each instance another one, and says so in ``Instance.address``."""
    command: tuple[str, ...] = ()
    """Replaces the image's entrypoint; only for images."""
    args: tuple[str, ...] = ()
    """Replaces the image's command, or is added to a local command's words."""
    working_dir: str = ""
    limits: Limits = Limits()
    user: int | None = None
    concurrency: int = 0
    """containerConcurrency: how many requests it may have to run at once; 0 means any number."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Code that is ready to start. Only the runtime that made it understands *handle*."""

    handle: object
    digest: str
    """Content address of the code, ``sha256:…``; changes when, and only when, the code does."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How an instance ended: its exit code (128 + n when killed by signal n)."""

    code: int


class Instance(Protocol):
    """A started program."""

    @property
    def address(self) -> Address:
        """Where it is expected to listen."""
        ...

    @property
    def label(self) -> str:
        """What a person calls it: ``pid 4121``, ``container 3f2a91c0``."""
        ...

    async def wait(self) -> Exit:
        """Return once it has ended, by itself or by ``stop``."""
        ...

    async def stop(self, grace: float) -> None:
        """End it: SIGTERM, up to *grace* seconds, SIGKILL. Returns when nothing of it is left."""
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

    async def prepare(self, workload: Workload, report: Report) -> Prepared:
        """Make *workload* ready to start. Raises ``InstanceFailed`` with a Kubernetes reason."""
        ...

    async def start(self, prepared: Prepared, launch: Launch, log: Log) -> Instance:
        """Start one instance. Raises ``InstanceFailed``."""
        ...

    async def sweep(self) -> tuple[str, ...]:
        """Remove what crashed runs left behind; returns a word for each thing removed."""
        ...

    async def aclose(self) -> None:
        """Give back what the runtime itself holds. All its instances have been stopped before."""
        ...
