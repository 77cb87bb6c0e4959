"""Waiting for whichever comes first."""

from collections.abc import Awaitable, Callable

import anyio


async def first_of(*waits: Callable[[], Awaitable[object]]) -> int:
    """Run all *waits*, return the place of the first that returns, cancel the others.

    An error in one of them cancels the others and is raised as itself.
    """
    winner = -1

    async def run(index: int) -> None:
        nonlocal winner
        await waits[index]()
        if winner < 0:
            winner = index
            group.cancel_scope.cancel()

    try:
        async with anyio.create_task_group() as group:
            for index in range(len(waits)):
                group.start_soon(run, index)
    except BaseExceptionGroup as errors:
        raise _first_leaf(errors) from None
    return winner


def _first_leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
