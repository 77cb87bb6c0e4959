"""Answers with values of knlite's own, which are no objects of Kubernetes."""

import msgspec
from starlette.responses import Response


def own_json(value: object, status: int = 200) -> Response:
    """The answer with *value* as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")
