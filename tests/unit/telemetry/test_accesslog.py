"""Requests as records, and their log (Knative reference §6.3)."""

import json
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.clock import LoopClock
from knlite.facts import Fact, LogLine, Notice, RequestDone
from knlite.kinds.config.observability import ObservabilityConfig
from knlite.telemetry.accesslog import AccessLog, record
from tests.flows.cell import on_virtual_time

NOW = datetime(2026, 1, 2, tzinfo=UTC)
TRACE = b"4bf92f3577b34da6a3ce929d0e0e4736"


def done(**fields: object) -> RequestDone:
    usual: dict[str, object] = {
        "at": NOW, "namespace": "default", "service": "web", "revision": "web-00001",
        "instance": "web-00001-x", "method": "POST", "status": 201, "seconds": 0.012,
        "cold": True, "configuration": "web", "target": b"/pay?order=1", "host": b"web.example",
        "request_bytes": 17, "response_bytes": 4, "waited": 0.01,
        "client": ("127.0.0.1", 40000), "server": ("10.0.0.7", 8080), "request_id": b"r-1",
        "headers": [
            (b"Host", b"web.example"),
            (b"USER-Agent", b"curl/8"),
            (b"Referer", b"http://a/"),
            (b"Authorization", b"Bearer SECRET"),
            (b"Cookie", b"session=SECRET"),
            (b"X-Api-Key", b"SECRET"),
            (b"Traceparent", b"00-" + TRACE + b"-00f067aa0ba902b7-01"),
        ],
    }  # fmt: skip
    return RequestDone(**{**usual, **fields})  # type: ignore[arg-type]  # by name


def test_the_record_has_the_shape_of_knatives_default_log() -> None:
    found = record(done())
    assert found["httpRequest"] == {
        "requestMethod": "POST",
        "requestUrl": "/pay?order=1",
        "requestSize": "17",
        "status": 201,
        "responseSize": "4",
        "userAgent": "curl/8",
        "remoteIp": "127.0.0.1:40000",
        "serverIp": "10.0.0.7",
        "referer": "http://a/",
        "latency": "0.012s",
        "protocol": "HTTP/1.1",
    }
    assert found["traceId"] == TRACE.decode()


def test_the_record_says_what_knlite_knows_beyond_it() -> None:
    found = record(done())
    del found["httpRequest"], found["traceId"]
    assert found == {
        "at": "2026-01-02T00:00:00.000+00:00",
        "host": "web.example",
        "namespace": "default",
        "service": "web",
        "configuration": "web",
        "revision": "web-00001",
        "instance": "web-00001-x",
        "routeTag": "kn:disabled",
        "requestId": "r-1",
        "cold": True,
        "stages": {"waited": 0.01, "instance": 0.002},
        "why": "",
    }


@pytest.mark.parametrize(
    ("headers", "trace_id"),
    [
        pytest.param([(b"x-b3-traceid", b"abc")], "abc", id="B3"),
        pytest.param(
            [(b"X-B3-TraceId", b"abc"), (b"traceparent", b"00-" + TRACE + b"-1-00")],
            TRACE.decode(),
            id="traceparent comes first",
        ),
        pytest.param([(b"traceparent", b"nonsense"), (b"X-B3-Traceid", b"a")], "a", id="not one"),
        pytest.param([], "", id="none"),
    ],
)
def test_the_trace_id(headers: list[tuple[bytes, bytes]], trace_id: str) -> None:
    assert record(done(headers=headers))["traceId"] == trace_id


@pytest.mark.parametrize(("version", "name"), [("1.0", "HTTP/1.0"), ("2", "HTTP/2.0")])
def test_the_protocol_is_written_as_go_does(version: str, name: str) -> None:
    assert record(done(http_version=version))["httpRequest"]["protocol"] == name


def test_a_request_that_never_got_to_an_instance() -> None:
    found = record(done(instance="", server=("", 0), seconds=3.0, waited=3.0, status=504))
    assert found["httpRequest"]["serverIp"] == ""
    assert found["stages"] == {"waited": 3.0}


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=20))), st.binary(max_size=30))
def test_whatever_a_client_sends_is_json_on_one_line(
    headers: list[tuple[bytes, bytes]], target: bytes
) -> None:
    facts: list[Fact] = []
    log = AccessLog(None, None, facts.append)  # type: ignore[arg-type]  # without a file no clock
    log.configure(ObservabilityConfig(request_log=True))
    log.read(done(headers=headers, target=target))
    (line,) = facts
    assert isinstance(line, LogLine)
    assert "\n" not in line.text
    assert json.loads(line.text)["httpRequest"]["status"] == 201


def test_no_secret_of_a_request_is_written() -> None:
    facts: list[Fact] = []
    log = AccessLog(None, None, facts.append)  # type: ignore[arg-type]  # without a file no clock
    log.configure(ObservabilityConfig(request_log=True))
    log.read(done())
    assert "SECRET" not in repr(facts)
    assert "curl/8" in repr(facts)


@on_virtual_time
async def test_it_is_off_until_it_is_wanted_and_off_again() -> None:
    facts: list[Fact] = []
    log = AccessLog(None, LoopClock(NOW), facts.append)
    log.read(done())
    log.configure(ObservabilityConfig(request_log=True))
    log.read(done())
    log.read(Notice(at=NOW, level="info", text="x"))
    log.configure(ObservabilityConfig())
    log.read(done())
    (line,) = facts
    assert isinstance(line, LogLine)
    assert (line.service, line.instance, line.stream) == ("web", "web-00001-x", "stdout")
    assert line.container == "queue-proxy"


def test_a_folder_that_fails_is_given_up_with_a_word(tmp_path: Path) -> None:
    facts: list[Fact] = []
    (tmp_path / "logs").write_text("a file where the folder would be")

    @on_virtual_time
    async def scenario() -> None:
        log = AccessLog(tmp_path / "logs", LoopClock(NOW), facts.append)
        for _ in range(2):
            log.configure(ObservabilityConfig(request_log=True))
            log.read(done())

    scenario()
    (notice,) = facts
    assert isinstance(notice, Notice)
    assert f"as {tmp_path / 'logs'} fails" in notice.text


def test_with_a_folder_it_is_a_file_that_fills_without_further_requests(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "access.log"

    @on_virtual_time
    async def scenario() -> None:
        facts: list[Fact] = []
        log = AccessLog(tmp_path / "logs", LoopClock(NOW), facts.append)
        log.configure(ObservabilityConfig(request_log=True))
        assert not file.exists()
        for status in (200, 500):
            log.read(done(status=status))
        await anyio.sleep(0.3)
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert [line["httpRequest"]["status"] for line in lines] == [200, 500]
        log.read(done(status=204))
        log.close()
        assert len(file.read_text().splitlines()) == 3
        assert not facts

    scenario()
