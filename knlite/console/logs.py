"""``/knlite/logs``: the lines of all instances as one stream, filtered here.

Source: knlite's own (``docs/requests.md``). The log of one service or pod: ``apiserver``.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from math import inf

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from knlite.apiserver import options
from knlite.apiserver.ending import Ending
from knlite.apiserver.ownjson import own_json
from knlite.console import asked
from knlite.errors import InvalidInput
from knlite.telemetry.loglevels import LEVELS
from knlite.telemetry.logstream import Batch, LogQuery, LogStream

USUAL_LIMIT = 1000
MAX_LIMIT = 50_000


class LogRoutes:
    """The answers."""

    def __init__(self, logs: LogStream, ending: Ending) -> None:
        self._logs = logs
        self._ending = ending

    def routes(self) -> list[Route]:
        """The one that there is."""
        return [Route("/knlite/logs", self._lines, methods=["GET"])]

    async def _lines(self, request: Request) -> Response:
        query = _query(request)
        if options.flag(request, "follow"):
            return StreamingResponse(
                self._followed(query),
                media_type="application/x-ndjson",
                headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
            )
        found = await self._logs.find(query)
        return own_json({"lines": found.rows, "skipped": found.skipped})

    async def _followed(self, query: LogQuery) -> AsyncIterator[bytes]:
        async with aclosing(self._logs.follow(query)) as batches:
            while True:
                batch = await self._ending.wait(lambda: anext(batches, None), inf)
                if batch is None:
                    return
                yield _encoded(batch)


def _encoded(batch: Batch) -> bytes:
    """One line of JSON, as in an answer that is not followed."""
    return msgspec.json.encode({"lines": batch.rows, "skipped": batch.skipped}) + b"\n"


def _query(request: Request) -> LogQuery:
    params = request.query_params
    namespace, service = asked.service(request)
    level = params.get("level", "")
    if level and level not in LEVELS:
        raise InvalidInput(
            f'invalid value "{level[:40]}" for level', fix=f"give one of {', '.join(LEVELS)}"
        )
    return LogQuery(
        namespace=params.get("namespace", "") or namespace,
        service=service,
        revision=params.get("revision", ""),
        instance=params.get("instance", ""),
        request=params.get("request", ""),
        level=level or None,
        text=params.get("text", ""),
        since=asked.moment(request, "since"),
        until=asked.moment(request, "until"),
        limit=asked.limit(request, USUAL_LIMIT, MAX_LIMIT),
    )
