"""Cancellation by a client library, which is no wish of ours to end."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def only_our_cancellation() -> Iterator[None]:
    """Make a ``ConnectionError`` of it when the library cancels what we wait for.

    It does so when a connection ends; a task group would take that for the wish to end quietly,
    and nothing would ever connect again.
    """
    try:
        yield
    except asyncio.CancelledError as exc:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise ConnectionError("the connection has ended") from exc
