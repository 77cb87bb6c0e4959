"""The admin port: the Kubernetes API over the registry, health, metrics, logs.

Source: Kubernetes API concepts; clients-api reference (what kubectl and kn ask, in which order).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from knlite.apiserver import about, options, reviews
from knlite.apiserver.beside import Beside
from knlite.apiserver.bodies import read_body
from knlite.apiserver.ending import Ending
from knlite.apiserver.eventroutes import EventRoutes
from knlite.apiserver.eventsource import EventSending, EventSource
from knlite.apiserver.guard import Guard
from knlite.apiserver.logsource import LogSource
from knlite.apiserver.paths import Target, parse
from knlite.apiserver.podlogs import pod_log
from knlite.apiserver.scale import SCALED, scale
from knlite.apiserver.servicelogs import service_log
from knlite.apiserver.status import NO_METHOD, NO_RESOURCE, failure, failure_of
from knlite.apiserver.tokens import Tokens
from knlite.apiserver.verbs import Verbs, user_of
from knlite.apiserver.watching import watch
from knlite.errors import KnliteError, NotFound
from knlite.issuer import Issuer
from knlite.kinds.core.serviceaccount import ServiceAccount
from knlite.registry.registry import Registry

Rest = Callable[[str, str], Awaitable[None]]
"""Brings the service of a namespace and name to zero. Raises ``NotFound`` or ``Conflict``."""

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Health(Protocol):
    """What the emulator says of itself."""

    def unsettled(self) -> list[str]:
        """What is not settled yet, in words; empty when everything applied has settled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The application, and how it is told that the run ends."""

    app: Starlette
    ending: Ending


def make_app(
    registry: Registry,
    *,
    logs: LogSource,
    health: Health,
    metrics: Callable[[], tuple[bytes, str]],
    wall: Callable[[], datetime],
    events: EventSource,
    sending: EventSending,
    rest: Rest,
    issuer: Issuer,
    token: str = "",
    gateway: str = "",
    runtime: str = "",
    beside: Beside | None = None,
) -> Door:
    """The application of the admin port; with *token* every request needs it.

    *rest* brings a service to zero. It tells whoever asks that the gateway is at the URL *gateway*,
    and that *runtime* runs functions. The console is *beside* it.
    """
    beside = beside or Beside()
    ending = beside.ending
    own = _Own(logs, health, metrics, rest, ending, {"url": gateway, "runtime": runtime})
    tokens = Tokens(registry, issuer)
    api = _Api(registry, logs, ending, wall, tokens)
    app = Starlette(
        routes=[
            *(Route(path, own.livez) for path in ("/livez", "/healthz")),
            Route("/readyz", own.readyz),
            Route("/metrics", own.metrics),
            Route("/knlite/gateway", own.gateway),
            Route("/knlite/logs/{namespace}/{service}", own.logs),
            Route("/knlite/services/{namespace}/{service}/rest", own.rest, methods=["POST"]),
            *EventRoutes(events, sending, ending).routes(),
            *tokens.routes(),
            *beside.routes,
            Route("/version", about.version),
            Route("/api", about.core_versions),
            Route("/apis", about.groups),
            Route("/apis/{group}", about.group),
            Route("/api/{version}", about.resources),
            Route("/apis/{group}/{version}", about.resources),
            Route("/openapi/v2", about.openapi_v2),
            Route("/openapi/v3", about.openapi_index),
            Route("/openapi/v3/{path:path}", about.openapi_document),
            Route("/api/{version}/{rest:path}", api.answer, methods=_METHODS),
            Route("/apis/{group}/{version}/{rest:path}", api.answer, methods=_METHODS),
        ],
        middleware=[Middleware(Guard, token=token, page_token=beside.token)],
        exception_handlers={
            KnliteError: _refused,
            Exception: _failed,
            404: _no_path,
            405: _no_method,
        },
    )
    return Door(app=app, ending=ending)


class _Api:
    """Requests for objects."""

    def __init__(
        self,
        registry: Registry,
        logs: LogSource,
        ending: Ending,
        wall: Callable[[], datetime],
        tokens: Tokens,
    ) -> None:
        self._registry = registry
        self._tokens = tokens
        self._logs = logs
        self._ending = ending
        self._wall = wall
        self._verbs = Verbs(registry, wall)

    async def answer(self, request: Request) -> Response:
        """Find what the path names and do what the method says; errors become a Status."""
        params = request.path_params
        group, version, rest = params.get("group", ""), params["version"], params["rest"]
        target = None
        try:
            special = await _special(request, group, version, rest)
            if special is not None:
                return special
            target = parse(group, version, rest)
            if target is None:
                raise NotFound(NO_RESOURCE)
            return await self._answer(request, target)
        except KnliteError as exc:
            return failure_of(exc, target)

    async def _answer(self, request: Request, target: Target) -> Response:
        verbs = self._verbs
        if target.subresource == "log" and target.info.plural == "pods":
            if request.method != "GET":
                return _refuse_method(target)
            return pod_log(self._registry, self._logs, request, target, self._ending, self._wall)
        if target.subresource == "scale" and target.info.type in SCALED:
            return await scale(self._registry, request, target)
        if target.subresource == "token" and target.info.type is ServiceAccount:
            return await self._tokens.request(request, target, self._wall())
        if target.subresource and not (target.subresource == "status" and target.info.has_status):
            raise NotFound(NO_RESOURCE)
        match request.method, bool(target.name):
            case "GET" | "HEAD", _ if options.flag(request, "watch") and not target.subresource:
                return watch(self._registry, request, target, self._ending, self._wall)
            case "GET" | "HEAD", True:
                return verbs.get(request, target)
            case "GET" | "HEAD", False:
                return verbs.list(request, target)
            case "POST", False if target.namespace or not target.info.namespaced:
                return await verbs.create(request, target)
            case "PUT", True:
                return await verbs.update(request, target)
            case "PATCH", True:
                return await verbs.patch(request, target)
            case "DELETE", True if not target.subresource:
                return await verbs.delete(request, target)
            case "DELETE", False:
                return await verbs.delete_collection(request, target)
            case _:
                return _refuse_method(target)


async def _special(request: Request, group: str, version: str, rest: str) -> Response | None:
    """The answer to what is no kept object; None if *rest* names one."""
    if request.method == "POST" and version == reviews.VERSION and (group, rest) in reviews.KINDS:
        body = await read_body(request)
        return JSONResponse(reviews.review(group, rest, body.tree, user_of(request)), 201)
    return None


class _Own:
    """What is knlite's own: health, metrics, the logs of a service, its rest."""

    def __init__(
        self,
        logs: LogSource,
        health: Health,
        metrics: Callable[[], tuple[bytes, str]],
        rest: Rest,
        ending: Ending,
        gateway: Mapping[str, str],
    ) -> None:
        self._logs = logs
        self._rest = rest
        self._ending = ending
        self._gateway = gateway
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

    async def rest(self, request: Request) -> Response:
        await self._rest(request.path_params["namespace"], request.path_params["service"])
        return Response(status_code=204)

    async def gateway(self, _request: Request) -> Response:
        return JSONResponse(self._gateway)

    async def logs(self, request: Request) -> Response:
        return service_log(self._logs, request, self._ending)


def _refuse_method(target: Target) -> Response:
    details = {"group": target.info.group, "kind": target.info.plural}
    return failure(405, "MethodNotAllowed", NO_METHOD, details)


async def _refused(_request: Request, exc: Exception) -> Response:
    if not isinstance(exc, KnliteError):
        raise exc
    return failure_of(exc)


async def _failed(_request: Request, _exc: Exception) -> Response:
    # Whoever serves this application logs the trace.
    return failure(500, "InternalError", "Internal error occurred: knlite has a bug; see its log")


async def _no_path(_request: Request, _exc: Exception) -> Response:
    return failure(404, "NotFound", NO_RESOURCE)


async def _no_method(_request: Request, _exc: Exception) -> Response:
    return failure(405, "MethodNotAllowed", NO_METHOD)
