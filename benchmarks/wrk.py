"""One run of wrk, the load generator, and what it said."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Measured:
    """One run."""

    rate: float
    """Requests per second."""
    p50: float
    """Milliseconds."""
    p99: float
    errors: int
    """Answers that were none or no 2xx."""
    problem: str = ""
    """Why there is no measurement."""


class Failed(Exception):
    """wrk could not measure anything; the text is its own."""


def require() -> None:
    """Exit with a way to get wrk where there is none."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk (Debian, Ubuntu), brew install wrk")


def run(
    port: int,
    connections: int,
    seconds: float,
    *,
    host: str = "",
    path: str = "/",
    script: Path | None = None,
) -> Measured:
    """Requests on *connections* kept alive, from one thread. Raises ``Failed``."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency"]
    if host:
        command += ["-H", f"Host: {host}"]
    if script is not None:
        command += ["-s", str(script)]
    command.append(f"http://127.0.0.1:{port}{path}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    measured = read(done.stdout)
    if done.returncode or measured is None:
        raise Failed((done.stderr or done.stdout).strip().replace("\n", "; "))
    if not measured.rate:
        raise Failed(f"no answer within {seconds:g} s")
    return measured


def read(said: str) -> Measured | None:
    """What the output *said* of wrk means; None if there is no result."""
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    broken = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said
    )
    errors = int(failed[1]) if failed else 0
    errors += sum(map(int, broken.groups())) if broken else 0
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if rate is None:
        return None
    return Measured(float(rate[1]), _percentile(said, 50), _percentile(said, 99), errors)


def _percentile(said: str, which: int) -> float:
    found = re.search(rf"^\s*{which}%\s+([\d.]+)(us|ms|s|m)$", said, re.MULTILINE)
    # Without a single answer there is none.
    return float(found[1]) * _UNITS[found[2]] if found else float("nan")
