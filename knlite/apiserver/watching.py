"""Watches: what happens to objects, one line of JSON per event, for as long as the client stays.

A watch ends when its ``timeoutSeconds`` are over or the run ends, always cleanly: ``kubectl get``
takes the end of a watch for the end of everything.

Source: Kubernetes API concepts (watch, bookmarks, streaming lists); clients-api reference, Part 5.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any

import anyio
import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from knlite.apiserver import options
from knlite.apiserver.answers import wanted
from knlite.apiserver.documents import BATCH, encoded
from knlite.apiserver.ending import Ending
from knlite.apiserver.negotiation import Accepted
from knlite.apiserver.paths import Target
from knlite.apiserver.selectors import named, predicate
from knlite.apiserver.status import status_of
from knlite.apiserver.tables import Included, definitions, partial, table
from knlite.apiserver.verbs import require_verb
from knlite.errors import Expired
from knlite.kinds.conditions import find
from knlite.kinds.meta import Object
from knlite.registry.registry import Registry
from knlite.registry.watch import Watch, WatchEvent

BOOKMARK_EVERY = 60.0
"""Seconds between bookmarks of a watch that asked for them."""
INITIAL_END = "k8s.io/initial-events-end"


def watch(
    registry: Registry,
    request: Request,
    target: Target,
    ending: Ending,
    wall: Callable[[], datetime],
) -> Response:
    """The stream of what happens to *target*. Raises ``Expired``, ``InvalidInput``."""
    require_verb(target, "watch")
    query = request.query_params
    fields = query.get("fieldSelector", "")
    if target.name:
        fields = f"{fields},metadata.name={target.name}".lstrip(",")
    initial = options.flag(request, "sendInitialEvents")
    found = registry.watch(
        target.info.key_type,
        target.namespace,
        since=None if initial else options.since(request) or None,
        predicate=predicate(target.info, query.get("labelSelector", ""), fields),
    )
    shape = wanted(request)
    lines = _Lines(target, shape, options.included(request), wall)
    already: tuple[WatchEvent, ...] = ()
    if shape.shape == "Object":
        already = _failed_already(registry, target, named(fields), options.since(request))
    bookmarks = options.flag(request, "allowWatchBookmarks")
    seconds = options.number(request, "timeoutSeconds")
    return StreamingResponse(
        _streamed(
            found,
            lines,
            ending,
            already,
            seconds=inf if seconds is None else seconds,
            bookmarks=bookmarks,
            marks_initial=initial and bookmarks,
        ),
        media_type="application/json",
    )


def _failed_already(
    registry: Registry, target: Target, name: str, since: int
) -> tuple[WatchEvent, ...]:
    """The present state of the one object that is watched, when it has failed before *since*.

    ``kn`` creates, reads, and then waits for a change before it looks at the conditions. What
    fails within milliseconds has no more changes, and it would wait for its whole ten minutes.
    Clients bear with an event that they know already.
    """
    if not (name and since and target.info.custom):
        return ()
    obj = registry.view.get(target.info.key_type, target.namespace, name)
    if obj is None or obj.metadata.resource_version != str(since):
        return ()
    ready = find(getattr(getattr(obj, "status", None), "conditions", ()))
    failed = ready is not None and ready.status == "False"
    return (WatchEvent("MODIFIED", obj),) if failed else ()


async def _streamed(
    found: Watch,
    lines: "_Lines",
    ending: Ending,
    already: tuple[WatchEvent, ...],
    *,
    seconds: float,
    bookmarks: bool,
    marks_initial: bool,
) -> AsyncIterator[bytes]:
    # A socket's patience, which nobody fast-forwards.
    deadline = anyio.current_time() + seconds  # noqa: TID251
    since = found.version
    beginning = (*found.initial, *already)
    # Even when nothing exists: the client learns that it watches.
    yield b""
    for start in range(0, len(beginning), BATCH):
        yield lines.of(beginning[start : start + BATCH])
        await anyio.lowlevel.checkpoint()
    if marks_initial:
        yield lines.bookmark(since, initial_end=True)
    while not ending.over:
        left = deadline - anyio.current_time()  # noqa: TID251
        if left <= 0:
            break
        try:
            events = await ending.wait(
                found.changes, min(left, BOOKMARK_EVERY) if bookmarks else left
            )
        except Expired as exc:
            yield lines.error(exc)
            return
        if events:
            yield lines.of(events)
        elif bookmarks and not ending.over:
            yield lines.bookmark(found.version)
    if bookmarks:
        yield lines.bookmark(found.version)


@dataclass(slots=True)
class _Lines:
    """Events as lines, in the shape that the client accepts."""

    target: Target
    shape: Accepted
    include: Included
    wall: Callable[[], datetime]
    headed: bool = False
    """Whether the columns' heads have been sent; later events do without."""

    def of(self, events: Iterable[WatchEvent]) -> bytes:
        """One line each."""
        return b"".join(
            [_line(event.type, self._object(event.obj)) for event in events],
        )

    def bookmark(self, version: int, *, initial_end: bool = False) -> bytes:
        """That everything up to *version* has been sent."""
        info = self.target.info
        metadata: dict[str, Any] = {"resourceVersion": str(version), "creationTimestamp": None}
        if initial_end:
            metadata["annotations"] = {INITIAL_END: "true"}
        match self.shape.shape:
            case "Table":
                row = {"cells": [None] * len(definitions(info)), "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": f"meta.k8s.io/{self.shape.version}",
                    "metadata": metadata,
                }}  # fmt: skip
                body = {
                    "kind": "Table",
                    "apiVersion": f"meta.k8s.io/{self.shape.version}",
                    "metadata": {"resourceVersion": str(version)},
                    "columnDefinitions": None if self.headed else definitions(info),
                    "rows": [row],
                }
                self.headed = True
            case "Object":
                body = {"kind": info.kind, "apiVersion": info.api_version, "metadata": metadata}
            case _:
                body = {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": f"meta.k8s.io/{self.shape.version}",
                    "metadata": metadata,
                }
        return _line("BOOKMARK", msgspec.json.encode(body))

    @staticmethod
    def error(error: Expired) -> bytes:
        """That the client must list again."""
        return _line("ERROR", msgspec.json.encode(status_of(error)))

    def _object(self, obj: Object) -> bytes:
        info = self.target.info
        match self.shape.shape:
            case "Table":
                heads, self.headed = not self.headed, True
                made = table(
                    info,
                    (obj,),
                    metadata={"resourceVersion": obj.metadata.resource_version},
                    include=self.include,
                    version=self.shape.version,
                    now=self.wall(),
                    heads=heads,
                )
                return b"".join(made)
            case "Object":
                return encoded(info, obj)
            case _:
                return msgspec.json.encode(partial(info, obj, self.shape.version))


def _line(kind: str, body: bytes) -> bytes:
    return b"".join((b'{"type":"', kind.encode(), b'","object":', body, b"}\n"))
