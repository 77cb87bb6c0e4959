"""A warm request runs nothing but the data plane, the rules of serving, and who counts it.

The import contract says which room may know which; this looks at what is executed: every Python
function in the loop's thread of a whole knlite, from the bytes of a request to those of its answer.
"""

import asyncio
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from queue import SimpleQueue
from types import FrameType

import anyio
import pytest
from h2.connection import H2Connection
from h2.events import StreamEnded

from knlite.emulator import open_emulator
from knlite.manifests.project import read_project
from knlite.settings import Settings

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
HOST = "web.default.localhost"
TIMES = 10

ALLOWED = ("knlite.dataplane", "knlite.serving", "knlite.clock", "knlite.facts")
NOTES = ("knlite.telemetry.accesslog", "knlite.telemetry.bus", "knlite.telemetry.keptheads",
         "knlite.telemetry.metrics", "knlite.telemetry.recentrequests",
         "knlite.telemetry.requests")  # fmt: skip
"""They take note of a request that is over."""
LIBRARIES = ("h2", "hpack", "hyperframe")
"""Heads and frames of HTTP/2."""
WAITING = frozenset(("asyncio", "concurrent", "threading"))
"""Of the standard library, what would be a task, a future or a thread for each request."""
MANIFEST = {
    "apiVersion": "serving.knative.dev/v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {
        "template": {
            "metadata": {
                "annotations": {
                    # One that logs nothing: what an instance writes is read by the loop as well.
                    "knlite.dev/command": f"python3 {ROOT}/tests/e2e/services/http1/server.py"
                }
            },
            "spec": {"containers": [{"image": "example.com/web"}]},
        }
    },
}


class Running:
    """A knlite in a thread of its own, so that its loop runs nothing of the test's."""

    def __init__(self, manifests: Path) -> None:
        self._manifests = manifests
        self.settings = Settings(port=_free_port(), admin_port=_free_port(), runtime="process")
        self._loop: asyncio.AbstractEventLoop
        self._ready = threading.Event()
        self._end: anyio.Event
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def in_loop(self, call: Callable[..., object], *what: object) -> None:
        """Have *call* called by the loop, and wait for it."""
        # Of C, as all that is called here, so that it is not seen.
        done: SimpleQueue[object] = SimpleQueue()
        self._loop.call_soon_threadsafe(lambda: done.put(call(*what)))
        done.get(timeout=PATIENCE)

    def stop(self) -> None:
        self.in_loop(lambda: self._end.set())
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        anyio.run(self._serve, backend="asyncio", backend_options={"use_uvloop": True})

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), anyio.Event()
        project = read_project([self._manifests], {})
        async with open_emulator(self.settings, []) as emulator:
            await emulator.start()
            emulator.apply(project)
            await emulator.settling.wait(PATIENCE)
            self._ready.set()
            await self._end.wait()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    manifests = tmp_path_factory.mktemp("manifests")
    (manifests / "web.json").write_text(json.dumps(MANIFEST))
    found = Running(manifests)
    yield found
    found.stop()


class Http1:
    """A client that keeps its connection."""

    def __init__(self, port: int, request: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._request = request.replace("\n", "\r\n").encode()

    def ask(self) -> bytes:
        self._socket.sendall(self._request)
        came = b""
        while not came.endswith(b"}}"):
            data = self._socket.recv(65536)
            assert data, came
            came += data
        return came

    def close(self) -> None:
        self._socket.close()


class Http2:
    """The same, by HTTP/2."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._h2 = H2Connection()
        self._h2.initiate_connection()

    def ask(self) -> bytes:
        head = ((":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", HOST))
        stream = self._h2.get_next_available_stream_id()
        self._h2.send_headers(stream, head, end_stream=True)
        came = b""
        while True:
            self._socket.sendall(self._h2.data_to_send())
            data = self._socket.recv(65536)
            assert data, came
            came += data
            if any(isinstance(event, StreamEnded) for event in self._h2.receive_data(data)):
                return came

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(lambda port: Http1(port, f"GET / HTTP/1.1\nHost: {HOST}\n\n"), id="http/1.1"),
        pytest.param(Http2, id="http/2"),
    ],
)
def test_a_warm_request_stays_in_the_data_plane(
    running: Running, client: Callable[[int], Http1 | Http2]
) -> None:
    asking = client(running.settings.port)
    try:
        asking.ask()
        executed = [recorded(running, asking) for _ in range(TIMES)]
    finally:
        asking.close()
    # The autoscaler looks at every revision once a second; what is no part of a request is not
    # there each time.
    always = reduce(set.intersection, executed)
    assert "knlite.dataplane.sides: Side.handle" in always
    assert "knlite.telemetry.metrics: Metrics.read" in always
    strange = sorted(each for each in always if not allowed(each))
    assert not strange, "\n".join(("a request executes:", *strange))


def recorded(running: Running, asking: Http1 | Http2) -> set[str]:
    """``module: function`` of all that the loop's thread executes for one request."""
    seen: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            seen.add(f"{frame.f_globals.get('__name__')}: {frame.f_code.co_qualname}")

    running.in_loop(sys.setprofile, note)
    try:
        asking.ask()
    finally:
        running.in_loop(sys.setprofile, None)
    return seen


def allowed(executed: str) -> bool:
    module = executed.partition(":")[0]
    library = module.partition(".")[0]
    if library in sys.stdlib_module_names or library.startswith("namedtuple_"):
        return library not in WAITING
    rooms = (__name__, *ALLOWED, *NOTES, *LIBRARIES)
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
