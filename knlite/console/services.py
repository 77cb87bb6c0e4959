"""``/knlite/services``: what the page of the services shows, and what it does.

Traffic is not changed here: that is a change of the Service, which the Kubernetes API takes.

Source: knlite's own (``docs/console.md``).
"""

import base64
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from knlite.apiserver.bodies import read_bytes
from knlite.apiserver.ownjson import own_json
from knlite.console.invocation import (
    MAX_ANSWER,
    MAX_REQUEST,
    SECONDS,
    Answer,
    Invoke,
    decoded,
    host_of,
    named,
    target_of,
)
from knlite.console.presence import while_there
from knlite.console.revisionview import Known
from knlite.console.serviceview import service_detail, service_rows
from knlite.registry.registry import Registry

Restart = Callable[[str, str], Awaitable[Mapping[str, int]]]
"""Gives the service of a namespace and name new instances; how many of which revisions were there.

Raises ``NotFound`` or ``Conflict``."""


class ServiceRoutes:
    """The answers."""

    def __init__(
        self,
        registry: Registry,
        *,
        known: Known,
        restart: Restart,
        invoke: Invoke,
    ) -> None:
        self._registry = registry
        self._known = known
        self._restart = restart
        self._invoke = invoke

    def routes(self) -> list[Route]:
        """All of them."""
        one = "/knlite/services/{namespace}/{service}"
        return [
            Route("/knlite/services", self._list, methods=["GET"]),
            Route(one, self._detail, methods=["GET"]),
            Route(f"{one}/restart", self._restarted, methods=["POST"]),
            Route(f"{one}/invoke", self._invoked, methods=["POST"]),
        ]

    async def _list(self, _request: Request) -> Response:
        return own_json({"services": service_rows(self._registry.view)})

    async def _detail(self, request: Request) -> Response:
        namespace, name = _named(request)
        return own_json(service_detail(self._registry.view, namespace, name, self._known))

    async def _restarted(self, request: Request) -> Response:
        namespace, name = _named(request)
        replaced = await self._restart(namespace, name)
        return JSONResponse({"replaced": replaced, "message": told_restart(name, replaced)})

    async def _invoked(self, request: Request) -> Response:
        namespace, name = _named(request)
        asked = decoded(await read_bytes(request, MAX_REQUEST))
        headers, request_id = named(asked.headers)
        ask = partial(
            self._invoke,
            asked.method,
            host_of(self._registry.view, namespace, name, asked),
            target_of(asked.path),
            headers,
            asked.body.encode(),
            timeout=SECONDS,
            limit=MAX_ANSWER,
        )
        answer = await while_there(request.receive, ask)
        if answer is None:
            return Response()  # Nobody reads it.
        return JSONResponse({**shown(answer), "request": request_id})


def told_restart(name: str, replaced: Mapping[str, int]) -> str:
    """What a restart has done, in a sentence."""
    if not replaced:
        return f"{name} is at zero: there is no instance to restart, and the next one will be new"
    parts = [
        f"{count} instance{'' if count == 1 else 's'} of {revision}"
        for revision, count in replaced.items()
    ]
    return f"{name} restarted: {', '.join(parts)}"


def shown(answer: Answer) -> dict[str, object]:
    """*answer* as JSON: text as it is, other bytes in base64; times in seconds."""
    try:
        body: dict[str, object] = {"body": answer.body.decode()}
    except UnicodeDecodeError:
        if answer.cut and (text := _beginning(answer.body)) is not None:
            body = {"body": text}
        else:
            body = {"bodyBase64": base64.b64encode(answer.body).decode()}
    return {
        "status": answer.status,
        "headers": [list(header) for header in answer.headers],
        **body,
        "cut": answer.cut,
        "firstByte": round(answer.first_byte, 6),
        "seconds": round(answer.seconds, 6),
        "instance": answer.instance,
    }


def _beginning(body: bytes) -> str | None:
    """Text that was cut in the middle of a character; None if it is no text."""
    for missing in (1, 2, 3):
        try:
            return body[:-missing].decode()
        except UnicodeDecodeError:
            continue
    return None


def _named(request: Request) -> tuple[str, str]:
    return request.path_params["namespace"], request.path_params["service"]
