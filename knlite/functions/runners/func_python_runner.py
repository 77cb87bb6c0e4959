"""Serves ``func``'s current Python style on ``$PORT``: ``new()`` or ``async handle``, over ASGI.

Runs with the function's interpreter and needs only the standard library, so an ``http`` function
without requirements starts without an environment; a ``cloudevent`` one needs ``cloudevents`` 2.x,
whose events it hands out. It stands in for ``func-python`` and its hypercorn.

Usage: ``python func_python_runner.py FOLDER (http|cloudevent)``, with the
modules ``knlite_….py`` beside it.

Source: Knative Functions reference Part 3; PyPI func-python 0.8.1.
Differs: an exception in an ``http`` function is a whole 500 with its message instead of a broken
body, with the traceback on stderr; a handler that ends without an answer is a whole, empty 500; a
``ValueError`` of a ``cloudevent`` handler is not mistaken for a malformed request; hooks may be
``async``, and the handler an ordinary function, which runs in a thread and for which ``receive``
and ``send`` wait.
"""

from __future__ import annotations

import asyncio
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import ThreadPoolExecutor
    from typing import Any

    from knlite.functions.runners import knlite_loading as loading
    from knlite.functions.runners.knlite_asgi import Exchange, Server
    from knlite.functions.runners.knlite_loading import Function
    from knlite.functions.runners.knlite_streams import Streams

    Message = dict[str, Any]
else:
    import knlite_loading as loading
    from knlite_asgi import Exchange, Server

THREADS = 256
"""Requests that ordinary functions handle side by side; the queue-proxy bounds them before."""
EXAMPLE = "async def handle(scope, receive, send): ..."
REFUSAL = b"Bad Request: This endpoint expects CloudEvent requests. "


class EventSender:
    """What a ``cloudevent`` function gets as ``send``."""

    def __init__(self, send: Callable[[Message], Awaitable[None]]) -> None:
        self._send = send
        self.used = False

    async def __call__(self, event: Any, status: int = 200) -> None:
        """Answer with *event* in structured mode."""
        await self.structured(event, status)

    async def structured(self, event: Any, status: int = 200) -> None:
        """Answer with *event* as ``application/cloudevents+json``."""
        await self._encoded(_bindings().to_structured_event(event), status)

    async def binary(self, event: Any, status: int = 200) -> None:
        """Answer with *event* in binary mode."""
        await self._encoded(_bindings().to_binary_event(event), status)

    async def http(self, message: Message) -> None:
        """Send a raw ASGI message."""
        self.used = True
        await self._send(message)

    async def _encoded(self, encoded: Any, status: int) -> None:
        fields = [(name.encode(), value.encode()) for name, value in encoded.headers.items()]
        fields.append((b"content-length", str(len(encoded.body)).encode()))
        self.used = True
        await self._send({"type": "http.response.start", "status": status, "headers": fields})
        await self._send({"type": "http.response.body", "body": encoded.body})


class Middleware:
    """Health paths, and the event in the scope; everything else is the function's."""

    def __init__(self, instance: Any, events: bool, function: Function) -> None:
        self._instance = instance
        self._events = events
        self._function = function
        self._handler = instance.handle
        self._in_thread = not loading.is_async(self._handler)
        self._threads: ThreadPoolExecutor | None = None

    async def answer(self, scope: Message, exchange: Exchange) -> None:
        """Have the request answered, whatever the function does."""
        try:
            returned = await self(scope, exchange.receive, exchange.send)
        except (Exception, SystemExit) as error:  # noqa: BLE001  What it raises is its answer.
            trace = self._function.raised(error)
            if not exchange.started:
                said = f"Internal Server Error: {error}".encode()
                await _plain(exchange.send, 500, trace or said)
            return
        if exchange.broken or (exchange.started and exchange.finished):
            return
        aside = "" if returned is None else f"; it returned {loading.a(returned)}, which is ignored"
        what = "the end of its answer" if exchange.started else "an answer"
        sys.stderr.write(
            f"handle() of {self._function.origin} ended without sending {what}{aside}\n"
        )
        if not exchange.started:
            await _plain(exchange.send, 500, b"")

    async def __call__(self, scope: Message, receive: Any, send: Any) -> Any:
        """Serve one request; what the function returns has no meaning."""
        if scope["path"] == "/health/liveness":
            return await self._health("alive", send)
        if scope["path"] == "/health/readiness":
            return await self._health("ready", send)
        if self._events:
            return await self._handle_event(scope, receive, send)
        return await self._handle(scope, receive, send)

    async def _handle(self, scope: Message, receive: Any, send: Any) -> Any:
        if not self._in_thread:
            return await self._handler(scope, receive, send)
        import contextvars
        from concurrent.futures import ThreadPoolExecutor

        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS)
        loop = asyncio.get_running_loop()
        arguments = (scope, OfBoth(receive, loop), OfBoth(send, loop))
        run = contextvars.copy_context().run
        returned = await loop.run_in_executor(self._threads, run, self._handler, *arguments)
        # It may stand before an async one: a decorator, a partial, an application.
        return await returned if loading.is_awaitable(returned) else returned

    async def _health(self, method: str, send: Any) -> None:
        result: Any = getattr(self._instance, method, lambda: True)()
        if loading.is_awaitable(result):
            result = await result
        healthy, message = result if isinstance(result, tuple) else (result, "OK")
        await _plain(send, 200 if healthy else 500, str(message).encode())

    async def _handle_event(self, scope: Message, receive: Any, send: Any) -> Any:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
        try:
            headers = {name.decode("latin-1"): v.decode() for name, v in scope["headers"]}
            bindings = _bindings()
            scope["event"] = bindings.from_http_event(bindings.HTTPMessage(headers, body))
        except Exception:  # noqa: BLE001  The SDK has many ways to say that this is no event.
            return await _plain(send, 400, REFUSAL)
        sender = EventSender(send)
        try:
            return await self._handle(scope, receive, sender)
        except (Exception, SystemExit) as error:
            if sender.used:
                raise
            trace = self._function.raised(error)
            await sender.structured(_error_event(error, trace.decode()), 500)
            return None


class OfBoth:
    """``receive`` or ``send``, and what else ``send`` has, for a function in a thread.

    Called there it waits; called on the event loop it gives something to wait for.
    """

    def __init__(self, called: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._called = called
        self._loop = loop

    def __call__(self, *arguments: Any) -> Any:
        """Call it."""
        if asyncio._get_running_loop() is not None:
            return self._called(*arguments)
        return asyncio.run_coroutine_threadsafe(self._called(*arguments), self._loop).result()

    def __getattr__(self, name: str) -> Any:
        return OfBoth(getattr(self._called, name), self._loop)


def main(folder: str, invoke: str) -> None:
    """Load the function in *folder* and serve it until told to stop."""
    function = loading.Function(folder)
    streams = function.streams()
    asyncio.run(_serve(_load(function), invoke == "cloudevent", function, streams))


async def _serve(instance: Any, events: bool, function: Function, streams: Streams | None) -> None:
    if loading.is_awaitable(instance):
        instance = await _hook("new", lambda: instance, function)
    file = function.file
    if not callable(getattr(instance, "handle", None)):
        function.end(
            f"{file}: what new() returns, {loading.a(instance)}, has no handle()",
            f"give its class one: {EXAMPLE}",
        )
    if hasattr(instance, "start"):
        await _hook("start", instance.start, function, dict(os.environ))  # noqa: TID251
    application = Middleware(instance, events, function)
    await Server(streams).serve(application, int(loading.told("PORT")))
    if hasattr(instance, "stop"):
        result = instance.stop()
        if loading.is_awaitable(result):
            await result


async def _hook(name: str, hook: Any, function: Function, *arguments: Any) -> Any:
    result = function.call(name, hook, *arguments)
    if not loading.is_awaitable(result):
        return result
    try:
        return await result
    except (Exception, SystemExit) as error:  # noqa: BLE001  Any of them is the end, and is told.
        function.refuse(error, f" in {name}()")


def _load(function: Function) -> Any:
    """The function's instance, or something to wait for that gives it."""
    package = os.path.isdir(os.path.join(function.folder, "function"))
    module = function.load("function" if package else "func")
    if hasattr(module, "new"):
        return function.call("new", function.handler(module, "new", "def new(): return Function()"))
    function.handler(module, "handle", EXAMPLE)
    return module


async def _plain(send: Any, status: int, body: bytes) -> None:
    fields = [(b"content-type", b"text/plain")] if body else []
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def _bindings() -> Any:
    import cloudevents.core.bindings.http as bindings  # type: ignore[import-not-found]

    return bindings


def _error_event(error: BaseException, trace: str) -> Any:
    from cloudevents.core.v1.event import CloudEvent  # type: ignore[import-not-found]

    attributes = {"type": "dev.functions.error", "source": "/cloudevent/error"}
    data = {"message": f"Error: {error}", **({"traceback": trace} if trace else {})}
    return CloudEvent(attributes=attributes, data=data)


if __name__ == "__main__":
    main(*sys.argv[1:])
