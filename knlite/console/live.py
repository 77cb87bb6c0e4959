"""``/knlite/live``: what happens now, as server-sent events, for as long as the reader stays.

A reader that takes nothing for ``STALLED`` seconds is let go; it begins anew when it comes back.

Source: WHATWG HTML, Server-sent events; ``docs/adr/0046-the-live-feed.md``.
"""

from collections.abc import Iterable

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from knlite.apiserver.ending import Ending
from knlite.console.presence import left
from knlite.telemetry.live.hub import Hub, Looker

STILL_THERE = 15.0
"""Seconds of silence after which a comment tells both sides that the other is there."""
STALLED = 60.0
"""Seconds in which a reader has to take what it was sent."""
_HEAD = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # Else a proxy in front collects what is to be seen at once.
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
)


class Live:
    """The feed of *hub*; its streams end with *ending*."""

    def __init__(self, hub: Hub, ending: Ending) -> None:
        self._hub = hub
        self._ending = ending

    def routes(self) -> list[Route]:
        """The one that there is."""
        return [Route("/knlite/live", self._stream, methods=["GET"])]

    async def _stream(self, request: Request) -> Response:
        topics = [name for name in request.query_params.get("topics", "").split(",") if name]
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        # Refused here, while there can still be another status.
        self._hub.require(topics)
        return _Feed(self._hub, topics, self._ending)


class _Feed(Response):
    """One reader's."""

    def __init__(self, hub: Hub, topics: Iterable[str], ending: Ending) -> None:
        super().__init__()
        self._hub = hub
        self._topics = tuple(topics)
        self._ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the reader leaves or stalls, or the run ends."""
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                await left(receive)
                group.cancel_scope.cancel()

            group.start_soon(watch)
            with self._hub.looking(self._topics) as looker:
                await self._send(looker, send)
            # Who has stalled holds a place no more, but has to take or leave what is on its way.
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            group.cancel_scope.cancel()

    async def _send(self, looker: Looker, send: Send) -> None:
        """Return when the run ends, or the reader stalls."""
        await send({"type": "http.response.start", "status": 200, "headers": _HEAD})
        while True:
            await self._ending.wait(looker.wait, STILL_THERE)
            if self._ending.over:
                return
            body = looker.take() or b":\n\n"
            with anyio.move_on_after(STALLED) as patience:
                await send({"type": "http.response.body", "body": body, "more_body": True})
            if patience.cancelled_caught:
                return
