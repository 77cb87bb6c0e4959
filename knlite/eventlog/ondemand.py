"""An engine that is made when the first resource asks for it.

Its client library costs time and memory that runs without such resources are not to pay.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import anyio
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.eventlog.absent import ExtraNotInstalled
from knlite.eventlog.port import Engine, EventLog, Owner
from knlite.facts import Publish


@dataclass(frozen=True, slots=True)
class Maker:
    """Where an engine is, and what it needs."""

    extra: str
    """That brings the library: ``pip install "knlite[EXTRA]"``."""
    library: str
    module: str
    name: str

    @property
    def package(self) -> str:
        """As package indexes call the library."""
        return self.library.replace("_", "-")

    def make(self, publish: Publish, clock: Clock, draw: random.Random) -> Engine:
        """The engine, or what stands for it if its library cannot be used."""
        if find_spec(self.library) is None:
            cause = f"the Python package {self.package} is not installed"
            return ExtraNotInstalled(self.extra, cause, publish, clock)
        try:
            engine: Engine = getattr(import_module(self.module), self.name)(publish, clock, draw)
        except Exception as exc:  # noqa: BLE001  what is installed may fail in any way
            # Another version, or what it needs is missing, or does not fit this Python.
            said = str(exc) if isinstance(exc, ImportError) else f"{type(exc).__name__}: {exc}"
            cause = f"the Python package {self.package} cannot be used: {said}"
            return ExtraNotInstalled(self.extra, cause, publish, clock)
        return engine


KAFKA = Maker("kafka", "aiokafka", "knlite.eventlog.kafka.engine", "KafkaEngine")
RABBITMQ = Maker("rabbitmq", "aio_pika", "knlite.eventlog.rabbitmq.engine", "RabbitmqEngine")


class OnDemand:
    """Implements ``port.Engine``."""

    newest = 0

    def __init__(self, maker: Maker, publish: Publish, clock: Clock, draw: random.Random) -> None:
        self._maker = maker
        self._publish = publish
        self._clock = clock
        self._draw = draw
        self._engine: Engine | None = None
        self._wanted = anyio.Event()

    def log(self, resource: Owner, readers: Collection[str]) -> EventLog:
        if self._engine is None:
            self._engine = self._maker.make(self._publish, self._clock, self._draw)
            self._wanted.set()
        return self._engine.log(resource, readers)

    def forget(self, uid: str) -> None:
        if self._engine is not None:
            self._engine.forget(uid)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        await self._wanted.wait()
        assert self._engine is not None
        await self._engine.run()
