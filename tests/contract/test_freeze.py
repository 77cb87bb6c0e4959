"""Freezing, thawing and parking, on every runtime: the promises of ``knlite/runtime/port.py``.

Pins what ``knlite.dev/idle`` needs of them (docs/adr/0041).
"""

import asyncio
import os
import signal
from pathlib import Path

import anyio

from knlite.runtime.port import Instance, Runtime
from knlite.runtime.process.runtime import ProcessRuntime
from tests.contract.test_runtime import (
    PATIENCE,
    Log,
    alive,
    answered,
    anyio_backend,
    launch,
    listens,
    process_runtime,
    quiet,
    runtime,
    server,
    silent,
    started,
    until,
)

__all__ = ["anyio_backend", "process_runtime", "runtime"]


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def pid_of(instance: Instance) -> int:
    return int(instance.label.removeprefix("pid "))


async def test_a_frozen_instance_is_there_and_ends_like_any_other(
    runtime: Runtime, tmp_path: Path
) -> None:
    instance = await started(runtime, server(tmp_path), Log())
    await listens(instance)
    assert await instance.freeze()
    assert await instance.freeze(), "twice is once"
    assert await instance.usage() is not None
    with anyio.fail_after(PATIENCE):
        await instance.stop(10 * PATIENCE)
        assert (await instance.wait()).code == 128 + signal.SIGTERM
    assert not await instance.freeze(), "nothing is left of it"
    await instance.thaw()


async def test_a_parked_instance_is_started_again_under_its_name(
    runtime: Runtime, tmp_path: Path
) -> None:
    prepared = await runtime.prepare(server(tmp_path), silent)
    first = await runtime.start(launch(prepared), quiet)
    await listens(first)
    await first.park(5)
    await first.stop(5)
    second = await runtime.start(launch(prepared), quiet)
    await listens(second)
    await second.stop(5)
    await runtime.discard("one")


async def test_what_comes_to_a_frozen_program_is_answered_when_it_goes_on(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    log = Log()
    instance = await started(process_runtime, server(tmp_path, "child"), log)
    try:
        await listens(instance)
        child = int(log.of("stdout")[-1].split()[1])
        assert await instance.freeze()
        await until(lambda: (state(pid_of(instance)), state(child)) == ("T", "T"))
        asked = asyncio.ensure_future(answered(instance))
        done, _ = await asyncio.wait({asked}, timeout=0.2)
        assert not done
        await instance.thaw()
        await instance.thaw()
        assert b"200" in await asked
        assert state(child) != "T"
    finally:
        await instance.stop(1)


async def test_a_frozen_program_that_is_killed_has_ended(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    log = Log()
    instance = await started(process_runtime, server(tmp_path, "child"), log)
    await listens(instance)
    await instance.freeze()
    os.kill(pid_of(instance), signal.SIGKILL)
    with anyio.fail_after(PATIENCE):
        assert (await instance.wait()).code == 128 + signal.SIGKILL
    await instance.stop(1)
    assert not alive(int(log.of("stdout")[-1].split()[1])), "its frozen child has gone with it"


async def test_children_that_are_born_while_it_is_frozen_are_frozen_too(
    process_runtime: ProcessRuntime, tmp_path: Path
) -> None:
    (tmp_path / "forks.py").write_text(
        "import os\n"
        "print('up', flush=True)\n"
        "while True:\n"
        "    if os.fork() == 0: os._exit(0)\n"
        "    os.wait()\n"
    )
    work = server(tmp_path)
    log = Log()
    instance = await started(process_runtime, type(work)("python3 -S forks.py", str(tmp_path)), log)
    try:
        await until(lambda: bool(log.of("stdout")))
        for _ in range(20):
            assert await instance.freeze()
            await until(lambda: state(pid_of(instance)) == "T")
            first = await instance.usage()
            await asyncio.sleep(0.02)
            second = await instance.usage()
            assert first is not None
            assert second is not None
            assert second.cpu_seconds == first.cpu_seconds, "nobody of the group runs"
            await instance.thaw()
            await asyncio.sleep(0.01)
    finally:
        await instance.stop(1)
