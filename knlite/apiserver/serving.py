"""Serves an ASGI application on a listening socket, without any work while nobody asks.

uvicorn's own server wakes up ten times a second to see whether it should stop. Here its protocol is
put on the socket, and whoever owns the task says when to stop.
"""

import asyncio
import socket

import anyio
from anyio.abc import TaskStatus
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from knlite.apiserver.app import Door

MAX_HEAD = 64 * 1024
"""Bytes of a request before its body; the parser itself would take them without end."""
IDLE = 180
"""Seconds without a request until a connection is closed, as Kubernetes' API server does. Go's
clients keep one for 90 and do not repeat a POST that meets its end."""
CLOSING = 1.0
"""Seconds that running answers get when the run ends; a followed log never ends by itself."""


async def serve(
    door: Door,
    listening: socket.socket,
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Answer on *listening* until cancelled."""
    config = Config(
        door.app,
        log_config=None,
        lifespan="off",
        access_log=False,
        ws="none",
        timeout_keep_alive=IDLE,
    )
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Protocol(config=config, server_state=state, app_state={}),
        sock=listening,
    )
    task_status.started()
    try:
        await anyio.sleep_forever()
    finally:
        server.close()
        door.ending.end()
        for connection in tuple(state.connections):
            connection.shutdown()
        with anyio.move_on_after(CLOSING, shield=True):
            if state.tasks:
                await asyncio.wait(tuple(state.tasks), timeout=CLOSING / 2)
            for task in tuple(state.tasks):
                task.cancel()
            if state.tasks:
                await asyncio.wait(tuple(state.tasks))


class _Protocol(HttpToolsProtocol):
    """One connection; refuses heads without end."""

    _in_head = False
    _received = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._received += len(data)
            if self._received > MAX_HEAD:
                self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        self._in_head, self._received = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()
