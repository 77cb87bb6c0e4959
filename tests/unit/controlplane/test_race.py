"""Waiting for whichever comes first: the others are cancelled, errors come through as they are."""

import anyio
import pytest

from knlite.controlplane.race import first_of

pytestmark = pytest.mark.anyio


async def test_the_place_of_the_first_is_returned_and_the_others_are_cancelled() -> None:
    cancelled = anyio.Event()

    async def never() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.set()

    async def at_once() -> None:
        await anyio.lowlevel.checkpoint()

    assert await first_of(never, at_once) == 1
    assert cancelled.is_set()


async def test_an_error_is_raised_as_itself() -> None:
    async def fail() -> None:
        raise LookupError("x")

    with pytest.raises(LookupError, match="x"):
        await first_of(anyio.sleep_forever, fail)


async def test_cancelling_the_race_cancels_all() -> None:
    with anyio.move_on_after(0.01) as scope:
        await first_of(anyio.sleep_forever, anyio.sleep_forever)
    assert scope.cancelled_caught
