"""What is said of the runtimes of a run, and what is done with what earlier runs have left."""

from collections.abc import Callable

from knlite.runtime.available import Available
from knlite.settings import Settings


async def take_over(
    available: Available,
    settings: Settings,
    say: Callable[[str], None],
    warn: Callable[[str], None],
) -> None:
    """Say what cannot be had, and remove what nobody needs any more."""
    if available.no_engine and settings.runtime == "auto":
        say(f"{available.no_engine}; services run as local processes")
    if available.no_freezer:
        warn(available.no_freezer)
    for runtime in available.runtimes.values():
        for removed in await runtime.sweep():
            say(f"removed what an earlier run has left: {removed}")
