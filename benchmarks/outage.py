"""A stream of events while something ends in its middle: the server that keeps them, or knlite.

Each run sends events over several connections to a Broker on RabbitMQ or Kafka, every event again
and again until it gets a 202. In the middle the server is stopped and comes back after a while; or
knlite is killed (``kill -9``) and started again at once. Every event must arrive; what arrives more
than once is counted, and how often that is the sender's doing, who cannot know whether an event
that got no answer or a 503 was taken.

    python -m benchmarks.outage [--engine rabbitmq,kafka] [--events 20000] [--away 20] [--quick]
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import cast
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.cold_start import free_port
from benchmarks.report import save, table
from benchmarks.servers import CLASSES, Place, places

CONNECTIONS = 32
AGAIN = 0.1
"""Seconds before an event is sent again that was not accepted."""
DATA = bytes(200)
PATIENCE = 180.0
WHAT = {"server": "server stopped", "knlite": "knlite killed"}

_MANIFESTS = """apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: default
  namespace: bench
  annotations: {{eventing.knative.dev/broker.class: {engine}}}
spec:
  config: {config}
  delivery: {{retry: 20, backoffPolicy: linear, backoffDelay: PT0.05S}}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: all
  namespace: bench
  annotations: {{rabbitmq.eventing.knative.dev/parallelism: "100"}}
spec:
  broker: default
  subscriber: {{uri: "http://127.0.0.1:{port}/"}}
"""


@dataclass(slots=True)
class Ledger:
    """What was sent and answered, and what has come; times of the monotonic clock."""

    accepted: set[str] = field(default_factory=set)
    unclear: set[str] = field(default_factory=set)
    """Sent again because there was no 202: they may have been taken all the same."""
    refused: int = 0
    """Answers 503."""
    curt: int = 0
    """Those of them that did not say when to come back."""
    broken: int = 0
    """Requests that got no answer."""
    other: Counter[str] = field(default_factory=Counter)
    came: Counter[str] = field(default_factory=Counter)
    accepted_at: list[float] = field(default_factory=list)
    came_at: list[float] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """Accepted, and not come."""
        return [name for name in self.accepted if not self.came[name]]

    @property
    def again(self) -> set[str]:
        """Come more than once."""
        return {name for name, count in self.came.items() if count > 1}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run."""

    engine: str
    what: str
    accepted: int
    lost: int
    duplicates: int
    """Deliveries of events that had come before."""
    unclear: int
    """Events among those that the sender had sent again."""
    refused: int
    curt: int
    broken: int
    accepting: float
    """Seconds from when the server or knlite was started again to the first 202."""
    delivering: float
    """And to the first delivery."""
    quiet: float
    """The longest time in which nothing was delivered."""
    over: float
    """Seconds from the first event sent to the last one delivered."""


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outage", description=__doc__)
    parser.add_argument("--engine", default="rabbitmq,kafka")
    parser.add_argument("--events", type=int, default=20_000, help="of each run")
    parser.add_argument("--away", type=float, default=20.0, help="seconds without the server")
    parser.add_argument("--quick", action="store_true", help="a look: short, and nothing is saved")
    options = parser.parse_args()
    events, away = (4000, 4.0) if options.quick else (options.events, options.away)
    outcomes = list[Outcome]()
    for engine in options.engine.split(","):
        if engine not in CLASSES:
            parser.error(f"there is no server {engine!r}; there are {', '.join(CLASSES)}")
        for what in WHAT:
            with tempfile.TemporaryDirectory(prefix="knlite-outage-") as name:
                folder = Path(name)
                with places([engine], folder) as found:
                    if what == "server" and not found[engine].server.is_own:
                        print(f"{engine}: not ours to stop; that run is left out", file=sys.stderr)
                        continue
                    outcomes.append(outage(engine, found[engine], folder, what, events, away))
            if options.quick:
                print(outcomes[-1], flush=True)
    text = _text(outcomes, events, away)
    if options.quick:
        print(text)
    else:
        save("outage", "Outages", text, {"runs": [asdict(each) for each in outcomes]})
    bad = [each for each in outcomes if each.lost or each.accepted < events]
    if bad:
        sys.exit(f"lost: {bad}")


def outage(engine: str, place: Place, folder: Path, what: str, events: int, away: float) -> Outcome:
    """Send *events*; in their middle *what* ends: the ``server`` for *away* seconds, or ``knlite``.

    Raises ``RuntimeError`` if an event gets an answer that is neither 202 nor 503.
    """
    return asyncio.run(_outage(engine, place, folder, what, events, away))


async def _outage(
    engine: str, place: Place, folder: Path, what: str, events: int, away: float
) -> Outcome:
    ledger, port = Ledger(), free_port()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Subscriber(ledger), "127.0.0.1", port)
    (folder / "manifests").mkdir()
    broker = _MANIFESTS.format(engine=CLASSES[engine], config=place.config, port=port)
    (folder / "manifests" / "broker.yaml").write_text(place.manifests + broker)
    knlite = Knlite(folder)
    async with server:
        try:
            await knlite.start()
            began = time.monotonic()
            names = (str(number) for number in range(events))
            async with asyncio.TaskGroup() as group:
                for _ in range(CONNECTIONS):
                    group.create_task(_send(knlite.port, names, ledger))
                while len(ledger.accepted) < events // 2:  # noqa: ASYNC110  a program's middle
                    await asyncio.sleep(0.01)
                if what == "server":
                    await asyncio.to_thread(place.server.stop)
                    await asyncio.sleep(away)
                    await asyncio.to_thread(place.server.start)
                    back = time.monotonic()
                else:
                    await knlite.kill()
                    back = time.monotonic()
                    await knlite.start()
            until = time.monotonic() + PATIENCE
            while ledger.missing and time.monotonic() < until:  # noqa: ASYNC110  a program's end
                await asyncio.sleep(0.1)
            # What comes twice may come late.
            await asyncio.sleep(2)
        finally:
            await knlite.stop()
    if ledger.other:
        raise RuntimeError(f"answered {ledger.other.most_common(3)}")
    return _outcome(engine, what, ledger, began, back)


def _outcome(engine: str, what: str, ledger: Ledger, began: float, back: float) -> Outcome:
    came = ledger.came_at
    return Outcome(
        engine=engine,
        what=what,
        accepted=len(ledger.accepted),
        lost=len(ledger.missing),
        duplicates=sum(count - 1 for count in ledger.came.values()),
        unclear=len(ledger.again & ledger.unclear),
        refused=ledger.refused,
        curt=ledger.curt,
        broken=ledger.broken,
        accepting=_first(ledger.accepted_at, back) - back,
        delivering=_first(came, back) - back,
        quiet=max((b - a for a, b in pairwise(came)), default=0.0),
        over=max(came, default=began) - began,
    )


def _first(times: list[float], after: float) -> float:
    return next((each for each in times if each >= after), float("inf"))


class Knlite:
    """A ``knlite up`` that keeps its ports and its folder."""

    def __init__(self, folder: Path) -> None:
        self.port, self.admin_port = free_port(), free_port()
        options = ["--runtime", "process", "--data-dir", str(folder / "data")]
        options += ["--port", str(self.port), "--admin-port", str(self.admin_port)]
        self._command = [sys.executable, "-m", "knlite", "up", str(folder / "manifests"), *options]

    async def start(self) -> None:
        """Start it; returns when it is ready."""
        self._process = subprocess.Popen(  # noqa: ASYNC220  nothing else happens in the meantime
            self._command, stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE
        while not await asyncio.to_thread(self._ready):
            if self._process.poll() is not None or time.monotonic() > until:
                sys.exit("knlite did not start")
            await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        await asyncio.to_thread(self._process.wait, PATIENCE)

    async def stop(self) -> None:
        """End it in good order."""
        self._process.terminate()
        await asyncio.to_thread(self._process.wait, PATIENCE)

    def _ready(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.admin_port}/readyz", timeout=5):
                return True
        except (URLError, OSError):
            return False


async def _send(port: int, names: Iterator[str], ledger: Ledger) -> None:
    """Send one event after another, each until it is accepted."""
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    for name in names:
        while name not in ledger.accepted:
            try:
                if connection is None:
                    connection = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(AGAIN)
                continue
            try:
                status = await _answer(*connection, name, ledger)
            except (OSError, asyncio.IncompleteReadError):
                connection[1].close()
                connection = None
                ledger.broken += 1
                status = b""
            if status == b"202":
                ledger.accepted.add(name)
                ledger.accepted_at.append(time.monotonic())
            else:
                ledger.unclear.add(name)
                await asyncio.sleep(AGAIN)
    if connection is not None:
        connection[1].close()
        with suppress(OSError):
            await connection[1].wait_closed()


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str, ledger: Ledger
) -> bytes:
    writer.write(
        b"POST /ns/bench/brokers/default HTTP/1.1\r\nHost: localhost\r\nce-specversion: 1.0\r\n"
        b"ce-source: /outage\r\nce-type: t\r\nContent-Type: application/octet-stream\r\n"
        b"ce-id: %s\r\nContent-Length: %d\r\n\r\n%s" % (name.encode(), len(DATA), DATA)
    )
    head = await reader.readuntil(b"\r\n\r\n")
    lines = [line.lower() for line in head.split(b"\r\n")]
    lengths = [line.partition(b":")[2] for line in lines if line.startswith(b"content-length:")]
    said = await reader.readexactly(int(lengths[0]) if lengths else 0)
    status = head[9:12]
    if status == b"503":
        ledger.refused += 1
        ledger.curt += not any(line.startswith(b"retry-after:") for line in lines)
    elif status != b"202":
        ledger.other[f"{status.decode()} {said.decode(errors='replace')[:200]}"] += 1
    return status


class Subscriber(asyncio.Protocol):
    """One connection to it: takes everything at once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower() + b"\r\n"
            length = int(_value(head, b"\r\ncontent-length:") or 0)
            if len(self._data) < end + 4 + length:
                return
            self._data = self._data[end + 4 + length :]
            self._ledger.came[_value(head, b"\r\nce-id:").decode()] += 1
            self._ledger.came_at.append(time.monotonic())
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def _value(head: bytes, name: bytes) -> bytes:
    at = head.find(name)
    if at < 0:
        return b""
    return head[at + len(name) : head.index(b"\r\n", at + 2)].strip()


def _text(outcomes: list[Outcome], events: int, away: float) -> str:
    about = (
        f"{events:,} events of {len(DATA)} bytes over {CONNECTIONS} connections, each sent until it"
        f" gets a 202. In their middle the server is stopped and started {away:g} s later, or"
        " knlite is killed (`kill -9`) and started again at once. Sent twice: duplicates of events"
        " that the sender had to send again, as it could not know. Seconds count from when the"
        " server answers again, or knlite is started again."
    )
    heads = (
        "",
        "got a 202",
        "lost",
        "duplicates",
        "sent twice",
        "503",
        "no answer",
        "first 202 after s",
        "first delivery after s",
        "all delivered in s",
    )
    rows = [
        (
            f"{each.engine}, {WHAT[each.what]}",
            f"{each.accepted:,}",
            f"{each.lost:,}",
            f"{each.duplicates:,}",
            f"{each.unclear:,}",
            f"{each.refused:,}",
            f"{each.broken:,}",
            f"{each.accepting:.2f}",
            f"{each.delivering:.2f}",
            f"{each.over:.1f}",
        )
        for each in outcomes
    ]
    return f"{about}\n\n{table(heads, rows)}"


if __name__ == "__main__":
    main()
