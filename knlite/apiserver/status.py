"""Errors as Kubernetes Status objects: one table from error family to code and reason.

Source: Kubernetes meta/v1 Status; Knative reference §0.2.
"""

from typing import Any

from starlette.responses import JSONResponse

from knlite.errors import Conflict, InvalidInput, KnliteError, NotFound, Overloaded, Unreachable

_FAMILIES: tuple[tuple[type[KnliteError], int, str], ...] = (
    (NotFound, 404, "NotFound"),
    (Conflict, 409, "Conflict"),
    (InvalidInput, 400, "BadRequest"),
    (Overloaded, 429, "TooManyRequests"),
    (Unreachable, 503, "ServiceUnavailable"),
)


def failure(
    code: int, reason: str, message: str, details: dict[str, Any] | None = None
) -> JSONResponse:
    """A Status that says what went wrong."""
    body: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    if details:
        body["details"] = details
    return JSONResponse(body, code)


def failure_of(error: KnliteError) -> JSONResponse:
    """The Status for *error*."""
    for family, code, reason in _FAMILIES:
        if isinstance(error, family):
            return failure(code, reason, str(error))
    return failure(500, "InternalError", str(error))


def success(details: dict[str, Any]) -> JSONResponse:
    """The Status after a deletion."""
    return JSONResponse(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": details,
        }
    )
