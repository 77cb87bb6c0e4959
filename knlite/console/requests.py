"""``/knlite/requests`` and ``/knlite/latency``: the last requests, one with its waterfall, and how
long they take.

Source: knlite's own (``docs/requests.md``).
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from knlite.apiserver import options
from knlite.apiserver.ownjson import own_json
from knlite.console import asked
from knlite.errors import InvalidInput, NotFound
from knlite.telemetry.latency import ColdSpread, Spread, spread_of_counts, spread_of_starts
from knlite.telemetry.logstream import LogQuery, LogRow, LogStream
from knlite.telemetry.recentrequests import (
    KEPT,
    KEPT_COLD,
    RecentRequests,
    RequestQuery,
    RequestStory,
)
from knlite.telemetry.requests import FINE, Distribution, Requests

USUAL_LIMIT = 200
KEPT_LINES = 500
"""Of one request, in its story."""
_STATUS = frozenset("12345")


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A request, and what its function wrote meanwhile."""

    story: RequestStory
    lines: list[LogRow]


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """How long the requests of a service take, and its starts."""

    namespace: str
    service: str
    warm: Spread
    cold: ColdSpread
    thawed: ColdSpread


class RequestRoutes:
    """The answers."""

    def __init__(self, recent: RecentRequests, counted: Requests, logs: LogStream) -> None:
        self._recent = recent
        self._counted = counted
        self._logs = logs

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/knlite/requests", self._list, methods=["GET"]),
            Route("/knlite/requests/{id:path}", self._story, methods=["GET"]),
            Route("/knlite/latency", self._latency, methods=["GET"]),
        ]

    async def _list(self, request: Request) -> Response:
        found = self._recent.find(_query(request))
        return own_json({"requests": found, "count": self._recent.count})

    async def _story(self, request: Request) -> Response:
        id_: str = request.path_params["id"]
        story = self._recent.story(id_, options.number(request, "number"))
        if story is None:
            raise NotFound(
                f'no request "{id_[:80]}" is kept',
                cause=f"the last {KEPT} requests and {KEPT_COLD} cold ones are",
                fix="send it again",
            )
        row = story.request
        query = LogQuery(
            namespace=row.namespace, service=row.service, request=row.id, limit=KEPT_LINES
        )
        return own_json(Story(story=story, lines=(await self._logs.find(query)).rows))

    async def _latency(self, request: Request) -> Response:
        namespace, name = asked.service(request)
        warm = self._warm()
        if namespace and name:
            return own_json(self._of(namespace, name, warm))
        services = sorted(
            each for each in {*warm, *self._recent.started()} if name in ("", each[1])
        )
        return own_json({"services": [self._of(*each, warm) for each in services]})

    def _of(self, namespace: str, name: str, warm: dict[tuple[str, str], Distribution]) -> Latency:
        starts = self._recent.starts(namespace, name)
        counted = warm.get((namespace, name))
        return Latency(
            namespace=namespace,
            service=name,
            warm=Spread(count=0) if counted is None else spread_of_counts(counted),
            cold=spread_of_starts([each for each in starts if each.how != "thawed"]),
            thawed=spread_of_starts([each for each in starts if each.how == "thawed"]),
        )

    def _warm(self) -> dict[tuple[str, str], Distribution]:
        """Warm requests by service, over all its revisions."""
        found: dict[tuple[str, str], Distribution] = {}
        for series in self._counted:
            of = found.setdefault((series.namespace, series.service), Distribution(FINE))
            of.add(series.warm())
        return {of: counted for of, counted in found.items() if any(counted.counts)}


def _query(request: Request) -> RequestQuery:
    params = request.query_params
    namespace, service = asked.service(request)
    status = params.get("status", "")
    if not _is_status(status):
        raise InvalidInput(
            f'invalid value "{status[:40]}" for status',
            fix="give a number (404), a class (5xx) or failed",
        )
    return RequestQuery(
        namespace=params.get("namespace", "") or namespace,
        service=service,
        revision=params.get("revision", ""),
        instance=params.get("instance", ""),
        cold=options.flag(request, "cold") if params.get("cold") else None,
        status=status,
        text=params.get("text", ""),
        event=params.get("event", ""),
        slower=asked.seconds(request, "slower"),
        limit=asked.limit(request, USUAL_LIMIT, KEPT + KEPT_COLD),
    )


def _is_status(text: str) -> bool:
    if text in {"", "failed", "0"}:
        return True
    if len(text) != 3 or text[0] not in _STATUS:
        return False
    return text[1:] == "xx" or (text[1:].isascii() and text[1:].isdecimal())
