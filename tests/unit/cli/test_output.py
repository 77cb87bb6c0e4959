"""Standard output does not make the run wait (``cli/output.py``)."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from knlite.cli.output import Output


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for end in (reading, writing):
        try:
            os.close(end)
        except OSError:
            continue


def read_all(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read().decode()


def test_everything_is_written_in_order(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(read_all(reading)))
    reader.start()
    output = Output(writing, str)
    for number in range(20_000):
        output.write(f"{number}\n")
    output.close()
    os.close(writing)
    reader.join()
    assert found[0] == "".join(f"{number}\n" for number in range(20_000))


def test_nobody_reads_and_nobody_waits(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    # More than a pipe and the limit hold together: if a write waited, it would for ever.
    output = Output(writing, lambda count: f"{count} missing", limit=100_000)
    lines = [f"{number:099}\n" for number in range(20_000)]
    for line in lines:
        output.write(line)
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(read_all(reading)))
    reader.start()
    output.close()
    os.close(writing)
    reader.join()
    said = found[0].splitlines()
    shown = [f"{line}\n" for line in said if not line.endswith("missing")]
    missing = sum(int(line.split()[0]) for line in said if line.endswith("missing"))
    assert shown == sorted(shown)
    assert missing > 0
    assert len(shown) + missing == len(lines)


def test_a_closed_pipe_ends_the_program() -> None:
    program = (
        "import os, time\n"
        "from knlite.cli.output import Output\n"
        "output = Output(1, str)\n"
        "while True: output.write('y\\n'); time.sleep(0.001)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(30) == -signal.SIGTERM
