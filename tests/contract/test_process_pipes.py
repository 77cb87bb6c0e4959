"""The pipes of a program, on the event loop that knlite runs on."""

import io
import os
import sys
from pathlib import Path

import anyio

from knlite.runtime.process.instance import ProcessInstance
from knlite.runtime.process.started import spawn
from knlite.serving.instance import Address


class Watched(io.FileIO):
    """Takes note whether its descriptor is still its own when it is closed."""

    def __init__(self, descriptor: int, closed: list[bool]) -> None:
        super().__init__(descriptor, "rb")
        self._noted = closed

    def close(self) -> None:
        if not self.closed:
            try:
                os.fstat(self.fileno())
            except OSError:
                self._noted.append(False)
            else:
                self._noted.append(True)
        super().close()


async def _closes() -> tuple[list[bool], list[str]]:
    words = [sys.executable, "-S", "-c", "print('one'); print('two', end='')"]
    process = spawn(words, Path.cwd(), {})
    closed, said = list[bool](), list[str]()
    for name in ("stdout", "stderr"):
        pipe = getattr(process, name)
        setattr(process, name, Watched(os.dup(pipe.fileno()), closed))
        pipe.close()
    instance = ProcessInstance(
        process,
        Address("127.0.0.1", 0),
        lambda _: None,
        container="main",
        folder=Path.cwd(),
        env={},
    )
    instance.watch(lambda _, text: said.append(text))
    with anyio.fail_after(10):
        assert (await instance.wait()).code == 0
    return closed, said


def test_a_descriptor_is_closed_once() -> None:
    """Closed twice, the number may be the file of another thread by then."""
    closed, said = anyio.run(_closes, backend="asyncio", backend_options={"use_uvloop": True})
    assert closed == [True, True]
    assert said == ["one", "two"]
