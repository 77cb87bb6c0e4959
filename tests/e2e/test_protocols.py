"""What clients may speak, from zero, by the real executable (Knative reference §3.2, §3.6, §3.7).

Each test has a Service of its own, which nobody has asked before.
"""

import json
import os
import queue
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.e2e.executable import PATIENCE, wait_until
from tests.e2e.served import RUNTIMES, Run, Served, host_of, serving

pytestmark = pytest.mark.e2e

MIB = 1024 * 1024
ONE_AT_A_TIME: dict[str, object] = {"containerConcurrency": 1}
ONE_INSTANCE: dict[str, object] = {"max-scale": 1}


def services(program: str, *names: str, port: str = "http1") -> tuple[Served, ...]:
    return tuple(Served(name=name, program=program, port=port) for name in names)


SERVICES = (
    *services("grpc", "kinds", "status", "large", port="h2c"),
    Served(name="given-up", program="grpc", port="h2c", spec=ONE_AT_A_TIME, scaling=ONE_INSTANCE),
    *services("websocket", "echo", "closing"),
    Served(name="short", program="websocket", spec={"timeoutSeconds": 2}),
    Served(name="multiplied", program="websocket", spec=ONE_AT_A_TIME),
    Served(name="queueing", program="websocket", spec=ONE_AT_A_TIME, scaling=ONE_INSTANCE),
    *services("http1", "events", "leaving", "poll", "duplex", "trailers", "continue", "old"),
    *services("http1", "timing", "headers", "probed", "newer"),
    *services("h2c", "both", "older", port="h2c"),
)


@pytest.fixture(scope="module", params=RUNTIMES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    if request.param == "docker":
        request.getfixturevalue("engine")
    with serving(tmp_path_factory.mktemp("services"), request.param, SERVICES) as running:
        yield running


# gRPC


class Echo:
    """The client of ``services/grpc``."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.unary = channel.unary_unary("/test.Echo/Unary")
        self.split = channel.unary_stream("/test.Echo/Split")
        self.join = channel.stream_unary("/test.Echo/Join")
        self.chat = channel.stream_stream("/test.Echo/Chat")
        self.wait = channel.unary_unary("/test.Echo/Wait")


@contextmanager
def echo_of(run: Run, service: str) -> Iterator[Echo]:
    options = (
        ("grpc.default_authority", host_of(service)),
        ("grpc.enable_http_proxy", 0),
        ("grpc.max_receive_message_length", -1),
    )
    with grpc.insecure_channel(f"127.0.0.1:{run.port}", options=options) as channel:
        yield Echo(channel)


def test_the_four_kinds_of_grpc_calls(run: Run) -> None:
    with echo_of(run, "kinds") as echo:
        assert echo.unary(b"hello", timeout=PATIENCE) == b"hello"
        assert list(echo.split(b"a b c", timeout=PATIENCE)) == [b"a", b"b", b"c"]
        assert echo.join(iter([b"a", b"b", b"c"]), timeout=PATIENCE) == b"a b c"
        says: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        answers = echo.chat(iter(says.get, None), timeout=PATIENCE)
        for word in (b"one", b"two", b"three"):
            says.put(word)
            assert next(answers) == word.upper(), "answered while the request goes on"
        says.put(None)
        assert list(answers) == []
        assert answers.code() is grpc.StatusCode.OK


def test_grpc_metadata_status_and_details(run: Run) -> None:
    with echo_of(run, "status") as echo:
        answer, call = echo.unary.with_call(
            b"hello", metadata=(("x-asked", "for"),), timeout=PATIENCE
        )
        assert answer == b"hello"
        assert dict(call.initial_metadata())["x-first"] == "for"
        assert dict(call.trailing_metadata())["x-last"] == "bye"
        with pytest.raises(grpc.RpcError) as failed:
            echo.unary(b"fail", timeout=PATIENCE)
        assert failed.value.code() is grpc.StatusCode.NOT_FOUND
        assert failed.value.details() == "no such thing: ñandú"
        assert dict(failed.value.trailing_metadata())["x-why-bin"] == b"\x00\xff"


def test_a_grpc_message_of_three_mebibytes(run: Run) -> None:
    message = os.urandom(3 * MIB)
    with echo_of(run, "large") as echo:
        assert echo.unary(message, timeout=PATIENCE) == message


def test_a_grpc_call_that_is_given_up_frees_its_place(run: Run) -> None:
    with echo_of(run, "given-up") as echo:
        assert echo.unary(b"warm", timeout=PATIENCE) == b"warm"
        late = echo.wait.future(b"late", timeout=2)
        with pytest.raises(grpc.RpcError) as failed:
            late.result()
        assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        wait_until(lambda: run.logged("given-up", "given up: late"), "the server told")
        assert run.logged("given-up", "waiting, 2 s left"), "the deadline reaches the server"

        cancelled = echo.wait.future(b"cancelled", timeout=PATIENCE)
        wait_until(lambda: len(run.logged("given-up", "waiting, ")) == 2, "the call at the server")
        cancelled.cancel()
        wait_until(lambda: run.logged("given-up", "given up: cancelled"), "the server told")
        run.until_idle("given-up")
        assert echo.unary(b"still there", timeout=PATIENCE) == b"still there"


# WebSocket


@contextmanager
def socket_of(run: Run, service: str, path: str = "/") -> Iterator[ClientConnection]:
    plain = socket.create_connection(("127.0.0.1", run.port))
    url = f"ws://{host_of(service)}:{run.port}{path}"
    with connect(
        url, sock=plain, max_size=None, open_timeout=PATIENCE, close_timeout=PATIENCE
    ) as connection:
        yield connection


def test_a_websocket_carries_text_bytes_and_pings_and_its_close(run: Run) -> None:
    with socket_of(run, "echo", "/a?b") as ws:
        assert str(ws.recv(PATIENCE)).endswith(" /a?b")
        ws.send("grüße")
        assert ws.recv(PATIENCE) == "grüße"
        ws.send(b"\x00\xff")
        assert ws.recv(PATIENCE) == b"\x00\xff"
        large = os.urandom(MIB)
        ws.send(large)
        assert ws.recv(PATIENCE) == large
        assert ws.ping().wait(PATIENCE)
        assert run.load("echo") == (0, 1), "a socket is one request, as long as it is open"
        ws.close(1000, "done")
    assert ws.close_code == 1000
    wait_until(lambda: run.logged("echo", "closed /a?b 1000 done"), "the close at the server")
    run.until_idle("echo")


def test_a_websocket_that_the_server_closes(run: Run) -> None:
    with socket_of(run, "closing", "/close/4001") as ws:
        ws.recv(PATIENCE)
        with pytest.raises(ConnectionClosed):
            ws.recv(PATIENCE)
        assert (ws.close_code, ws.close_reason) == (4001, "as you wish")
    run.until_idle("closing")


def talk_for_ever(ws: ClientConnection) -> None:
    while True:
        ws.send("still there")
        assert ws.recv(PATIENCE) == "still there"


def test_timeout_seconds_is_the_longest_life_of_a_websocket(run: Run) -> None:
    # Not a WebSocket, and not the cold start, which counts as well.
    wait_until(lambda: run.get("short").status_code == 426, "an instance")
    with socket_of(run, "short", "/talk") as ws:
        ws.recv(PATIENCE)
        with pytest.raises(ConnectionClosed):
            talk_for_ever(ws)
        assert ws.close_code == 1006, "cut, without a word of WebSocket"
    run.until_idle("short")
    why = run.record("short", "/talk")["why"]
    assert why == "activator request timeout: timeoutSeconds (2 s) passed"


def test_a_second_websocket_gets_an_instance_of_its_own(run: Run) -> None:
    with socket_of(run, "multiplied") as one, socket_of(run, "multiplied") as two:
        first, second = one.recv(PATIENCE), two.recv(PATIENCE)
        assert first != second


def test_a_second_websocket_waits_where_there_is_no_room(run: Run) -> None:
    with ThreadPoolExecutor(1) as pool:
        with socket_of(run, "queueing") as one:
            first = one.recv(PATIENCE)

            def second() -> object:
                with socket_of(run, "queueing") as two:
                    return two.recv(PATIENCE)

            later = pool.submit(second)
            wait_until(lambda: run.load("queueing") == (1, 1), "the second one waiting")
            assert not later.done()
        assert later.result(PATIENCE) == first, "by the same instance"
    run.until_idle("queueing")


# HTTP/1.1


def test_events_arrive_one_by_one(run: Run) -> None:
    host = {"Host": host_of("events")}
    with run.knlite.http.stream("GET", "/events", headers=host) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        events = answer.iter_lines()
        for number in "123":
            assert next(events) == f"data: {number}"
            assert next(events) == ""
            # The server makes the next one only when it has been told that this one has come.
            assert run.post("events", "/next").status_code == 200
        assert list(events) == []


def test_who_leaves_a_stream_frees_its_place(run: Run) -> None:
    with run.knlite.http.stream("GET", "/endless", headers={"Host": host_of("leaving")}) as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"more "
        assert run.load("leaving") == (0, 1)
    wait_until(lambda: run.logged("leaving", "left alone at /endless"), "the server told")
    run.until_idle("leaving")


def test_a_long_poll(run: Run) -> None:
    with ThreadPoolExecutor(1) as pool:
        polled = pool.submit(run.get, "poll", "/poll")
        wait_until(lambda: run.load("poll") == (0, 1), "the poll at the instance")
        assert not polled.done()
        run.post("poll", "/next")
        assert polled.result(PATIENCE).status_code == 200


def raw(run: Run, service: str, head: str) -> socket.socket:
    """A connection on which *head*, ended by an empty line, has been sent."""
    connection = socket.create_connection(("127.0.0.1", run.port), timeout=PATIENCE)
    lines = f"{head}\nHost: {host_of(service)}\n\n"
    connection.sendall(lines.replace("\n", "\r\n").encode())
    return connection


def until(connection: socket.socket, end: bytes) -> bytes:
    """What comes, up to *end*."""
    came = b""
    while not came.endswith(end):
        data = connection.recv(1)
        assert data, came
        came += data
    return came


def test_an_upload_in_chunks_passes_as_it_comes(run: Run) -> None:
    with raw(run, "duplex", "POST /echo HTTP/1.1\nTransfer-Encoding: chunked") as connection:
        connection.sendall(b"3\r\none\r\n")
        assert until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")
        for word in (b"one", b"three", b"twelve"):
            if word != b"one":
                connection.sendall(b"%x\r\n%b\r\n" % (len(word), word))
            assert until(connection, word + b"\r\n") == b"%x\r\n%b\r\n" % (len(word), word)
        connection.sendall(b"0\r\n\r\n")
        assert until(connection, b"0\r\n\r\n")


def test_trailers_pass_both_ways(run: Run) -> None:
    answer = run.curl("trailers", "/trailers")
    assert (answer.status, answer.body, answer.header("x-sum")) == (200, b"body", "4")
    head = "POST /upload HTTP/1.1\nConnection: close\nTransfer-Encoding: chunked\nTrailer: X-Sum"
    with raw(run, "trailers", head) as connection:
        connection.sendall(b"3\r\none\r\n0\r\nX-Sum: 1\r\n\r\n")
        answered = b"".join(iter(lambda: connection.recv(65536), b""))
    said = json.loads(answered.partition(b"\r\n\r\n")[2])
    assert (said["bytes"], said["trailers"]) == (3, {"x-sum": "1"})


def test_a_client_that_waits_for_100_continue_gets_it(run: Run) -> None:
    body = os.urandom(MIB)
    answer = run.curl("continue", "/", "-H", "Expect: 100-continue", "--expect100-timeout", "60",
                      "--data-binary", "@-", body=body)  # fmt: skip
    assert "< HTTP/1.1 100 Continue\n" in answer.said
    assert json.loads(answer.body)["bytes"] == len(body)


def test_a_client_of_http_1_0(run: Run) -> None:
    answer = run.curl("old", "/trailers", "-0")
    assert (answer.status, answer.body) == (200, b"body"), "no chunks, which it does not know"
    assert answer.header("transfer-encoding") is None


# HTTP/2


def test_curl_speaks_http_2_to_a_service_of_http_1(run: Run) -> None:
    answer = run.curl("newer", "/a?b", "--http2-prior-knowledge")
    assert (answer.status, answer.version) == (200, "2")
    said = json.loads(answer.body)
    assert said["version"] == "HTTP/1.1"
    assert said["headers"]["host"] == f"{host_of('newer')}:{run.port}"
    body = os.urandom(MIB)
    answer = run.curl("newer", "/", "--http2-prior-knowledge", "--data-binary", "@-", body=body)
    assert json.loads(answer.body)["bytes"] == len(body)
    answer = run.curl("newer", "/trailers", "--http2-prior-knowledge")
    assert (answer.body, answer.header("x-sum")) == (b"body", "4")


def test_curl_speaks_http_2_to_a_service_of_http_2(run: Run) -> None:
    answer = run.curl("both", "/a?b", "--http2-prior-knowledge", "--data", "hello")
    assert (answer.status, answer.version) == (200, "2")
    said = json.loads(answer.body)
    assert said["body"] == "hello"
    assert said["headers"][":path"] == "/a?b"
    assert said["headers"][":authority"] == f"{host_of('both')}:{run.port}"
    assert answer.header("x-sum") == str(len(answer.body))


def test_curl_speaks_http_1_to_a_service_of_http_2(run: Run) -> None:
    answer = run.curl("older", "/a?b", "--http1.1", "--data", "hello")
    assert (answer.status, answer.version) == (200, "1.1")
    said = json.loads(answer.body)
    assert said["body"] == "hello"
    assert said["headers"][":path"] == "/a?b"
    assert answer.header("x-sum") == str(len(answer.body))


# Headers


def test_a_cold_answer_says_where_its_time_went_and_a_warm_one_does_not(run: Run) -> None:
    cold = run.get("timing").headers["server-timing"]
    stages = re.fullmatch(
        r"queue;dur=(.+), start;desc=(?:spawned|container);dur=(.+), ready;dur=(.+), app;dur=(.+)",
        cold,
    )
    assert stages is not None, cold
    assert all(float(stage) >= 0 for stage in stages.groups())
    assert "server-timing" not in run.get("timing").headers


def test_the_ids_of_a_request_and_a_trace_reach_the_instance(run: Run) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = run.curl("headers", "/", "-H", "X-Request-Id: mine", "-H", f"traceparent: {parent}")
    seen = json.loads(answer.body)["headers"]
    assert (seen["x-request-id"], seen["traceparent"]) == ("mine", parent)
    record = run.record("headers", "/")
    assert (record["requestId"], record["traceId"]) == ("mine", parent.split("-")[1])
    assert json.loads(run.curl("headers", "/").body)["headers"]["x-request-id"]


def test_a_probe_of_the_network_wakes_nobody(run: Run) -> None:
    headers = {"K-Network-Probe": "probe", "K-Network-Hash": "fingerprint"}
    answer = run.get("probed", **headers)
    assert (answer.status_code, answer.headers["k-network-hash"]) == (200, "fingerprint")
    assert run.get("probed", **{"K-Network-Probe": "probe"}).status_code == 400
    assert run.instances("probed") == {}
