"""``/knlite/events`` and its neighbors: what became of events, and how to send them again.

Everything that names something comes in the query, so that no id can be taken for a path.

Source: knlite's own (``docs/events.md``); ``knlite send``, ``events``, ``explain``,
``dead-letters`` and ``replay`` read it.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from math import inf

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from knlite.apiserver import options
from knlite.apiserver.bodies import read_bytes
from knlite.apiserver.ending import Ending
from knlite.apiserver.eventsource import NEWEST, USUAL_LIMIT, EventQuery, EventSending, EventSource
from knlite.apiserver.guard import PAGE_TOKEN
from knlite.apiserver.ownjson import own_json
from knlite.errors import InvalidInput, NotFound
from knlite.eventing.cloudevent import CloudEvent, Malformed
from knlite.eventing.httpcodec import decode

_LINES = "application/x-ndjson"
MAX_LIMIT = 10_000
"""Events in one answer."""
_ARRIVAL = re.compile(r"\d{1,18}", re.ASCII)
MAX_EVENT = 44 * 1024 * 1024
"""Bytes: the data of the largest event that a broker takes (32 MiB), in base64."""
MAX_WAIT = 24 * 3600
"""Seconds; who waits longer asks again."""
STATES = (
    "", "unmatched", "delivering", "waiting", "delivered", "dead-lettered", "failed", "gone",
    "cut off",
)  # fmt: skip
"""As stories have them; empty: any."""
_KINDS = {"broker": "Broker", "channel": "InMemoryChannel"}


class EventRoutes:
    """The answers."""

    def __init__(self, events: EventSource, sending: EventSending, ending: Ending) -> None:
        self._events = events
        self._sending = sending
        self._ending = ending

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/knlite/events", self._list, methods=["GET"]),
            Route("/knlite/events", self._send, methods=["POST"]),
            Route("/knlite/events/{arrival}", self._story, methods=["GET"]),
            Route("/knlite/explain", self._explain, methods=["GET"]),
            Route("/knlite/explain", self._foretell, methods=["POST"]),
            Route("/knlite/dead-letters", self._dead_letters, methods=["GET"]),
            Route("/knlite/dead-letters/redrive", self._redrive, methods=["POST"]),
            Route("/knlite/replay", self._replay, methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        query = self._query(request)
        if options.flag(request, "follow"):
            return StreamingResponse(self._followed(query), media_type=_LINES)
        return _listed("events", await self._events.events(query))

    async def _followed(self, query: EventQuery) -> AsyncIterator[bytes]:
        async with aclosing(self._events.follow(query)) as events:
            while (event := await self._ending.wait(lambda: anext(events, None), inf)) is not None:
                yield msgspec.json.encode(event) + b"\n"

    async def _story(self, request: Request) -> Response:
        text: str = request.path_params["arrival"]
        if not _ARRIVAL.fullmatch(text):
            raise NotFound(
                f'no event "{text[:40]}" is in the log',
                cause="the path takes an arrival, which is a number",
                fix="give an id as /knlite/explain?id=ID",
            )
        arrival = int(text)
        if options.flag(request, "tree"):
            return own_json(await self._events.tree(arrival))
        seconds = options.number(request, "wait")
        if seconds:
            patience = min(seconds, MAX_WAIT)
            waited = await self._ending.wait(lambda: self._events.until_ended(arrival), patience)
            if waited is not None:
                return own_json(waited)
        return own_json(await self._events.story(arrival))

    async def _explain(self, request: Request) -> Response:
        params = request.query_params
        event_id = params.get("id", "")
        if not event_id:
            raise InvalidInput("which event?", fix="give its id: /knlite/explain?id=ID")
        return _listed("stories", await self._events.stories(event_id, params.get("source", "")))

    async def _foretell(self, request: Request) -> Response:
        kind, namespace, name = self._resource(request)
        event = await _event(request)
        return _listed("rows", self._sending.foretell(event, kind, namespace, name))

    async def _send(self, request: Request) -> Response:
        url = request.query_params.get("to", "")
        kind, namespace, name = self._resource(request)
        if url and name:
            raise InvalidInput("an event is sent to a broker or channel, or to a URL, not to both")
        event = await _event(request)
        if url:
            return own_json(await self._sending.send_to(event, url))
        sender = "the console" if PAGE_TOKEN in request.headers else "knlite send"
        kind = kind or "Broker"
        return own_json(await self._sending.send(event, kind, namespace, name, sender=sender), 202)

    async def _dead_letters(self, request: Request) -> Response:
        return _listed("deadLetters", await self._events.dead_letters(self._query(request)))

    async def _redrive(self, request: Request) -> Response:
        sent = await self._sending.redrive(
            self._query(request),
            egress=request.query_params.get("trigger", ""),
            dry_run=options.flag(request, "dryRun"),
        )
        return _listed("sent", sent)

    async def _replay(self, request: Request) -> Response:
        query = self._query(request)
        if not query.id and not query.since:
            raise InvalidInput("which events?", fix="give an id, or since when: id=ID, since=TIME")
        params = request.query_params
        sent = await self._sending.replay(
            query,
            egress=params.get("trigger", ""),
            url=params.get("to", ""),
            dry_run=options.flag(request, "dryRun"),
        )
        return _listed("sent", sent)

    def _query(self, request: Request) -> EventQuery:
        params = request.query_params
        kind, namespace, name = self._resource(request)
        limit = options.number(request, "limit")
        state = params.get("state", "")
        if state not in STATES:
            raise InvalidInput(
                f'"{state[:40]}" is no state of an event',
                fix=f"one of: {', '.join(each for each in STATES if each)}",
            )
        query = EventQuery(
            id=params.get("id", ""),
            source=params.get("source", ""),
            type=params.get("type", ""),
            subject=params.get("subject", ""),
            text=params.get("text", ""),
            state=state,
            egress=params.get("egress", ""),
            kind=kind,
            namespace=namespace,
            name=name,
            since=options.number(request, "since") or 0,
            before=options.number(request, "before") or NEWEST,
            limit=min(MAX_LIMIT, USUAL_LIMIT if limit is None else limit),
        )
        arrival = options.number(request, "arrival")
        if arrival is None:
            return query
        return EventQuery(
            id=query.id, source=query.source, since=arrival, before=arrival + 1, limit=1
        )

    def _resource(self, request: Request) -> tuple[str, str, str]:
        """Kind, namespace and name of the resource that the query names; empty if it names none."""
        named = [(kind, request.query_params.get(key, "")) for key, kind in _KINDS.items()]
        given = [(kind, text) for kind, text in named if text]
        if not given:
            return "", "", ""
        if len(given) > 1:
            raise InvalidInput("either a broker or a channel, not both")
        kind, text = given[0]
        namespace, slash, name = text.rpartition("/")
        if not name or "/" in namespace or (slash and not namespace):
            raise InvalidInput(
                f'"{text}" names no {kind}', fix="write NAMESPACE/NAME, or NAME in default"
            )
        namespace = namespace or "default"
        if kind != "Broker":
            kind = self._sending.channel_kind(namespace, name)
        return kind, namespace, name


async def _event(request: Request) -> CloudEvent:
    """The event in the body, in whatever form HTTP carries it."""
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw
    ]
    event = decode(headers, await read_bytes(request, MAX_EVENT))
    if isinstance(event, Malformed):
        raise InvalidInput(
            "the body is no CloudEvent",
            cause=event.why,
            fix="send application/cloudevents+json, or ce- headers",
        )
    return event


def _listed(name: str, items: Sequence[object]) -> Response:
    return own_json({name: items})
