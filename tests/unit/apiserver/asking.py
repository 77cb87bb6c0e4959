"""Asks the application of the admin port itself, without a socket."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import anyio
import httpx
import msgspec

from knlite.apiserver.app import Door, make_app
from knlite.apiserver.beside import Beside
from knlite.errors import Conflict
from knlite.eventlog.historymemory import MemoryHistory
from knlite.facts import LogLine
from knlite.issuer import Issuer
from knlite.registry.registry import Registry
from knlite.telemetry.eventrecords import EventRecords
from knlite.telemetry.logs import Logs
from knlite.telemetry.resending import Resending
from tests.unit.telemetry.eventfacts import Entrance, Posts

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"
BROKERS = "/apis/eventing.knative.dev/v1/namespaces/default/brokers"
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}


def line(text: str = "hello", at: datetime = NOW, **other: Any) -> LogLine:
    fields = {
        "namespace": "default",
        "service": "web",
        "revision": "web-00001",
        "instance": "web-00001-x",
        "stream": "stdout",
        "container": "user-container",
        **other,
    }
    return LogLine(at=at, text=text, **fields)


def service(name: str = "hello", **meta: Any) -> dict[str, Any]:
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, **meta},
        "spec": {"template": {"spec": {"containers": [{"image": "example.com/hello"}]}}},
    }


def broker(name: str = "b", **meta: Any) -> dict[str, Any]:
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Broker",
        "metadata": {"name": name, **meta},
    }


def config_map(name: str = "x", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


class Health:
    def __init__(self) -> None:
        self.waiting = ["Service default/web: Deploying"]
        self.broken = False

    def unsettled(self) -> list[str]:
        if self.broken:
            raise ZeroDivisionError
        return self.waiting


class Still:
    """A clock that stands still."""

    def now(self) -> float:
        return 0.0

    def wall(self) -> datetime:
        return NOW


class Client:
    """One client of one admin port."""

    def __init__(
        self,
        registry: Registry,
        token: str = "",
        logs: Logs | None = None,
        beside: Beside | None = None,
    ) -> None:
        self.registry = registry
        self.events = EventRecords(MemoryHistory())
        self.entrance, self.posts = Entrance(), Posts()
        self.health = Health()
        self.logs = logs or Logs()
        self.busy = False
        self.rested: list[str] = []
        self.door: Door = make_app(
            registry,
            logs=self.logs,
            health=self.health,
            metrics=lambda: (b"x 1\n", "text/plain"),
            wall=lambda: NOW,
            events=self.events,
            sending=Resending(self.events, self.entrance, self.posts, Still(), self.events.read),
            rest=self._rest,
            issuer=Issuer(lambda: NOW),
            token=token,
            gateway="http://127.0.0.1:8080",
            runtime="process",
            beside=beside,
        )
        self._transport = httpx.ASGITransport(self.door.app, raise_app_exceptions=False)

    async def _rest(self, namespace: str, service: str) -> None:
        if self.busy:
            raise Conflict(f"{service} cannot be brought to zero", cause="1 request is under way")
        self.rested.append(f"{namespace}/{service}")

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, body: object, **query: str) -> httpx.Response:
        return self.ask("POST", path + _query(query), body)

    def put(self, path: str, body: object, **query: str) -> httpx.Response:
        return self.ask("PUT", path + _query(query), body)

    def patch(self, path: str, kind: str, body: object, **query: str) -> httpx.Response:
        headers = {"Content-Type": f"application/{kind}"}
        return self.ask("PATCH", path + _query(query), body, headers)

    def delete(self, path: str, body: object = None) -> httpx.Response:
        return self.ask("DELETE", path, body)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        path += _query(query or {})
        sent = {} if body is None else {"Content-Type": "application/json"}
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        given = None if body is None else content
        return anyio.run(self._ask, method, path, given, {**sent, **(headers or {})})

    async def _ask(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> httpx.Response:
        base = "http://127.0.0.1:8081"
        async with httpx.AsyncClient(transport=self._transport, base_url=base) as http:
            return await http.request(method, path, headers=dict(headers), content=content)


class Stream:
    """An answer that has begun; its lines as they come."""

    def __init__(self) -> None:
        self.status = 0
        self.ended = anyio.Event()
        self._send, self._receive = anyio.create_memory_object_stream[bytes](1000)

    def close(self) -> None:
        self._send.close()
        self._receive.close()

    async def take(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        for each in message.get("body", b"").splitlines():
            await self._send.send(each)
        if not message.get("more_body"):
            self.ended.set()

    async def line(self) -> bytes:
        with anyio.fail_after(5):
            return await self._receive.receive()

    async def event(self) -> tuple[str, dict[str, Any]]:
        """Type and object of the next event."""
        found = msgspec.json.decode(await self.line())
        return found["type"], found["object"]

    async def end(self) -> None:
        with anyio.fail_after(5):
            await self.ended.wait()


@asynccontextmanager
async def streaming(
    door: Door, path: str, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Stream]:
    """The answer to a GET, while the client stays."""
    where, _, query = path.partition("?")
    pairs = {"host": "127.0.0.1:8081", **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": where,
        "raw_path": where.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in pairs.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8081),
    }
    stream = Stream()
    gone = anyio.Event()
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async with anyio.create_task_group() as group:
        group.start_soon(door.app, scope, receive, stream.take)
        yield stream
        gone.set()
    stream.close()


def _query(query: Mapping[str, str]) -> str:
    return f"?{urlencode(query)}" if query else ""
