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

CLOSING = 1.0
"""Seconds that running answers get when the run ends; a followed log never ends by itself."""


async def serve(
    door: Door,
    listening: socket.socket,
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Answer on *listening* until cancelled."""
    config = Config(door.app, log_config=None, lifespan="off", access_log=False, ws="none")
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: HttpToolsProtocol(config=config, server_state=state, app_state={}),
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
