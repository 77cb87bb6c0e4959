"""Goes on with the objects that an earlier run has left in a folder, and keeps what happens now."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from knlite.errors import InvalidInput
from knlite.kinds.config.values import ConfigInvalid
from knlite.registry.registry import Registry
from knlite.registry.sqlite import SqliteStorage
from knlite.registry.writebehind import WriteBehind


@contextmanager
def keeping(
    registry: Registry, folder: Path, complain: Callable[[str], None]
) -> Iterator[WriteBehind]:
    """Keep *registry* in *folder* inside the context. Raises ``InvalidInput``."""
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        storage = SqliteStorage(folder)
        stack.callback(storage.close)

        def complain_here(text: str) -> None:
            loop.call_soon_threadsafe(complain, text)

        keeper = WriteBehind(registry, storage, complain_here)
        try:
            keeper.restore()
        except ConfigInvalid as exc:
            raise InvalidInput(
                f"what {folder} has kept cannot be used",
                cause=str(exc),
                fix="correct --set, or move the folder away and apply the manifests again",
            ) from exc
        stack.enter_context(keeper.keeping())
        yield keeper
