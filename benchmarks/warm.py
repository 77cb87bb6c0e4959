"""Requests to an instance that runs, through knlite and through other ways, beside going direct.

All ways lead to the very same instance. Each round takes every way at every number of
connections, one after the other, so that a busy machine spoils all alike; what is told are medians
of the rounds, and ratios are those within a round.

    python -m benchmarks.warm [--seconds 5] [--rounds 5] [--quick]
"""

import argparse
import importlib.util
import math
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import instance, run, wrk
from benchmarks.cold_start import free_port
from benchmarks.report import RESULTS, machine, save, table

CONNECTIONS = (1, 16, 256)
MEGABYTE = 1024 * 1024
BODY_CONNECTIONS = 4
UNLIKE_CONNECTIONS = 16
UNLIKE = """
local count = 0
request = function()
    count = count + 1
    return wrk.format("GET", "/" .. count)
end
"""
"""wrk sends the same bytes again and again, which knlite recognises; with this no two are alike."""
SOCKETS = 1000
FILES = 8192
"""Open files that a process may need: two sockets for each connection that it passes on."""
PATIENCE = 60.0
SAMPLE_KEY, SAMPLE_ACCEPTED = "dGhlIHNhbXBsZSBub25jZQ==", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""Of RFC 6455, section 1.3."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What knlite has to reach at some number of connections; None is no goal."""

    ratio: float | None = None
    """Least share of the requests per second of going direct."""
    p50: float | None = None
    """Most milliseconds added."""
    p99: float | None = None


GOALS = {1: Goal(p50=0.12), 16: Goal(ratio=0.25, p50=0.4, p99=1.5), 256: Goal(ratio=0.22)}
GROWTH_GOAL = 20
"""Megabytes that knlite may grow by while 2 GB pass."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the instances: where it listens for each of them, and its processes."""

    name: str
    ports: dict[str, int]
    """By instance."""
    pids: tuple[int, ...] = ()
    by_host: bool = False
    """Whether the Host tells the instance."""

    def host(self, name: str) -> str:
        """The Host of requests to the instance *name*."""
        return instance.host(name) if self.by_host else ""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.warm", description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="of each run of wrk")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a look: short, and nothing is saved")
    options = parser.parse_args()
    wrk.require()
    seconds, rounds, size, sockets = options.seconds, options.rounds, 2 * 1024**3, SOCKETS
    if options.quick:
        seconds, rounds, size, sockets = 1, 1, 256 * MEGABYTE, 200
    notes = []
    if not _raised_limit(FILES):
        notes.append(f"Only {_limit()} open files are allowed (ulimit -n), {FILES} are wanted.")
    with tempfile.TemporaryDirectory(prefix="knlite-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        ways = _ways(folder, stack, notes)
        requests = _requests(ways, seconds, rounds)
        unlike = _unlike(ways, folder, seconds, rounds)
        bodies = _bodies(ways, folder, seconds, rounds)
        transfers = [
            _transfer(ways["knlite"], direction, size) for direction in ("upload", "download")
        ]
    idle = _idle(sockets)
    text = _text(requests, unlike, bodies, transfers, idle, notes, seconds, rounds)
    if options.quick:
        print(text)
        return
    data = {
        "seconds": seconds,
        "rounds": rounds,
        "notes": notes,
        "requests": {str(count): _plain(by_way) for count, by_way in requests.items()},
        "unlike": _plain(unlike),
        "bodies": {direction: _plain(by_way) for direction, by_way in bodies.items()},
        "transfers": [asdict(each) for each in transfers],
        "idle_websockets": [asdict(each) for each in idle],
    }
    save("warm", "Warm requests", text, data)
    _plot(requests)


# The ways.


def _ways(folder: Path, stack: ExitStack, notes: list[str]) -> dict[str, Way]:
    """All that can be had here; why others cannot goes to *notes*."""
    services = folder / "services"
    services.mkdir()
    (services / "services.yaml").write_text(
        instance.service(instance.HELLO, instance.hello_command(services), instances=1)
        + instance.service(instance.BODIES, instance.bodies_command(services), instances=1),
        encoding="utf-8",
    )
    knlite = stack.enter_context(run.Run(services, facts=False))
    knlite.wait_until_settled(PATIENCE)
    direct = {name: instance.port_of(name, services) for name in (instance.HELLO, instance.BODIES)}
    ways = {"direct": Way("direct", direct)}
    if shutil.which("nginx") is not None:
        ways["nginx"] = stack.enter_context(_nginx(folder / "nginx", direct))
    else:
        notes.append("nginx is not installed (apt-get install nginx-light), so it is left out.")
    absent = [name for name in ("fastapi", "httpx", "uvicorn") if not _importable(name)]
    if not absent:
        ways["FastAPI + httpx"] = stack.enter_context(_forwarder(folder / "forwarder", direct))
    else:
        names = " ".join(absent)
        notes.append(f"FastAPI + httpx is left out: {names} missing (pip install {names}).")
    everywhere = dict.fromkeys(direct, knlite.port)
    ways["knlite"] = Way("knlite", everywhere, (knlite.pid,), by_host=True)
    return ways


_NGINX = """
{user}
worker_processes 1;
worker_rlimit_nofile {files};
daemon off;
pid {folder}/pid;
error_log /dev/null crit;
events {{ worker_connections {files}; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    {temporary}
    # What the others do: pass on what comes as it comes.
    proxy_buffering off;
    proxy_request_buffering off;
    proxy_http_version 1.1;
    map $http_upgrade $connection_header {{ default upgrade; "" ""; }}
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_header;
    {servers}
}}
"""
_NGINX_SERVER = """
    upstream {name} {{
        server 127.0.0.1:{to}; keepalive 512; keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{ proxy_pass http://{name}; }}
    }}
"""


@contextmanager
def _nginx(folder: Path, direct: dict[str, int]) -> Iterator[Way]:
    """A reverse proxy with one worker that keeps its connections to the instances."""
    folder.mkdir()
    ports = {name: free_port() for name in direct}
    servers = (
        _NGINX_SERVER.format(name=name, to=to, port=ports[name]) for name, to in direct.items()
    )
    text = _NGINX.format(
        user=instance.nginx_user(),
        files=FILES,
        folder=folder,
        temporary=instance.nginx_folders(str(folder)),
        servers="".join(servers),
    )
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    command = ["nginx", "-c", str(folder / "nginx.conf")]
    with _program(command, folder, ports.values()) as pid:
        yield Way("nginx", ports, (pid, *run.children(pid)))


_FORWARDER = """
import os
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask


@asynccontextmanager
async def lifespan(app):
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=512)
    async with httpx.AsyncClient(
        base_url=os.environ["UPSTREAM"], limits=limits, timeout=60, trust_env=False
    ) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.api_route("/{path:path}", methods=["GET", "POST"])
async def forward(path: str, request: Request):
    client = request.app.state.client
    headers = [(name, value) for name, value in request.headers.raw if name != b"host"]
    content = request.stream() if "content-length" in request.headers else None
    sent = client.build_request(request.method, f"/{path}", headers=headers, content=content)
    answer = await client.send(sent, stream=True)
    return StreamingResponse(
        answer.aiter_raw(),
        status_code=answer.status_code,
        headers=answer.headers,
        background=BackgroundTask(answer.aclose),
    )
"""


@contextmanager
def _forwarder(folder: Path, direct: dict[str, int]) -> Iterator[Way]:
    """What people write in an afternoon; one process for each instance."""
    folder.mkdir()
    (folder / "forwarder.py").write_text(_FORWARDER, encoding="utf-8")
    ports = {name: free_port() for name in direct}
    with ExitStack() as stack:
        for name, port in ports.items():
            command = [sys.executable, "-m", "uvicorn", "forwarder:app", "--port", str(port)]
            options = ["--no-access-log", "--log-level", "critical"]
            environment = {**os.environ, "UPSTREAM": f"http://127.0.0.1:{direct[name]}"}
            stack.enter_context(_program([*command, *options], folder, [port], environment))
        yield Way("FastAPI + httpx", ports)


@contextmanager
def _program(
    command: Sequence[str],
    folder: Path,
    ports: Iterable[int],
    environment: dict[str, str] | None = None,
) -> Iterator[int]:
    """A program that listens on *ports*, until the context ends."""
    process = subprocess.Popen(command, cwd=folder, env=environment)
    try:
        for port in ports:
            _until_it_listens(port, process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def _until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    sys.exit(f"{process.args!r} does not listen on {port}")


# The measurements.

Rounds = dict[str, list[wrk.Measured]]
"""By way: one for each round."""


def _requests(ways: dict[str, Way], seconds: int, rounds: int) -> dict[int, Rounds]:
    measured: dict[int, Rounds] = {count: {name: [] for name in ways} for count in CONNECTIONS}
    for way in ways.values():
        _wrk(way, instance.HELLO, CONNECTIONS[0], 1)
    for index in range(rounds):
        for count in CONNECTIONS:
            for way in ways.values():
                measured[count][way.name].append(_wrk(way, instance.HELLO, count, seconds))
        _progress(f"requests: {index + 1}/{rounds} rounds")
    return measured


def _unlike(ways: dict[str, Way], folder: Path, seconds: int, rounds: int) -> Rounds:
    """Requests of which no two are alike."""
    script = folder / "unlike.lua"
    script.write_text(UNLIKE, encoding="ascii")
    measured: Rounds = {name: [] for name in ways}
    for index in range(rounds):
        for way in ways.values():
            each = _wrk(way, instance.HELLO, UNLIKE_CONNECTIONS, seconds, script=script)
            measured[way.name].append(each)
        _progress(f"requests that differ: {index + 1}/{rounds} rounds")
    return measured


def _bodies(ways: dict[str, Way], folder: Path, seconds: int, rounds: int) -> dict[str, Rounds]:
    """Bodies of 1 MB, by direction."""
    script = folder / "upload.lua"
    script.write_text(
        f'wrk.method = "POST"\nwrk.body = string.rep("x", {MEGABYTE})\n', encoding="ascii"
    )
    requests: dict[str, dict[str, Any]] = {
        "upload": {"script": script},
        "download": {"path": f"/bytes/{MEGABYTE}"},
    }
    measured: dict[str, Rounds] = {name: {way: [] for way in ways} for name in requests}
    for index in range(rounds):
        for direction, request in requests.items():
            for way in ways.values():
                each = _wrk(way, instance.BODIES, BODY_CONNECTIONS, seconds, **request)
                measured[direction][way.name].append(each)
        _progress(f"bodies: {index + 1}/{rounds} rounds")
    return measured


def _wrk(way: Way, name: str, connections: int, seconds: int, **more: Any) -> wrk.Measured:
    run.settle()
    try:
        return wrk.run(way.ports[name], connections, seconds, host=way.host(name), **more)
    except wrk.Failed as exc:
        if way.name == "direct":
            sys.exit(f"nothing to compare with: {exc}")
        return wrk.Measured(0.0, math.nan, math.nan, 1, str(exc))


@dataclass(frozen=True, slots=True)
class Transfer:
    """One large body through knlite; bytes and seconds."""

    direction: str
    size: int
    seconds: float = 0.0
    growth: int = 0
    problem: str = ""


def _transfer(way: Way, direction: str, size: int) -> Transfer:
    """One body of *size* bytes, and by how much the memory of knlite grew at most."""
    (pid,) = way.pids
    before = run.memory(pid)
    try:
        run.forget_peak(pid)
        seconds = (_upload if direction == "upload" else _download)(way, size)
    except OSError as exc:
        return Transfer(direction, size, problem=str(exc) or type(exc).__name__)
    _progress(f"{direction} of {size / 1e9:.1f} GB: {seconds:.1f} s")
    return Transfer(direction, size, seconds, run.peak_memory(pid) - before)


def _upload(way: Way, size: int) -> float:
    """Seconds to send *size* bytes. Raises ``OSError``."""
    began = time.perf_counter()
    head = f"POST / HTTP/1.1\r\nHost: {way.host(instance.BODIES)}\r\nContent-Length: {size}\r\n\r\n"
    with _connected(way) as connection:
        connection.sendall(head.encode())
        chunk = bytes(64 * 1024)
        for _ in range(size // len(chunk)):
            connection.sendall(chunk)
        connection.sendall(chunk[: size % len(chunk)])
        answer, _ = _head(connection)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise OSError(_first_line(answer))
    return time.perf_counter() - began


def _download(way: Way, size: int) -> float:
    """Seconds to receive *size* bytes. Raises ``OSError``."""
    began = time.perf_counter()
    head = f"GET /bytes/{size} HTTP/1.1\r\nHost: {way.host(instance.BODIES)}\r\n\r\n"
    buffer = bytearray(64 * 1024)
    with _connected(way) as connection:
        connection.sendall(head.encode())
        answer, rest = _head(connection)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise OSError(_first_line(answer))
        received = len(rest)
        while received < size:
            count = connection.recv_into(buffer)
            if not count:
                raise OSError(f"it ended after {received} bytes")
            received += count
    return time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Idle:
    """WebSockets without traffic, and what each costs the way in bytes."""

    way: str
    count: int
    bytes_each: float = 0.0
    problem: str = ""


def _idle(count: int) -> list[Idle]:
    """In programs of their own: memory that others have left behind would hide what is used."""
    with tempfile.TemporaryDirectory(prefix="knlite-bench-") as name, ExitStack() as stack:
        ways = _ways(Path(name), stack, [])
        return [_idle_sockets(way, count) for way in ways.values() if way.pids]


def _idle_sockets(way: Way, count: int) -> Idle:
    held: list[socket.socket] = []
    before = sum(map(run.memory, way.pids))
    try:
        # What is open when one fails is counted, and closed.
        held.extend(_websocket(way) for _ in range(count))
        time.sleep(1)
        growth = sum(map(run.memory, way.pids)) - before
    except OSError as exc:
        return Idle(way.name, len(held), problem=str(exc) or type(exc).__name__)
    finally:
        for each in held:
            each.close()
    return Idle(way.name, count, growth / count)


def _websocket(way: Way) -> socket.socket:
    """An open WebSocket. Raises ``OSError``."""
    with ExitStack() as unless_open:
        connection = unless_open.enter_context(_connected(way))
        connection.sendall(
            f"GET / HTTP/1.1\r\nHost: {way.host(instance.BODIES) or 'localhost'}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {SAMPLE_KEY}\r\n\r\n".encode()
        )
        answer, _ = _head(connection)
        if not answer.startswith(b"HTTP/1.1 101") or SAMPLE_ACCEPTED not in answer:
            raise OSError(_first_line(answer))
        unless_open.pop_all()
    return connection


def _connected(way: Way) -> socket.socket:
    return socket.create_connection(("127.0.0.1", way.ports[instance.BODIES]), PATIENCE)


def _head(connection: socket.socket) -> tuple[bytes, bytes]:
    """The head of the answer, and what came after it. Raises ``OSError``."""
    received = b""
    while b"\r\n\r\n" not in received:
        data = connection.recv(64 * 1024)
        if not data:
            raise OSError("the connection was closed before an answer")
        received += data
    head, _, rest = received.partition(b"\r\n\r\n")
    return head, rest


def _first_line(answer: bytes) -> str:
    return answer.partition(b"\r\n")[0].decode(errors="replace")


# What this machine allows.


def _limit() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _raised_limit(wanted: int) -> bool:
    """Allow this process and those it starts *wanted* open files, if that is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    if soft != endless and soft < wanted:
        soft = wanted if hard == endless else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft == endless or soft >= wanted


def _importable(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text} ")
        sys.stderr.flush()


# The report.


def _plain(by_way: Rounds) -> dict[str, list[dict[str, Any]]]:
    return {name: [asdict(each) for each in runs] for name, runs in by_way.items()}


def _text(
    requests: dict[int, Rounds],
    unlike: Rounds,
    bodies: dict[str, Rounds],
    transfers: Sequence[Transfer],
    idle: Sequence[Idle],
    notes: Sequence[str],
    seconds: int,
    rounds: int,
) -> str:
    parts = [f"{rounds} interleaved rounds of {seconds} s; medians; one thread of wrk.", *notes]
    heads = ["way", "requests/s", "p50 ms", "p99 ms", "x direct", "added p50", "added p99"]
    for count, by_way in requests.items():
        rows = [_row(name, runs, by_way["direct"], GOALS[count]) for name, runs in by_way.items()]
        parts += [
            f"{count} connection{'s' if count > 1 else ''}:",
            table([*heads, "errors", "goal"], rows),
        ]
    rows = [_row(name, runs, unlike["direct"], Goal()) for name, runs in unlike.items()]
    parts += [
        f"{UNLIKE_CONNECTIONS} connections, no two requests alike (the load generator takes longer "
        "over them, too):",
        table([*heads, "errors", "goal"], rows),
    ]
    rows = [
        [direction, name, *_body_cells(runs, by_way["direct"]), _problem(runs)]
        for direction, by_way in bodies.items()
        for name, runs in by_way.items()
    ]
    parts += [
        f"Bodies of 1 MB, {BODY_CONNECTIONS} connections:",
        table(["direction", "way", "MB/s", "x direct", "errors", ""], rows),
        "One large body through knlite:",
        table(["direction", "size", "MB/s", "growth", "goal"], list(map(_transfer_row, transfers))),
        "WebSockets without traffic:",
        table(["way", "open", "memory of each"], list(map(_idle_row, idle))),
    ]
    return "\n\n".join(parts)


def _row(
    name: str, runs: Sequence[wrk.Measured], direct: Sequence[wrk.Measured], goal: Goal
) -> list[str]:
    pairs = list(zip(runs, direct, strict=True))
    ratio = median(mine.rate / its.rate for mine, its in pairs)
    p50 = median(mine.p50 - its.p50 for mine, its in pairs)
    p99 = median(mine.p99 - its.p99 for mine, its in pairs)
    errors = sum(each.errors for each in runs)
    compared = [f"{ratio:.3f}", f"{p50:.3f}", f"{p99:.3f}"]
    return [
        name,
        f"{median(each.rate for each in runs):,.0f}",
        f"{median(each.p50 for each in runs):.3f}",
        f"{median(each.p99 for each in runs):.3f}",
        *(compared if runs is not direct else [""] * 3),
        str(errors),
        _problem(runs) or (_judged(goal, ratio, p50, p99, errors) if name == "knlite" else ""),
    ]


def _problem(runs: Sequence[wrk.Measured]) -> str:
    return next((f"failed: {each.problem}" for each in runs if each.problem), "")


def _judged(goal: Goal, ratio: float, p50: float, p99: float, errors: int) -> str:
    found = [("no errors", errors == 0)]
    if goal.ratio is not None:
        found.append((f"x direct >= {goal.ratio:g}", ratio >= goal.ratio))
    if goal.p50 is not None:
        found.append((f"added p50 <= {goal.p50:g}", p50 <= goal.p50))
    if goal.p99 is not None:
        found.append((f"added p99 <= {goal.p99:g}", p99 <= goal.p99))
    return "; ".join(f"{text}: {'met' if met else 'NOT met'}" for text, met in found)


def _body_cells(runs: Sequence[wrk.Measured], direct: Sequence[wrk.Measured]) -> list[str]:
    rate = median(each.rate for each in runs) * MEGABYTE / 1e6
    ratio = median(mine.rate / its.rate for mine, its in zip(runs, direct, strict=True))
    errors = sum(each.errors for each in runs)
    return [f"{rate:,.0f}", f"{ratio:.2f}" if runs is not direct else "", str(errors)]


def _transfer_row(each: Transfer) -> list[str]:
    size = f"{each.size / 1024**3:g} GB"
    if each.problem:
        return [each.direction, size, f"failed: {each.problem}", "", "NOT met"]
    growth = each.growth / 1e6
    judged = f"< {GROWTH_GOAL} MB: {'met' if growth < GROWTH_GOAL else 'NOT met'}"
    rate = each.size / 1e6 / each.seconds
    return [each.direction, size, f"{rate:,.0f}", f"{growth:.1f} MB", judged]


def _idle_row(each: Idle) -> list[str]:
    cost = f"failed: {each.problem}" if each.problem else f"{each.bytes_each / 1024:.1f} KB"
    return [each.way, str(each.count), cost]


def _plot(requests: dict[int, Rounds]) -> None:
    """Requests per second and latencies of every way, by connections."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    values: dict[str, Callable[[wrk.Measured], float]] = {
        "requests/s": lambda each: each.rate,
        "p50, ms": lambda each: each.p50,
        "p99, ms": lambda each: each.p99,
    }
    names = list(next(iter(requests.values())))
    width = 0.8 / len(names)
    figure, axes = plt.subplots(1, len(values), figsize=(5 * len(values), 4))
    for axis, (label, value) in zip(axes, values.items(), strict=True):
        for place, name in enumerate(names):
            found = [median(map(value, by_way[name])) for by_way in requests.values()]
            at = [index + (place - (len(names) - 1) / 2) * width for index in range(len(found))]
            axis.bar(at, found, width, label=name)
        axis.set_xticks(range(len(requests)), [str(count) for count in requests])
        axis.set_xlabel("connections")
        axis.set_ylabel(label)
        axis.set_yscale("log")
    axes[1].legend(loc="upper left")
    figure.suptitle(f"Warm requests, {machine()['machine']}", fontsize=9)
    figure.tight_layout()
    figure.savefig(RESULTS / "warm.png", dpi=120)


if __name__ == "__main__":
    main()
