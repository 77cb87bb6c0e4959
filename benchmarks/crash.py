"""``kill -9`` at random moments of a stream of events: what was accepted must be delivered.

Every round starts knlite on the same folder, sends events as fast as they are accepted, and kills
it: knlite alone, or its writer in the same moment. The subscriber is slow at times and refuses at
times, so that events are in every state when the end comes. A last round only delivers. Every event
carries what its data and attributes must be. A power cut is another matter: what the kernel has
taken stays here.

    python -m benchmarks.crash [--rounds 100] [--seed N] [--quick]
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.cold_start import free_port
from benchmarks.report import save, table
from benchmarks.run import children

CONNECTIONS = 16
SIZES = (0, 20, 200, 2000, 70_000)
LONGEST = 1.5
"""Seconds from the first event of a round to its end, at most."""
PATIENCE = 120.0
TYPES = ("a", "b")
WANTED = {"/all": TYPES, "/b": ("b",)}
"""Which types each trigger wants, by the path of its subscriber."""

_MANIFESTS = """apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {{name: default, namespace: default}}
spec:
  delivery: {{retry: 20, backoffPolicy: linear, backoffDelay: PT0.05S}}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {{name: all, namespace: default}}
spec:
  broker: default
  subscriber: {{uri: "http://127.0.0.1:{port}/all"}}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {{name: b, namespace: default}}
spec:
  broker: default
  filter: {{attributes: {{type: b}}}}
  subscriber: {{uri: "http://127.0.0.1:{port}/b"}}
"""


@dataclass(frozen=True, slots=True)
class Round:
    """What happened until one kill."""

    seconds: float
    """From the first event to the kill."""
    both: bool
    """Whether the writer was killed too."""
    accepted: int
    came: int
    """Deliveries that the subscriber took, those of earlier events among them."""


@dataclass(slots=True)
class Ledger:
    """What was promised, and what has come."""

    accepted: dict[str, str] = field(default_factory=dict)
    """Types by id."""
    came: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often, by path and id."""
    corrupted: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    """Whose story in the log is not that of an event that all who wanted it have taken."""

    def missing(self) -> list[tuple[str, str]]:
        """Deliveries that were promised and have not come."""
        return [
            (path, name)
            for path, types in WANTED.items()
            for name, kind in self.accepted.items()
            if kind in types and not self.came[path, name]
        ]

    def again(self) -> int:
        """Deliveries that came more than once."""
        return sum(count - 1 for count in self.came.values())


@lru_cache(maxsize=10_000)
def data_of(name: str) -> bytes:
    """The data of the event *name*."""
    size = SIZES[int(hashlib.sha256(name.encode()).hexdigest(), 16) % len(SIZES)]
    return random.Random(name).randbytes(size)


def type_of(name: str) -> str:
    """The type of the event *name*."""
    return TYPES[len(data_of(name)) % 3 % 2]


async def crash(
    folder: Path, rounds: int, seed: int, longest: float = LONGEST
) -> tuple[list[Round], Ledger]:
    """Kill so often; what happened."""
    draw, ledger = random.Random(seed), Ledger()
    loop = asyncio.get_running_loop()
    port = free_port()
    server = await loop.create_server(lambda: Subscriber(ledger, draw), "127.0.0.1", port)
    (folder / "manifests").mkdir()
    (folder / "manifests" / "broker.yaml").write_text(_MANIFESTS.format(port=port))
    happened = list[Round]()
    async with server:
        for number in range(rounds):
            happened.append(await _round(folder, number, ledger, draw, longest))
            _say(f"{number + 1} of {rounds} kills: {happened[-1]}")
        process, _, admin_port = await _started(folder)
        until = time.monotonic() + PATIENCE
        while ledger.missing() and time.monotonic() < until:  # noqa: ASYNC110  a program's end
            await asyncio.sleep(0.05)
        ledger.unexplained = await asyncio.to_thread(_unexplained, admin_port, ledger)
        process.terminate()
        await asyncio.to_thread(process.wait, PATIENCE)
    _say("")
    return happened, ledger


async def _round(
    folder: Path, number: int, ledger: Ledger, draw: random.Random, longest: float
) -> Round:
    process, port, _ = await _started(folder)
    accepted, came = len(ledger.accepted), ledger.came.total()
    seconds, both = draw.uniform(0.0, longest), draw.random() < 0.5
    names = (f"{number}-{count}" for count in range(1_000_000))
    async with asyncio.TaskGroup() as group:
        senders = [
            group.create_task(_send(port, names, ledger.accepted)) for _ in range(CONNECTIONS)
        ]
        await asyncio.sleep(seconds)
        writers = children(process.pid) if both else []
        for pid in (process.pid, *writers):
            os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait, PATIENCE)
        for sender in senders:
            sender.cancel()
    return Round(
        round(seconds, 3), both, len(ledger.accepted) - accepted, ledger.came.total() - came
    )


async def _started(folder: Path) -> tuple["subprocess.Popen[bytes]", int, int]:
    """A knlite that is ready, and its ports."""
    port, admin_port = free_port(), free_port()
    options = ("--runtime", "process", "--data-dir", str(folder / "data"))
    options += ("--port", str(port), "--admin-port", str(admin_port))
    process = subprocess.Popen(  # noqa: ASYNC220  nothing else happens in the meantime
        [sys.executable, "-m", "knlite", "up", str(folder / "manifests"), *options],
        stdout=subprocess.DEVNULL,
    )
    until = time.monotonic() + PATIENCE
    while not await asyncio.to_thread(_answers, admin_port):
        if process.poll() is not None or time.monotonic() > until:
            sys.exit("knlite did not start again")
        await asyncio.sleep(0.02)
    return process, port, admin_port


def _answers(admin_port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{admin_port}/readyz", timeout=5):
            return True
    except (URLError, OSError):
        return False


def _unexplained(admin_port: int, ledger: Ledger) -> list[str]:
    connection = HTTPConnection("127.0.0.1", admin_port, timeout=PATIENCE)
    found = []
    with closing(connection):
        for name, kind in ledger.accepted.items():
            connection.request("GET", f"/knlite/explain?id={name}")
            stories = json.loads(connection.getresponse().read())["stories"]
            wanted = sum(kind in types for types in WANTED.values())
            if not any(_explains(story, wanted) for story in stories):
                found.append(name)
    return found


def _explains(story: dict[str, Any], wanted: int) -> bool:
    taken = [row for row in story["rows"] if row["state"] == "delivered" and row["attempts"]]
    return story["state"] == "delivered" and len(taken) == wanted


async def _send(port: int, names: Iterator[str], accepted: dict[str, str]) -> None:
    """Send event after event until the connection breaks."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return
    try:
        for name in names:
            writer.write(_request(name))
            answer = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(_value(answer, b"content-length") or 0))
            if answer.startswith(b"HTTP/1.1 202"):
                accepted[name] = type_of(name)
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _request(name: str) -> bytes:
    data = data_of(name)
    head = (
        "POST /ns/default/brokers/default HTTP/1.1\r\nHost: localhost\r\n"
        "ce-specversion: 1.0\r\nce-source: /crash\r\nContent-Type: application/x-noise\r\n"
        f"ce-id: {name}\r\nce-type: {type_of(name)}\r\nce-noise: {_digest(data)}\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


class Subscriber(asyncio.Protocol):
    """One connection to it: takes most events at once, some late, and refuses some."""

    def __init__(self, ledger: Ledger, draw: random.Random) -> None:
        self._ledger = ledger
        self._draw = draw
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        length = int(_value(head, b"content-length") or 0)
        if not end or len(body) < length:
            return
        self._data = body[length:]
        lot = self._draw.random()
        if lot < 0.03:
            self._answer(b"503 Service Unavailable")
            return
        self._note(head, body[:length])
        if lot < 0.06:
            asyncio.get_running_loop().call_later(lot * 5, self._answer, b"200 OK")
        else:
            self._answer(b"200 OK")

    def _note(self, head: bytes, body: bytes) -> None:
        path = head.split(b" ", 2)[1].decode()
        name = _value(head, b"ce-id").decode()
        if (
            body != data_of(name)
            or _value(head, b"ce-noise").decode() != _digest(body)
            or _value(head, b"ce-type").decode() != type_of(name)
            or type_of(name) not in WANTED[path]
            or _value(head, b"content-type") != b"application/x-noise"
        ):
            self._ledger.corrupted.append(name)
        self._ledger.came[path, name] += 1

    def _answer(self, status: bytes) -> None:
        self._transport.write(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % status)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _value(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n"):
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return b""


def is_sound(folder: Path) -> bool:
    """Whether SQLite finds nothing wrong in the file of events."""
    db = sqlite3.connect(folder / "data" / "events.sqlite")
    try:
        return bool(db.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    finally:
        db.close()


def main() -> None:
    """Kill, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--quick", action="store_true", help="a look: 3 rounds, nothing is saved")
    options = parser.parse_args()
    rounds = 3 if options.quick else options.rounds
    with tempfile.TemporaryDirectory(prefix="knlite-crash-") as name:
        happened, ledger = asyncio.run(crash(Path(name), rounds, options.seed))
        sound = is_sound(Path(name))
    text = _text(happened, ledger, sound)
    if options.quick:
        print(text)
    else:
        results = [asdict(each) for each in happened]
        save("crash", "Crashes", text, {"seed": options.seed, "rounds": results})
    if ledger.missing() or ledger.corrupted or ledger.unexplained or not sound:
        for what in ("corrupted", "unexplained"):
            print(f"{what}: {getattr(ledger, what)[:10]}", file=sys.stderr)
        sys.exit(f"lost: {ledger.missing()[:10]}")


def _text(happened: list[Round], ledger: Ledger, sound: bool) -> str:
    about = (
        f"`kill -9` at {len(happened)} random moments within {LONGEST:g} s of a stream over"
        f" {CONNECTIONS} connections, data of up to {max(SIZES):,} bytes; two triggers, and a"
        " subscriber that is late for 3 % and refuses 3 %. Half of the time the writer is killed"
        " too."
    )
    rows = [
        ("kills", f"{len(happened)} ({sum(each.both for each in happened)} with the writer)"),
        ("events that got a 202", f"{len(ledger.accepted):,}"),
        ("deliveries", f"{ledger.came.total():,}"),
        ("lost", f"{len(ledger.missing()):,}"),
        ("corrupted", f"{len(ledger.corrupted):,}"),
        ("not explained by the log", f"{len(ledger.unexplained):,}"),
        ("delivered more than once", f"{ledger.again():,}"),
        ("integrity of the file", "ok" if sound else "damaged"),
    ]
    return f"{about}\n\n{table(('', ''), rows)}"


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
