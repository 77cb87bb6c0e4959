"""The admin port: objects in the shape of the Kubernetes API, health, metrics, logs.

It only listens on loopback, and only answers requests that name it by a loopback name: a web page
that the user happens to visit must not reach it through a name of its own (DNS rebinding).

Source: Kubernetes API concepts (paths, lists, Status).
Not here: writing objects and watching them; those belong to the Kubernetes clients' own chapter.
"""

import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from knlite.apiserver.status import failure, failure_of, success
from knlite.errors import KnliteError, NotFound
from knlite.kinds.catalog import KindInfo, by_resource, document, info_of
from knlite.kinds.meta import Object
from knlite.reconcile import Key
from knlite.registry.registry import Registry

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))


class Line(Protocol):
    """One line that an instance wrote."""

    @property
    def at(self) -> datetime: ...
    @property
    def revision(self) -> str: ...
    @property
    def instance(self) -> str: ...
    @property
    def stream(self) -> str: ...
    @property
    def text(self) -> str: ...


class LogSource(Protocol):
    """Where logs of services come from."""

    def tail(self, namespace: str, service: str, count: int | None = None) -> list[Any]:
        """The last lines."""
        ...

    def follow(self, namespace: str, service: str, count: int | None = None) -> AsyncIterator[Any]:
        """The last lines, then new ones."""
        ...


class Health(Protocol):
    """What the emulator says of itself."""

    def unsettled(self) -> list[str]:
        """What is not settled yet, in words; empty when everything applied has settled."""
        ...


def make_app(
    registry: Registry, *, logs: LogSource, health: Health, metrics: Callable[[], tuple[bytes, str]]
) -> Starlette:
    """The ASGI application of the admin port."""
    routes = _Routes(registry, logs, health, metrics)
    both = ["/api/{version}", "/apis/{group}/{version}"]
    objects = [
        Route(base + tail, handler, methods=methods)
        for base in both
        for tail, handler, methods in (
            ("/namespaces/{namespace}/{plural}/{name}", routes.one, ["GET", "DELETE"]),
            ("/namespaces/{namespace}/{plural}", routes.listed, ["GET"]),
            ("/{plural}/{name}", routes.one, ["GET", "DELETE"]),
            ("/{plural}", routes.listed, ["GET"]),
        )
    ]
    return Starlette(
        routes=[
            Route("/livez", routes.livez),
            Route("/readyz", routes.readyz),
            Route("/metrics", routes.metrics),
            Route("/knlite/logs/{namespace}/{service}", routes.logs),
            *objects,
        ],
        middleware=[Middleware(_LoopbackOnly)],
        exception_handlers={KnliteError: _refused, 404: _no_path, 405: _no_path},
    )


class _Routes:
    def __init__(
        self,
        registry: Registry,
        logs: LogSource,
        health: Health,
        metrics: Callable[[], tuple[bytes, str]],
    ) -> None:
        self._registry = registry
        self._logs = logs
        self._health = health
        self._metrics = metrics

    async def livez(self, _request: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(self, _request: Request) -> Response:
        waiting = self._health.unsettled()
        if not waiting:
            return PlainTextResponse("ok")
        return PlainTextResponse("not settled yet:\n" + "\n".join(waiting) + "\n", 503)

    async def metrics(self, _request: Request) -> Response:
        body, content_type = self._metrics()
        return Response(body, media_type=content_type)

    async def logs(self, request: Request) -> Response:
        namespace, service = request.path_params["namespace"], request.path_params["service"]
        tail = request.query_params.get("tail")
        count = int(tail) if tail and tail.isdecimal() else None
        if request.query_params.get("follow") == "true":
            lines = self._logs.follow(namespace, service, count)
            return StreamingResponse(_streamed(lines), media_type="application/x-ndjson")
        body = "".join(_json_line(line) for line in self._logs.tail(namespace, service, count))
        return Response(body, media_type="application/x-ndjson")

    async def listed(self, request: Request) -> Response:
        info = _info(request)
        namespace = request.path_params.get("namespace", "")
        items = [document(obj) for obj in self._registry.view.listed(info.type, namespace)]
        return JSONResponse(
            {
                "apiVersion": info.api_version,
                "kind": f"{info.kind}List",
                "metadata": {"resourceVersion": str(self._registry.version)},
                "items": items,
            }
        )

    async def one(self, request: Request) -> Response:
        info = _info(request)
        name = request.path_params["name"]
        obj = self._existing(info, request.path_params.get("namespace", ""), name)
        if request.method == "DELETE":
            self._registry.delete(Key(info.type, obj.metadata.namespace, name))
            return success({"name": name, "kind": info.plural, "uid": obj.metadata.uid})
        return JSONResponse(document(obj))

    def _existing(self, info: KindInfo, namespace: str, name: str) -> Object:
        found = self._registry.at(Key(info.type, namespace, name))
        if found is None:
            raise NotFound(f'{info_of(info.type).resource} "{name}" not found')
        return found


async def _streamed(lines: AsyncIterator[Line]) -> AsyncIterator[str]:
    async for line in lines:
        yield _json_line(line)


def _json_line(line: Line) -> str:
    value = {
        "at": line.at.isoformat(timespec="milliseconds"),
        "revision": line.revision,
        "instance": line.instance,
        "stream": line.stream,
        "text": line.text,
    }
    return json.dumps(value, ensure_ascii=False) + "\n"


def _info(request: Request) -> KindInfo:
    params = request.path_params
    info = by_resource(params.get("group", ""), params["version"], params["plural"])
    if info is None:
        raise NotFound("the server could not find the requested resource")
    return info


async def _refused(_request: Request, exc: Exception) -> Response:
    if not isinstance(exc, KnliteError):
        raise exc
    return failure_of(exc)


async def _no_path(request: Request, _exc: Exception) -> Response:
    if request.method not in {"GET", "DELETE"}:
        return failure(405, "MethodNotAllowed", "the server does not allow this method here")
    return failure(404, "NotFound", "the server could not find the requested resource")


class _LoopbackOnly:
    """Refuses requests that reached loopback under a foreign name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            host = headers.get(b"host", b"").decode("latin-1").lower()
            name = host if host.endswith("]") else host.rpartition(":")[0] or host
            origin = headers.get(b"origin", b"").decode("latin-1").lower()
            foreign = origin and origin.partition("://")[2] != host
            if name not in _LOOPBACK or foreign:
                text = f'the admin port answers to localhost only, not to "{name or origin}"'
                await failure(403, "Forbidden", text)(scope, receive, send)
                return
        await self._app(scope, receive, send)
