"""``/knlite/requests``, ``/knlite/latency`` and ``/knlite/logs`` as a client sees them."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from knlite.apiserver.ending import Ending
from knlite.apiserver.status import failure_of
from knlite.clock import LoopClock
from knlite.console.logs import LogRoutes
from knlite.console.requests import RequestRoutes
from knlite.errors import KnliteError
from knlite.facts import Fact, LogLine
from knlite.telemetry.bus import Bus
from knlite.telemetry.logs import Logs
from knlite.telemetry.logstream import LogStream
from knlite.telemetry.recentrequests import RecentRequests
from knlite.telemetry.requests import Requests
from tests.unit.telemetry.requestfacts import NOW, done, start

pytestmark = pytest.mark.anyio


async def refused(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, KnliteError)
    return failure_of(exc)


class Server:
    """The routes over what is kept."""

    def __init__(self) -> None:
        self.recent, self.counted = RecentRequests(), Requests(lambda: None)
        self.bus, self.logs, self.ending = Bus(), Logs(), Ending()
        stream = LogStream(self.logs, LoopClock(NOW), self._reading)
        self.app = Starlette(
            routes=[
                *RequestRoutes(self.recent, self.counted, stream).routes(),
                *LogRoutes(stream, self.ending).routes(),
            ],
            exception_handlers={KnliteError: refused},
        )

    def _reading(self, reader: Callable[[Fact], None]) -> AbstractContextManager[None]:
        return self.bus.reading(reader, LogLine)

    def happens(self, **fields: object) -> None:
        fact = done(**fields)
        self.recent.read(fact)
        self.counted.count(fact)

    def writes(self, text: str, request: str = "") -> None:
        of = {"namespace": "default", "service": "web", "revision": "web-00001", "instance": "i"}
        self.logs.read(LogLine(at=NOW, stream="stdout", text=text, request=request, **of))  # type: ignore[arg-type]  # by name

    async def get(self, path: str) -> tuple[int, Any]:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://knlite") as client:
            answer = await client.get(path)
        return answer.status_code, answer.json()


async def test_requests_are_listed_as_asked_for() -> None:
    server = Server()
    server.happens(request_id=b"1", target=b"/a")
    server.happens(request_id=b"2", target=b"/b", status=503, service="api")
    _, answer = await server.get("/knlite/requests")
    assert [row["id"] for row in answer["requests"]] == ["2", "1"]
    assert answer["count"] == 2
    _, answer = await server.get("/knlite/requests?service=default/api&status=failed&slower=0.5")
    assert [(row["path"], row["firstByte"]) for row in answer["requests"]] == [("/b", 0.75)]
    _, answer = await server.get("/knlite/requests?cold=true")
    assert answer["requests"] == []


@pytest.mark.parametrize("id_", ["plain", "a/b?c=d", "../..", "%2F", "é"])
async def test_a_request_is_found_by_whatever_its_client_called_it(id_: str) -> None:
    server = Server()
    server.happens(request_id=id_.encode())
    server.writes("mine", id_)
    server.writes("another's", "x")
    status, answer = await server.get(f"/knlite/requests/{quote(id_, safe='')}")
    assert status == 200
    assert answer["story"]["request"]["id"] == id_
    assert [line["text"] for line in answer["lines"]] == ["mine"]
    assert answer["story"]["waterfall"]["stages"][-1]["name"] == "body"


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("requests/none", 404, 'no request "none" is kept'),
        ("requests?status=teapot", 400, "a number (404), a class (5xx) or failed"),
        ("requests?slower=fast", 400, "a number of seconds"),
        ("requests?limit=-1", 400, "not negative"),
        ("logs?level=loud", 400, "give one of error, warning, info, debug"),
        ("logs?since=yesterday", 400, "not an RFC 3339 time"),
    ],
)
async def test_what_cannot_be_answered_is_said(path: str, status: int, sentence: str) -> None:
    code, answer = await Server().get(f"/knlite/{path}")
    assert code == status
    assert sentence in answer["message"]


async def test_latency_is_told_of_one_service_or_of_all() -> None:
    server = Server()
    server.happens(seconds=0.001)
    server.recent.note(start(service="job"))
    _, one = await server.get("/knlite/latency?service=default/web")
    assert (one["warm"]["count"], one["cold"]["count"]) == (1, 0)
    _, named = await server.get("/knlite/latency?service=nix")
    assert named == {"services": []}
    _, every = await server.get("/knlite/latency")
    assert [each["service"] for each in every["services"]] == ["job", "web"]
    assert every["services"][0]["cold"]["p50"] == 0.75


async def test_lines_are_found_and_a_stream_of_them_ends_with_the_run() -> None:
    server = Server()
    server.writes("one")
    _, answer = await server.get("/knlite/logs?limit=10")
    assert [(line["text"], line["level"]) for line in answer["lines"]] == [("one", "info")]
    server.ending.end()
    transport = httpx.ASGITransport(app=server.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://knlite") as client:
        answer = await client.get("/knlite/logs?follow=true")
    assert answer.status_code == 200
    assert [json.loads(line) for line in answer.text.splitlines()] == []
