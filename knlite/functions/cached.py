"""Folders below the cache that are filled once and never changed.

One is filled beside its place and then renamed into it, so a half-made one is never used. Two
knlites that want the same one wait in line.

Not here: what they hold (``environment.py``, ``node.py``, ``golang.py``).
"""

import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp

import anyio
import anyio.to_thread

from knlite.clock import SystemClock

LOCK_RETRY = 0.1
"""Seconds between two looks at another knlite's lock; only while one fills the same."""


async def ensure(
    place: Path,
    fill: Callable[[Path], Awaitable[None]],
    announce: Callable[[], None],
    *,
    public: bool = False,
) -> None:
    """Have *place*, filled by *fill* if it is new.

    What is *public*, packages that anybody can have, instances of other users may read.
    """
    if await anyio.Path(place).exists():
        return
    await anyio.Path(place.parent).mkdir(parents=True, exist_ok=True)
    async with locked(place.with_suffix(".lock")):
        if await anyio.Path(place).exists():
            return
        announce()
        draft = Path(mkdtemp(prefix=f"{place.name}.", dir=place.parent))
        try:
            if public:
                await anyio.Path(draft).chmod(0o755)
            await fill(draft)
            await anyio.Path(draft).rename(place)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(shutil.rmtree, draft, True)


@asynccontextmanager
async def locked(file: Path) -> AsyncIterator[None]:
    """Hold *file*'s lock, which other knlites respect, once it is free."""
    clock = SystemClock()
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await clock.sleep_until(clock.now() + LOCK_RETRY)
        yield
    finally:
        os.close(descriptor)
