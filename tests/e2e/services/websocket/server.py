"""A WebSocket server that echoes, says who it is, and closes when it is asked to."""

import asyncio
import os
import signal
import socket

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

WHO = f"{socket.gethostname()}:{os.getpid()}"


async def talk(connection):
    path = connection.request.path
    await connection.send(f"{WHO} {path}")
    try:
        if path.startswith("/close/"):
            await connection.close(int(path.removeprefix("/close/")), "as you wish")
            return
        async for message in connection:
            await connection.send(message)
    except ConnectionClosed:
        pass
    finally:
        print(f"closed {path} {connection.close_code} {connection.close_reason}", flush=True)


async def main():
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with serve(talk, "0.0.0.0", int(os.environ["PORT"]), max_size=None):
        await ended.wait()


asyncio.run(main())
