"""Requests per second through the relay, beside the same upstream hit directly as the floor.

Three processes as in life: the load (wrk if it is installed, else a small generator here), the
relay and the upstream. Rounds of both paths alternate, so that a busy machine spoils both alike;
the medians of the rounds are printed.
"""

import argparse
import asyncio
import multiprocessing
import re
import shutil
import socket
import statistics
import subprocess
from dataclasses import dataclass
from typing import cast

import uvloop

from knlite.dataplane.forward import Relay
from knlite.dataplane.headers import to_instance
from knlite.dataplane.wire.exchange import Exchange, Handler
from knlite.dataplane.wire.http1_pool import Http1Pool
from knlite.dataplane.wire.listener import serve
from knlite.serving.instance import Address

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n"
CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Measured:
    """One round."""

    rate: float
    """Requests per second."""
    p50: float
    """Milliseconds."""
    p99: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relay", description=__doc__)
    parser.add_argument("--seconds", type=int, default=3, help="length of a round")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    load = _wrk if shutil.which("wrk") else _own_load
    upstream_socket, relay_socket = _bound(), _bound()
    upstream = Address(*upstream_socket.getsockname())
    relay = Address(*relay_socket.getsockname())
    spawn = multiprocessing.get_context("fork")
    servers = [
        spawn.Process(target=_run_upstream, args=(upstream_socket,), daemon=True),
        spawn.Process(target=_run_relay, args=(relay_socket, upstream), daemon=True),
    ]
    for server in servers:
        server.start()
    direct, relayed = [], []
    try:
        load(relay, 1)
        for _ in range(chosen.rounds):
            direct.append(load(upstream, chosen.seconds))
            relayed.append(load(relay, chosen.seconds))
    finally:
        for server in servers:
            server.terminate()
            server.join()
    print(f"{load.__name__.strip('_')}, {CONNECTIONS} connections")
    for name, rounds in (("direct", direct), ("relay", relayed)):
        rate = statistics.median(r.rate for r in rounds)
        p50 = statistics.median(r.p50 for r in rounds)
        p99 = statistics.median(r.p99 for r in rounds)
        print(f"{name:8}{rate:10,.0f} requests/s   p50 {p50:.2f} ms   p99 {p99:.2f} ms")


def _bound() -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    return listener


class _Upstream(asyncio.Protocol):
    """Answers each read as one request: as cheap as a server can be."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods but not the type.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(ANSWER)


def _run_upstream(listener: socket.socket) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        async with await loop.create_server(_Upstream, sock=listener) as server:
            await server.serve_forever()

    uvloop.run(run())


def _run_relay(listener: socket.socket, upstream: Address) -> None:
    async def run() -> None:
        await serve(_relaying(Http1Pool(upstream)), [listener])
        await asyncio.get_running_loop().create_future()

    uvloop.run(run())


def _relaying(pool: Http1Pool) -> Handler:
    def handle(exchange: Exchange) -> None:
        headers, _ = to_instance(
            exchange.headers, client=exchange.client.host, host=exchange.host, proto=b"http"
        )
        Relay(exchange, _Owner(exchange)).begin(pool, exchange.target, headers)

    return handle


class _Owner:
    """Implements ``forward.Owner`` with as little as possible."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def first_byte(self, status: int) -> tuple[()]:
        return ()

    def done(self) -> None:
        """Nothing to give back."""

    def broke_off(self, why: object) -> None:
        if not self._exchange.started:
            self._exchange.respond(502)


def _wrk(address: Address, seconds: int) -> Measured:
    url = f"http://{address.host}:{address.port}/"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if rate is None or "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(said)
    return Measured(float(rate[1]), _percentile(said, 50), _percentile(said, 99))


def _percentile(said: str, which: int) -> float:
    found = re.search(rf"{which}%\s+([\d.]+)(us|ms|s)", said)
    assert found is not None, said
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


class _Client(asyncio.Protocol):
    """Sends the next request when the answer to the last has come."""

    def __init__(self, taken: list[float]) -> None:
        self._taken = taken
        self._loop = asyncio.get_running_loop()
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods but not the type.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"hello\n"):
            self._taken.append(self._loop.time() - self._sent)
            self._send()

    def _send(self) -> None:
        self._sent = self._loop.time()
        self._transport.write(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")


def _own_load(address: Address, seconds: int) -> Measured:
    taken: list[float] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for _ in range(CONNECTIONS):
            await loop.create_connection(lambda: _Client(taken), *address)
        finished = loop.create_future()
        loop.call_later(seconds, finished.set_result, None)
        await finished

    asyncio.run(run())
    taken.sort()
    return Measured(
        len(taken) / seconds, taken[len(taken) // 2] * 1e3, taken[len(taken) * 99 // 100] * 1e3
    )


if __name__ == "__main__":
    main()
