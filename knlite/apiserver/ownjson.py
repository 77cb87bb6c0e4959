"""Answers with values of knlite's own, which are no objects of Kubernetes."""

import msgspec
from starlette.responses import Response


def own_json(value: object, status: int = 200) -> Response:
    """The answer with *value* as JSON."""
    # It is of this moment, and it may hold a Secret that a person has asked for.
    headers = {"Cache-Control": "no-store"}
    body = msgspec.json.encode(value)
    return Response(body, status, headers, media_type="application/json")
