"""Nothing that the tests have started outlives them, however they end."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.executable import PATIENCE, ROOT, left_to_nobody, wait_until
from tests.servers.kafka import Kafka
from tests.servers.rabbitmq import RabbitMQ

pytestmark = pytest.mark.e2e

INTERRUPTED = """
import time

def test_that_takes_too_long(up, {servers}):
    up("--runtime", "process").settled()
    print("begun", flush=True)
    time.sleep(3600)
"""


def ctrl_c(run: "subprocess.Popen[str]") -> None:
    """What a terminal sends to all that run in it."""
    os.killpg(run.pid, signal.SIGINT)


@pytest.mark.parametrize(
    ("end", "servers"),
    [(ctrl_c, "kafka, rabbitmq"), (subprocess.Popen.terminate, "kafka")],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_tests_that_are_interrupted_leave_nothing(
    end: Callable[["subprocess.Popen[str]"], None],
    servers: str,
    tmp_path: Path,
    rabbitmq: RabbitMQ,
    kafka: Kafka,
) -> None:
    assert rabbitmq.folder
    assert kafka.folder
    (tmp_path / "test_interrupted.py").write_text(INTERRUPTED.format(servers=servers))
    plugins = ("-p", "tests.conftest", "-p", "tests.e2e.conftest", "-p", "no:cacheprovider")
    place = ("-c", "pyproject.toml", "--basetemp", str(tmp_path / "kept"))
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-s", *plugins, *place, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    left_to_nobody(run)
    assert run.stdout is not None
    said = ""
    with run.stdout:
        while "begun" not in said:
            line = run.stdout.readline()
            assert line, said
            said += line
        end(run)
        said += run.stdout.read()
    assert run.wait(PATIENCE) == pytest.ExitCode.INTERRUPTED, said
    wait_until(lambda: not alive(run.pid), "all processes of the run to be gone", 5)


def alive(group: int) -> bool:
    """Whether there are processes of a group."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
