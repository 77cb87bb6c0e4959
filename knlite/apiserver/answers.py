"""Answers with objects, in the shape that the client accepts.

Source: Kubernetes API concepts (Tables, metadata alone).
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import anyio
import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from knlite.apiserver import options
from knlite.apiserver.documents import BATCH, encoded, list_pieces, pieces
from knlite.apiserver.negotiation import Accepted, accepted
from knlite.apiserver.paths import Target
from knlite.apiserver.refusals import NotAcceptable
from knlite.apiserver.tables import partial, table
from knlite.kinds.meta import Object


def wanted(request: Request) -> Accepted:
    """The shape of the answer. Raises ``NotAcceptable``."""
    found = accepted(request.headers.get("accept", ""))
    if found is None:
        raise NotAcceptable(
            "only the following media types are accepted: application/json,"
            " application/json;as=Table;v=v1;g=meta.k8s.io,"
            " application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
        )
    return found


class Answers:
    """The answers to one request; made before anything is done, so that a write is not lost on a
    client that accepts nothing."""

    def __init__(self, request: Request, target: Target, now: datetime) -> None:
        """Raises ``NotAcceptable``, ``InvalidInput``."""
        self._target = target
        self._shape = wanted(request)
        self._include = options.included(request)
        self._now = now

    def one(self, obj: Object, code: int = 200, warnings: Iterable[str] = ()) -> Response:
        """The answer with *obj*."""
        info, shape = self._target.info, self._shape
        match shape.shape:
            case "Table":
                metadata = {"resourceVersion": obj.metadata.resource_version}
                body = b"".join(self._table([obj], metadata))
            case "Object":
                body = encoded(info, obj)
            case _:
                body = msgspec.json.encode(partial(info, obj, shape.version))
        answer = Response(body, code, media_type="application/json")
        for text in warnings:
            answer.headers.append("Warning", text)
        return answer

    def many(self, found: Sequence[Object], metadata: dict[str, Any]) -> Response:
        """The answer with a list; *metadata* is its own."""
        found_pieces = self._pieces(found, metadata)
        if len(found) <= BATCH:
            return Response(b"".join(found_pieces), media_type="application/json")
        return StreamingResponse(_in_turns(found_pieces), media_type="application/json")

    def _pieces(self, found: Sequence[Object], metadata: dict[str, Any]) -> Iterator[bytes]:
        info, shape = self._target.info, self._shape
        match shape.shape:
            case "Table":
                return self._table(found, metadata)
            case "Object":
                return list_pieces(info, found, metadata)
            case _:
                beginning = {
                    "kind": "PartialObjectMetadataList",
                    "apiVersion": f"meta.k8s.io/{shape.version}",
                    "metadata": metadata,
                }
                return pieces(
                    msgspec.json.encode(beginning)[:-1] + b',"items":[',
                    found,
                    lambda obj: msgspec.json.encode(partial(info, obj, shape.version)),
                )

    def _table(self, found: Sequence[Object], metadata: dict[str, Any]) -> Iterator[bytes]:
        return table(
            self._target.info,
            found,
            metadata=metadata,
            include=self._include,
            version=self._shape.version,
            now=self._now,
        )


async def _in_turns(found: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same, with everybody else served between two pieces."""
    for piece in found:
        yield piece
        await anyio.lowlevel.checkpoint()
