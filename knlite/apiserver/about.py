"""What the server says of itself: its version, its kinds (discovery), their fields (OpenAPI).

Source: clients-api reference, Parts 2 and 3.
"""

import platform
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from knlite import __version__
from knlite.apiserver import discovery, openapi
from knlite.apiserver.negotiation import discovery_version
from knlite.apiserver.status import NO_RESOURCE, failure

MINOR = 34
"""Of the Kubernetes whose clients are expected; kubectl warns of more than one apart."""
_FOREVER = "public, max-age=31536000, immutable"


async def version(_request: Request) -> Response:
    build = __version__.replace("+", ".")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return JSONResponse(
        {
            "major": "1",
            "minor": str(MINOR),
            "gitVersion": f"v1.{MINOR}.0+knlite.{build}",
            "gitCommit": "",
            "gitTreeState": "",
            "buildDate": "1970-01-01T00:00:00Z",
            "goVersion": "",
            "compiler": "",
            "platform": f"{platform.system().lower()}/{machine}",
        }
    )


async def core_versions(request: Request) -> Response:
    return _discovered(request, discovery.legacy_versions, core=True)


async def groups(request: Request) -> Response:
    return _discovered(request, discovery.group_list, core=False)


def _discovered(request: Request, classic: Callable[[], dict[str, Any]], *, core: bool) -> Response:
    wanted = discovery_version(request.headers.get("accept", ""))
    if wanted is None:
        return JSONResponse(classic(), headers={"Vary": "Accept"})
    # By these parameters the client knows which of the two forms it got.
    kind = f"application/json;g=apidiscovery.k8s.io;v={wanted};as=APIGroupDiscoveryList"
    body = msgspec.json.encode(discovery.aggregated(core=core, version=wanted))
    return Response(body, headers={"Content-Type": kind, "Vary": "Accept"})


async def group(request: Request) -> Response:
    return _found(discovery.group(request.path_params["group"]))


async def resources(request: Request) -> Response:
    params = request.path_params
    return _found(discovery.resource_list(params.get("group", ""), params["version"]))


def _found(body: dict[str, Any] | None) -> Response:
    if body is None:
        return failure(404, "NotFound", NO_RESOURCE)
    return Response(msgspec.json.encode(body), media_type="application/json")


async def openapi_v2(_request: Request) -> Response:
    # No bytes are a valid document: an empty one.
    return Response(b"", headers={"Content-Type": openapi.V2_TYPE})


async def openapi_index(_request: Request) -> Response:
    return Response(openapi.index(), media_type="application/json")


async def openapi_document(request: Request) -> Response:
    found = openapi.documents().get(request.path_params["path"])
    if found is None:
        return failure(404, "NotFound", NO_RESOURCE)
    body, digest = found
    headers = {"ETag": f'"{digest}"'}
    if request.query_params.get("hash") == digest:
        headers["Cache-Control"] = _FOREVER
    return Response(body, media_type="application/json", headers=headers)
