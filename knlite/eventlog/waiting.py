"""Who waits for a cursor to have something to take."""

import asyncio
from collections import deque


class Waiting:
    """Those who wait, in the order in which they came; each event wakes one."""

    def __init__(self) -> None:
        # Plain futures: an event of anyio's, which yields once more, takes twice as long.
        self._futures: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        return len(self._futures)

    async def wait(self) -> None:
        """Return when woken."""
        woken = asyncio.get_running_loop().create_future()
        self._futures.append(woken)
        try:
            await woken
        except BaseException:
            if not woken.cancelled():
                # Whoever is cancelled just when it is woken leaves its turn to another.
                self.wake()
            elif woken in self._futures:
                self._futures.remove(woken)
            raise

    def wake(self, some: int = 1) -> None:
        """Let the first *some* go on, or all if there are no more."""
        futures = self._futures
        while some and futures:
            woken = futures.popleft()
            if not woken.done():
                woken.set_result(None)
                some -= 1
