"""Programs of the machine that build functions."""

import os
import sys
from pathlib import Path

import anyio
import pytest

from knlite.errors import InstanceFailed
from knlite.functions import toolchain
from knlite.functions.node import NODE


def test_one_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InstanceFailed, match=r"function web is written in Node\.js") as failed:
        toolchain.find(NODE, "web", {"PATH": str(tmp_path)})
    assert "install Node.js" in failed.value.fix


async def test_what_it_prints_is_kept(tmp_path: Path) -> None:
    code = "import sys; print('out'); sys.stderr.write('err'); sys.exit(3)"
    done = await toolchain.run([sys.executable, "-c", code], tmp_path, {"PYTHONUNBUFFERED": "1"})
    assert (done.code, done.printed) == (3, "out\nerr")


async def test_a_cancelled_one_leaves_nothing_running(tmp_path: Path) -> None:
    # Both hold the pipe; it ends when both have.
    os.mkfifo(tmp_path / "pipe")
    held = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    code = (
        "import subprocess, sys, time\n"
        "pipe = open('pipe', 'w')\n"
        "child = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "subprocess.Popen(child, pass_fds=(pipe.fileno(),))\n"
        "print('begun', file=pipe, flush=True)\n"
        "time.sleep(60)\n"
    )
    try:
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                group.start_soon(toolchain.run, [sys.executable, "-c", code], tmp_path, {})
                await _read(held)
                group.cancel_scope.cancel()
            while await _read(held):
                pass
    finally:
        os.close(held)


async def _read(descriptor: int) -> bytes:
    while True:
        await anyio.wait_readable(descriptor)
        try:
            data = os.read(descriptor, 100)
        except BlockingIOError:
            continue
        return data
