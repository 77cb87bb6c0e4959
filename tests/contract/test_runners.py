"""The runners answer as ``parliament`` and ``func-python`` do.

Pins Knative Functions reference §2.1, §2.2, §3.1, §3.2. Everything here runs with the standard
library alone.
"""

import http.client
import json
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.runner import PATIENCE, Runner, running

EVENT = {
    "Ce-Id": "1",
    "Ce-Source": "/test",
    "Ce-Type": "t",
    "Ce-Specversion": "1.0",
    "Content-Type": "application/json",
}

PARLIAMENT = """
import time
from parliament import Context, event

@event
def evented(context):
    return context.cloud_event.data

def main(context: Context):
    request = context.request
    what = request.args.get("what", "")
    if what == "slow":
        print("slow begins")
        time.sleep(0.3)
    return {
        "": lambda: "hello",
        "slow": lambda: "slow",
        "triple": lambda: ("made", 201, {"X-One": "1"}),
        "dict": lambda: {"method": request.method, "json": request.get_json(silent=True)},
        "form": lambda: request.form["a"],
        "none": lambda: None,
        "raise": lambda: 1 / 0,
        "event": lambda: evented(context),
        "keys": lambda: list(context),
    }[what]()
"""

FUNC = """
def new(): return Function()
class Function:
    def start(self, cfg): print("start", cfg["PORT"])
    def stop(self): print("stop")
    def ready(self): return False, "not yet"
    async def handle(self, scope, receive, send):
        message = await receive()
        if scope["path"] == "/raise": raise RuntimeError("no")
        if scope["path"] == "/silent": return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"you said ", "more_body": True})
        await send({"type": "http.response.body", "body": message["body"]})
"""


@pytest.fixture(scope="module")
def parliament(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    folder = tmp_path_factory.mktemp("parliament")
    (folder / "func.py").write_text(PARLIAMENT)
    with running(folder, "parliament_runner") as made:
        yield made


@pytest.mark.parametrize(
    ("path", "body", "status", "kind", "text"),
    [
        pytest.param("/", None, 200, "text/html; charset=utf-8", "hello", id="str"),
        pytest.param("/?what=triple", None, 201, "text/html; charset=utf-8", "made", id="triple"),
        pytest.param(
            "/?what=dict",
            '{"a": 1}',
            200,
            "application/json",
            '{"method": "POST", "json": {"a": 1}}\n',
            id="dict",
        ),
        pytest.param("/?what=keys", None, 200, "application/json", '["request"]\n', id="mapping"),
        pytest.param("/health/readiness", None, 200, "text/html; charset=utf-8", "OK", id="health"),
        pytest.param(
            "/?what=raise",
            None,
            500,
            "text/html; charset=utf-8",
            "Function raised division by zero",
            id="exception",
        ),
    ],
)
def test_what_a_parliament_function_returns_is_answered(
    parliament: Runner, path: str, body: str | None, status: int, kind: str, text: str
) -> None:
    answer = parliament.ask(path, body, {"Content-Type": "application/json"})
    assert (answer[0], answer[1]["Content-Type"], answer[2]) == (status, kind, text)


@pytest.mark.parametrize(
    ("path", "status"), [("/?what=none", 500), ("/other", 404)], ids=["None", "another path"]
)
def test_what_has_no_answer_is_refused(parliament: Runner, path: str, status: int) -> None:
    assert parliament.ask(path)[0] == status


def test_form_fields_are_read(parliament: Runner) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert parliament.ask("/?what=form", "a=b+c", kind)[2] == "b c"


def test_an_event_function_answers_a_binary_event_with_a_binary_event(parliament: Runner) -> None:
    status, headers, text = parliament.ask("/?what=event", '{"a": 1}', EVENT)
    assert (status, json.loads(text)) == (200, {"a": 1})
    assert headers["Ce-Type"] == "parliament.response"
    assert headers["Ce-Source"] == "/parliament/function"
    assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_structured_event_is_read(parliament: Runner) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": [1]}
    kind = {"Content-Type": "application/cloudevents+json"}
    assert parliament.ask("/?what=event", json.dumps(event), kind)[2] == "[1]"


def test_sigterm_lets_a_running_request_finish(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(PARLIAMENT)
    with running(tmp_path, "parliament_runner") as made:
        answers: list[str] = []
        asking = threading.Thread(target=lambda: answers.append(made.ask("/?what=slow")[2]))
        asking.start()
        assert made.process.stdout is not None
        assert made.process.stdout.readline() == "slow begins\n"
        made.process.send_signal(signal.SIGTERM)
        asking.join()
        assert answers == ["slow"]
        assert made.process.wait(PATIENCE) == 0


def test_a_func_function_lives_from_start_to_stop(tmp_path: Path) -> None:
    (tmp_path / "function").mkdir()
    (tmp_path / "function" / "__init__.py").write_text(FUNC)
    with running(tmp_path, "func_python_runner", "http") as made:
        assert made.ask("/any/path", "hi")[2] == "you said hi"
        assert made.ask("/raise")[::2] == (500, "Internal Server Error: no")
        assert made.ask("/silent")[0] == 500
        assert made.ask("/health/liveness")[::2] == (200, "OK")
        assert made.ask("/health/readiness")[::2] == (500, "not yet")
        out, _ = made.stopped()
    assert out.splitlines()[0].startswith("start ")
    assert out.splitlines()[-1] == "stop"


ASYNC = """
import asyncio
from parliament import event

@event
async def evented(context):
    return context.cloud_event.data

async def main(context):
    await asyncio.sleep(0)
    what = context.request.args.get("what", "")
    if what == "event":
        return await evented(context)
    return f"async {context.request.method}"
"""


def test_main_may_be_async(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(ASYNC)
    with running(tmp_path, "parliament_runner") as made:
        assert made.ask("/")[::2] == (200, "async GET")
        status, headers, body = made.ask("/?what=event", '{"a": 1}', EVENT)
        assert (status, headers["Ce-Type"], body) == (200, "parliament.response", '{"a": 1}')


STREAMS = """
def main(context):
    what = context.request.args.get("what", "")
    if what == "huge":
        return (b"x" * 65536 for _ in range(4096))
    if what == "breaks":
        return (1 / (3 - n) and "part " for n in range(9))
    if what == "exit":
        raise SystemExit("enough")
    return {"int": 5, "tuple": (1, 2, 3, 4), "status": ("x", 99999)}[what]
"""


def test_an_answer_in_parts_is_never_held_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(STREAMS)
    with running(tmp_path, "parliament_runner") as made:
        status, headers, body = made.ask("/?what=huge")
        assert (status, headers["Transfer-Encoding"]) == (200, "chunked")
        assert len(body) == 65536 * 4096
        memory = Path(f"/proc/{made.process.pid}/status")
        if memory.exists():
            peak = next(line for line in memory.read_text().splitlines() if "VmHWM" in line)
            assert int(peak.split()[1]) < 64 * 1024
        with pytest.raises(http.client.IncompleteRead):
            made.ask("/?what=breaks")


def test_what_is_no_answer_is_said_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(STREAMS)
    with running(tmp_path, "parliament_runner") as made:
        assert made.ask("/?what=int")[0] == 500
        assert made.ask("/?what=tuple")[0] == 500
        assert made.ask("/?what=status")[0] == 500
        assert made.ask("/?what=exit")[::2] == (500, "Function raised enough")
        _, err = made.stopped()
    assert f"{tmp_path}/func.py: main() returned an int; return text" in err
    assert "main() returned a tuple of 4" in err
    assert "main() returned the status 99999" in err


SPLITS = """
async def handle(scope, receive, send):
    value = b"1\\r\\nSet-Cookie: stolen=1"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"X-A", value)]})
    await send({"type": "http.response.body", "body": b""})
"""


def test_a_header_cannot_become_two(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(SPLITS)
    with running(tmp_path, "func_python_runner", "http") as made:
        status, headers, _ = made.ask("/")
    assert (status, "Set-Cookie" in headers) == (500, False)


SENDS_BACK = """
from parliament import event

def main(context):
    return context.cloud_event
"""


@pytest.mark.parametrize(
    "attributes",
    [{"datacontenttype": "a/b\r\nSet-Cookie: stolen=1"}, {"a\r\nSet-Cookie": "stolen=1"}],
    ids=["value", "name"],
)
def test_an_event_that_is_sent_back_adds_no_header(
    tmp_path: Path, attributes: dict[str, str]
) -> None:
    (tmp_path / "func.py").write_text(SENDS_BACK)
    required = {"specversion": "1.0", "id": "1", "source": "/test", "type": "t"}
    body = json.dumps({**required, **attributes, "data": "x"})
    with running(tmp_path, "parliament_runner") as made:
        kind = {"Content-Type": "application/cloudevents+json"}
        status, headers, _ = made.ask("/", body, kind)
        assert (status, "Set-Cookie" in headers) == (500, False)
        _, err = made.stopped()
    assert "a header with a line end" in err


COUNTS = """
async def handle(scope, receive, send):
    total, more = 0, True
    while more:
        message = await receive()
        total, more = total + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": str(total).encode()})
"""


def test_a_chunk_is_never_held_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(COUNTS)
    size = 128 << 20
    with running(tmp_path, "func_python_runner", "http") as made:
        with socket.create_connection(("127.0.0.1", made.port), timeout=PATIENCE) as peer:
            peer.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            peer.sendall(b"%x\r\n" % size)
            for _ in range(size >> 20):
                peer.sendall(bytes(1 << 20))
            peer.sendall(b"\r\n0\r\n\r\n")
            assert peer.recv(65536).endswith(str(size).encode())
        memory = Path(f"/proc/{made.process.pid}/status")
        if memory.exists():
            peak = next(line for line in memory.read_text().splitlines() if "VmHWM" in line)
            assert int(peak.split()[1]) < 64 * 1024


HOOKS = """
import asyncio
class Function:
    async def start(self, cfg): self.port = cfg["PORT"]; print("start")
    async def stop(self): await asyncio.sleep(0); print("stop")
    async def alive(self): return True, "alive " + self.port
    async def handle(self, scope, receive, send):
        if scope["path"] == "/exit": raise SystemExit("no")
        if scope["path"] == "/text":
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": "text"})
        return "ignored"
async def new(): return Function()
"""


def test_hooks_may_be_async_and_what_is_not_sent_is_said(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(HOOKS)
    with running(tmp_path, "func_python_runner", "http") as made:
        assert made.ask("/health/liveness")[2].startswith("alive ")
        assert made.ask("/exit")[::2] == (500, "Internal Server Error: no")
        assert made.ask("/silent")[0] == 500
        with pytest.raises(http.client.RemoteDisconnected):
            made.ask("/text")
        out, err = made.stopped()
    assert out.splitlines() == ["start", "stop"]
    assert "ended without sending an answer; it returned a str, which is ignored" in err
    assert "the body of an answer must be bytes, not a str" in err


ORDINARY = """
import functools, threading
def plain(scope, receive, send):
    body = receive()["body"]
    send({"type": "http.response.start", "status": 200})
    send({"type": "http.response.body", "body": threading.current_thread().name.encode() + body})
async def waits(scope, receive, send):
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"waits"})
@functools.wraps(waits)
def handle(scope, receive, send):
    return (plain if scope["path"] == "/plain" else waits)(scope, receive, send)
"""


def test_a_handler_may_be_an_ordinary_function(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(ORDINARY)
    with running(tmp_path, "func_python_runner", "http") as made:
        answer = made.ask("/plain", "hi")[2]
        assert answer.endswith("hi")
        assert "MainThread" not in answer
        assert made.ask("/decorated")[::2] == (200, "waits")
