"""What a group of processes uses, as ``/proc`` tells it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from knlite.runtime.process.usage import used

MIB = 2**20
PROGRAM = """
import os, sys
held = b"x" * (32 << 20)
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        break
print("up", flush=True)
sys.stdin.read()
"""


@contextmanager
def group(children: int) -> Iterator[int]:
    command = [sys.executable, "-S", "-c", PROGRAM, str(children)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        for _ in range(children + 1):
            process.stdout.readline()
        try:
            yield process.pid
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"), reason="Linux only")
def test_memory_that_processes_share_is_counted_once() -> None:
    with group(0) as one, group(4) as five:
        alone, together = used(one), used(five)
    assert alone is not None
    assert together is not None
    assert 32 * MIB < alone.memory_bytes < 64 * MIB
    assert together.memory_bytes < 3 * alone.memory_bytes


def test_a_group_that_is_gone_uses_nothing() -> None:
    with group(0) as gone:
        pass
    usage = used(gone)
    assert usage is None or usage.memory_bytes == 0
