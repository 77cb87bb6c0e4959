"""Whoever has asked may leave before there is an answer; then nobody works for it any more.

The server tells an application of it only when it listens.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from starlette.types import Receive

from knlite.errors import KnliteError

T = TypeVar("T")


async def left(receive: Receive) -> None:
    """Return when the client is gone; what is left of its body is not kept."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_there(receive: Receive, work: Callable[[], Awaitable[T]]) -> T | None:
    """What awaiting *work* gives; None if the client leaves before, which cancels it.

    To be called when the body has been read. Raises what *work* raises of knlite's own errors.
    """
    found, error = None, None
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            await left(receive)
            group.cancel_scope.cancel()

        group.start_soon(watch)
        try:
            found = await work()
        except KnliteError as exc:
            # Not out of the group, which would make a group of errors of it.
            error = exc
        group.cancel_scope.cancel()
    if error is not None:
        raise error
    return found
