"""Errors as Kubernetes Status objects: one table from error family to code and reason.

Source: Kubernetes meta/v1 Status and ``api/errors``.
Not here: how admission words a refusal (``kinds/webhooks.py``).
"""

from collections.abc import Sequence
from typing import Any

from starlette.responses import JSONResponse

from knlite.apiserver.paths import Target
from knlite.apiserver.refusals import MethodNotAllowed, NotAcceptable, TooLarge, Unsupported
from knlite.errors import (
    AlreadyExists,
    Cause,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    InvalidInput,
    KnliteError,
    NotFound,
    Overloaded,
    Unreachable,
)
from knlite.kinds.catalog import info_of
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.patch.tree import PatchFailed
from knlite.kinds.webhooks import denial
from knlite.registry.registry import Refused

NO_RESOURCE = "the server could not find the requested resource"
NO_METHOD = "the server does not allow this method on the requested resource"

_FAMILIES: tuple[tuple[type[KnliteError], int, str], ...] = (
    (NotFound, 404, "NotFound"),
    (AlreadyExists, 409, "AlreadyExists"),
    (Conflict, 409, "Conflict"),
    (Expired, 410, "Expired"),
    (Forbidden, 403, "Forbidden"),
    (TooLarge, 413, "RequestEntityTooLarge"),
    (MethodNotAllowed, 405, "MethodNotAllowed"),
    (NotAcceptable, 406, "NotAcceptable"),
    (Unsupported, 415, "UnsupportedMediaType"),
    (Invalid, 422, "Invalid"),
    (InvalidInput, 400, "BadRequest"),
    (Overloaded, 429, "TooManyRequests"),
    (Unreachable, 503, "ServiceUnavailable"),
)


def status_of(error: KnliteError, target: Target | None = None) -> dict[str, Any]:
    """The Status for *error* of a request for *target*."""
    causes: Sequence[Cause] = getattr(error, "causes", ())
    code: int
    reason: str
    code, reason = next(
        ((code, reason) for family, code, reason in _FAMILIES if isinstance(error, family)),
        (500, "InternalError"),
    )
    message = str(error)
    if isinstance(error, Refused):
        info, key = info_of(error.key.kind), error.key
        meta = ObjectMeta(name=key.name, namespace=key.namespace)
        denied = denial(info.kind, info.group, meta, error.errors)
        code, reason, message = denied.code, denied.reason, denied.message
        causes = denied.causes
    details = _details(target)
    if target is not None and code == 422:
        # Of an invalid object clients print the kind, not the resource.
        details["kind"] = target.info.kind
    if isinstance(error, PatchFailed):
        # kubectl names the object instead of saying what is wrong if it is told of both.
        details = {}
    if causes:
        details["causes"] = [
            {
                "reason": cause.reason,
                "message": cause.message,
                **({"field": cause.field} if cause.field else {}),
            }
            for cause in causes
        ]
    return status(code, reason, message, details)


def status(
    code: int, reason: str, message: str, details: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A Status that says what went wrong."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        **({"details": details} if details else {}),
        "code": code,
    }


def failure(
    code: int, reason: str, message: str, details: dict[str, Any] | None = None
) -> JSONResponse:
    """The answer with such a Status."""
    return JSONResponse(status(code, reason, message, details), code)


def failure_of(error: KnliteError, target: Target | None = None) -> JSONResponse:
    """The answer for *error* of a request for *target*."""
    body = status_of(error, target)
    headers = {"Retry-After": "1"} if body["code"] == 429 else None
    return JSONResponse(body, body["code"], headers)


def success(target: Target, uid: str = "") -> JSONResponse:
    """The Status after a deletion of *target*."""
    return JSONResponse(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {**_details(target), **({"uid": uid} if uid else {})},
        }
    )


def _details(target: Target | None) -> dict[str, Any]:
    if target is None:
        return {}
    named = {"name": target.name, "group": target.info.group, "kind": target.info.plural}
    return {name: value for name, value in named.items() if value}
