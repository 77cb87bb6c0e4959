"""Run all tests in two processes side by side; what one says is shown after what the other says.

The end-to-end tests wait most of their time for programs that start and stop, and the others
compute, so together they take little longer than the end-to-end tests alone. Of those, the ones
about Kafka and RabbitMQ are in the first process, so that both take about as long. All that use the
container engine are in the second: a run of knlite removes what dead runs have left there, which
another test may be about to look at.

    python tools/tests.py [OPTION of pytest…]
"""

import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import BinaryIO

SECOND = "docker or (e2e and not servers)"
"""The marks of the tests in the second process."""
INTERVAL = 0.5
"""Seconds between two looks at what the second process has said."""


def main() -> int:
    """0 if all tests have passed."""
    command = [sys.executable, "-m", "pytest", "-q", *sys.argv[1:]]
    if sys.stdout.isatty():
        command.append("--color=yes")
    with tempfile.NamedTemporaryFile() as said, open(said.name, "rb") as reading:
        second = subprocess.Popen([*command, "-m", SECOND], stdout=said, stderr=subprocess.STDOUT)
        first = subprocess.Popen([*command, "-m", f"not ({SECOND})"])
        # Both end what they have started. A terminal interrupts them itself.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: [each.terminate() for each in (first, second)])
        first.wait()
        while second.returncode is None:
            show(reading)
            with suppress(subprocess.TimeoutExpired):
                second.wait(INTERVAL)
        show(reading)
    return first.returncode or second.returncode


def show(reading: BinaryIO) -> None:
    """Pass on what has been written since the last time."""
    sys.stdout.buffer.write(reading.read())
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
