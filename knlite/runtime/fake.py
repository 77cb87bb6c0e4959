"""A runtime in memory that follows a script, for tests of what stands above a runtime.

Nothing listens at its addresses: ``accepts`` says whether the program there would, so a test's
probe asks that instead of a socket. All times are the Clock's.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import anyio

from knlite.clock import Clock
from knlite.runtime.port import ExecResult, Exit, Launch, Logs, Prepared, Report, Usage
from knlite.serving.instance import Address
from knlite.serving.vantage import ByPath
from knlite.serving.volume import FileVolume
from knlite.serving.workload import Workload

TERMINATED, KILLED = Exit(128 + 15), Exit(128 + 9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How a workload behaves; times in seconds."""

    preparing: float = 0.0
    booting: float = 0.0
    """From the start until it listens."""
    stopping: float = 0.0
    """From SIGTERM until it ends."""
    freezing: float = 0.0
    freezes: bool = True
    """Whether it can be frozen."""
    thawing: float = 0.0
    lives: float | None = None
    """From the start until it ends by itself with *code*; None is for ever."""
    code: int = 1
    says: tuple[str, ...] = ()
    """Lines on stdout at the start."""
    message: str = ""
    """Its last words when it ends by itself."""
    usage: Usage = Usage(0.0, 0)
    prepare_fails: Exception | None = None
    start_fails: Exception | None = None


class FakeInstance:
    """An instance that exists as a few times on the Clock."""

    def __init__(self, launch: Launch, address: Address, script: Script, clock: Clock) -> None:
        self.launch = launch
        self.address = address
        self._script = script
        self._clock = clock
        self._listens_at = clock.now() + script.booting
        self._exit: Exit | None = None
        self._gone = anyio.Event()
        self.frozen = False
        self.origin = "spawned"
        self._ends_at: float | None = None
        """When it will have done what SIGTERM asks for."""
        self.answers: Callable[[str, tuple[str, ...]], ExecResult] = lambda *_: ExecResult(0, "")
        """What a command in the container of a name comes to; a test may put its own here."""
        self.uses: Callable[[], Usage] = lambda: script.usage
        """What it has used; a test may put its own here."""
        if script.lives is not None:
            clock.call_at(clock.now() + script.lives, self._end_by_itself)

    @property
    def label(self) -> str:
        """``fake NAME``."""
        return f"fake {self.launch.instance}"

    @property
    def accepts(self) -> bool:
        """Whether a connection to it would be answered now."""
        return self._exit is None and not self.frozen and self._clock.now() >= self._listens_at

    def end(self, how: Exit) -> None:
        """End it now; no effect when it has ended."""
        if self._exit is None:
            self._exit = how
            self._gone.set()

    def _end_by_itself(self) -> None:
        script = self._script
        self.end(Exit(script.code, self.launch.serving.name, message=script.message))

    async def wait(self) -> Exit:
        """Return once it has ended."""
        await self._gone.wait()
        return self._exit or KILLED

    async def stop(self, grace: float) -> None:
        """End it as its script says, or when the grace is over."""
        self.frozen = False
        now = self._clock.now()
        if self._ends_at is None:
            self._ends_at = now + self._script.stopping
        how = TERMINATED if self._ends_at <= now + grace else KILLED
        self._clock.call_at(min(self._ends_at, now + grace), lambda: self.end(how))
        await self._gone.wait()

    async def park(self, grace: float) -> None:
        """The same: its files stay until they are discarded in any case."""
        await self.stop(grace)

    async def freeze(self) -> bool:
        """As the script says."""
        await self._pause(self._script.freezing)
        if not self._script.freezes or self._exit is not None:
            return False
        self.frozen = True
        return True

    async def thaw(self) -> None:
        """As the script says."""
        if self.frozen:
            await self._pause(self._script.thawing)
            self.frozen = False

    async def _pause(self, seconds: float) -> None:
        if seconds:
            await self._clock.sleep_until(self._clock.now() + seconds)

    async def exec(self, container: str, command: Sequence[str], seconds: float) -> ExecResult:
        """What ``answers`` says."""
        if self._exit is not None or not command:
            return ExecResult(1, "it has ended, or there is no command")
        return self.answers(container, tuple(command))

    async def usage(self) -> Usage | None:
        """What the script says."""
        return None if self._exit is not None else self.uses()

    async def listening(self) -> tuple[Address, ...] | None:
        """Its address, once it has booted."""
        return (self.address,) if self.accepts else ()


class FakeRuntime:
    """Starts what a script describes."""

    def __init__(
        self, clock: Clock, script: Callable[[Workload], Script] = lambda _: Script()
    ) -> None:
        self.vantage = ByPath("http://127.0.0.1:8080")
        self.instances: list[FakeInstance] = []
        """All that were ever started, in order."""
        self.discarded: list[str] = []
        """Names of those that will not be started again."""
        self.forgotten: list[str] = []
        """Digests of what was prepared and will not be started again."""
        self.released: list[str] = []
        """Lasting volumes that were to be removed."""
        self.warmed = 0
        self.mounted: set[str] = set()
        """Those that cannot be removed yet."""
        self.volumes: dict[str, dict[str, FileVolume]] = {}
        """What was put into the volumes of running instances, by instance and name."""
        self._clock = clock
        self._script = script

    def accepts(self, address: Address) -> bool:
        """Whether an instance at *address* would accept a connection now."""
        return any(one.address == address and one.accepts for one in self.instances)

    async def prepare(self, workload: Workload, report: Report) -> Prepared:
        """Take the time that the script says, or fail as it says."""
        script = self._script(workload)
        if script.preparing:
            report("preparing")
            await self._clock.sleep_until(self._clock.now() + script.preparing)
        if script.prepare_fails is not None:
            raise script.prepare_fails
        content = hashlib.sha256(repr(workload).encode()).hexdigest()
        return Prepared(script, f"sha256:{content}")

    async def forget(self, prepared: Prepared, kept: Collection[Prepared]) -> None:
        """Remember which."""
        if prepared.digest not in {each.digest for each in kept}:
            self.forgotten.append(prepared.digest)

    async def start(self, launch: Launch, logs: Logs) -> FakeInstance:
        """Begin an instance's life as the script of what serves says, or fail as it says."""
        script = launch.serving.prepared.handle
        if not isinstance(script, Script):
            raise TypeError("prepared by another runtime")
        if script.start_fails is not None:
            raise script.start_fails
        address = Address("127.0.0.1", 1024 + len(self.instances))
        instance = FakeInstance(launch, address, script, self._clock)
        self.instances.append(instance)
        for line in script.says:
            logs(launch.serving.name)("stdout", line)
        return instance

    async def refresh(self, instance: str, volumes: Mapping[str, FileVolume]) -> None:
        """Remember it."""
        self.volumes.setdefault(instance, {}).update(volumes)

    async def discard(self, instance: str) -> None:
        """Remember it."""
        self.discarded.append(instance)
        self.volumes.pop(instance, None)

    async def release(self, volume: str) -> bool:
        """Remember it."""
        self.released.append(volume)
        return volume not in self.mounted

    async def sweep(self) -> tuple[str, ...]:
        """Nothing: memory does not outlive a crash."""
        return ()

    async def aclose(self) -> None:
        """Nothing to give back."""
