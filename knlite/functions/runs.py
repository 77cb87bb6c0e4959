"""Which local runs a function has: folders ``.func/runs/PORT``, one for each.

``func run`` makes one for as long as it runs, and ``func invoke`` finds the function by it; so do
knlite's and func's own in each other's place. What was killed leaves its folder behind, so only a
port that takes connections counts.

Source: Knative Functions reference §4.5; knative/func pkg/functions/job.go.
"""

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from knlite.functions.gitignore import keep_func_out

RUNS = Path(".func") / "runs"
_ADDRESS = "address"
"""A file of knlite's own: HOST:PORT, where the host is not loopback."""
LOOPBACK = "127.0.0.1"
WITHIN = 1.0
"""Seconds to connect to this machine."""


@contextmanager
def recorded(folder: Path, host: str, port: int, say: Callable[[str], None]) -> Iterator[None]:
    """While the context lasts, the function in *folder* is said to run on *host* and *port*.

    Folders of runs that have ended are removed. Where nothing can be written that is said, and
    nobody finds the run.
    """
    for stale in (each for each in _ports(folder) if not _answers(folder, each)):
        shutil.rmtree(folder / RUNS / str(stale), ignore_errors=True)
    mine = folder / RUNS / str(port)
    try:
        try:
            mine.mkdir(parents=True, exist_ok=True)
            keep_func_out(folder)
            if host != LOOPBACK:
                (mine / _ADDRESS).write_text(f"{host}:{port}\n")
        except OSError as error:
            say(f"func invoke will not find it by itself: {error}")
        yield
    finally:
        shutil.rmtree(mine, ignore_errors=True)


def running(folder: Path) -> str | None:
    """HOST:PORT of a run of the function in *folder* that takes connections."""
    found = next((port for port in _ports(folder) if _answers(folder, port)), None)
    if found is None:
        return None
    host = _host(folder, found)
    return f"localhost:{found}" if host == LOOPBACK else f"{_bracketed(host)}:{found}"


def _ports(folder: Path) -> list[int]:
    with suppress(OSError):
        names = [each.name for each in (folder / RUNS).iterdir() if each.is_dir()]
        return sorted(int(name) for name in names if _is_port(name))
    return []


def _is_port(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) <= 5 and 0 < int(name) < 65536


def _host(folder: Path, port: int) -> str:
    try:
        host, colon, own = (
            (folder / RUNS / str(port) / _ADDRESS).read_text().strip().rpartition(":")
        )
    except (OSError, UnicodeDecodeError):
        return LOOPBACK
    told = colon and own == str(port) and host not in {"", "0.0.0.0", "::"}
    return host if told and _is_of_this_machine(host) else LOOPBACK


def _is_of_this_machine(host: str) -> bool:
    """Whether something can listen on *host* here.

    A folder that somebody else has made may name any other, to be sent what ``func invoke`` sends.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        try:
            probe.bind((host, 0))
        except (OSError, UnicodeError):
            return False
    return True


def _answers(folder: Path, port: int) -> bool:
    try:
        socket.create_connection((_host(folder, port), port), WITHIN).close()
    except (OSError, UnicodeError):
        return False
    return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
