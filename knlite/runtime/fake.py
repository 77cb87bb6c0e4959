"""A runtime in memory that follows a script, for tests of what stands above a runtime.

Nothing listens at its addresses: ``accepts`` says whether the program there would, so a test's
probe asks that instead of a socket. All times are the Clock's.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import anyio

from knlite.clock import Clock
from knlite.errors import InstanceFailed
from knlite.runtime.port import Exit, Launch, Log, Prepared, Report
from knlite.serving.instance import Address
from knlite.serving.vantage import ByPath
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
    lives: float | None = None
    """From the start until it ends by itself with *code*; None is for ever."""
    code: int = 1
    says: tuple[str, ...] = ()
    """Lines on stdout at the start."""
    prepare_fails: InstanceFailed | None = None
    start_fails: InstanceFailed | None = None


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
        self._ends_at: float | None = None
        """When it will have done what SIGTERM asks for."""
        if script.lives is not None:
            clock.call_at(clock.now() + script.lives, lambda: self.end(Exit(script.code)))

    @property
    def label(self) -> str:
        """``fake NAME``."""
        return f"fake {self.launch.instance}"

    @property
    def accepts(self) -> bool:
        """Whether a connection to it would be accepted now."""
        return self._exit is None and self._clock.now() >= self._listens_at

    def end(self, how: Exit) -> None:
        """End it now; no effect when it has ended."""
        if self._exit is None:
            self._exit = how
            self._gone.set()

    async def wait(self) -> Exit:
        """Return once it has ended."""
        await self._gone.wait()
        return self._exit or KILLED

    async def stop(self, grace: float) -> None:
        """End it as its script says, or when the grace is over."""
        now = self._clock.now()
        if self._ends_at is None:
            self._ends_at = now + self._script.stopping
        how = TERMINATED if self._ends_at <= now + grace else KILLED
        self._clock.call_at(min(self._ends_at, now + grace), lambda: self.end(how))
        await self._gone.wait()

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

    async def start(self, prepared: Prepared, launch: Launch, log: Log) -> FakeInstance:
        """Begin an instance's life, or fail as the script says."""
        script = prepared.handle
        if not isinstance(script, Script):
            raise TypeError("prepared by another runtime")
        if script.start_fails is not None:
            raise script.start_fails
        address = Address("127.0.0.1", 1024 + len(self.instances))
        instance = FakeInstance(launch, address, script, self._clock)
        self.instances.append(instance)
        for line in script.says:
            log("stdout", line)
        return instance

    async def sweep(self) -> tuple[str, ...]:
        """Nothing: memory does not outlive a crash."""
        return ()

    async def aclose(self) -> None:
        """Nothing to give back."""
