"""One ``knlite up`` as a program of its own, and what the system says that it uses."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from urllib.request import urlopen

from benchmarks.cold_start import free_port


class Run:
    """A running ``knlite up FOLDER``; a context that ends it.

    With *facts* it prints all of them as JSON, one for each request too, which costs more than the
    request; so it is for measuring other things than requests.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        facts: bool = True,
        runtime: str = "process",
    ) -> None:
        self.port, self.admin_port = free_port(), free_port()
        self._ready: dict[str, bool] = {}
        self._told = threading.Condition()
        arguments = ["up", str(folder), "--runtime", runtime, *options]
        if facts:
            arguments.append("--json")
        ports = ["--port", str(self.port), "--admin-port", str(self.admin_port)]
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "knlite", *arguments, *ports],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Of knlite itself."""
        return self._process.pid

    def wait_until_settled(self, patience: float) -> None:
        """Return when everything applied has settled."""
        until = time.perf_counter() + patience
        while time.perf_counter() < until:
            if self._process.poll() is not None:
                sys.exit("knlite ended early")
            try:
                with urlopen(f"http://127.0.0.1:{self.admin_port}/readyz", timeout=patience):
                    return
            except OSError:
                # Not there yet, or 503: not settled yet.
                time.sleep(0.05)
        sys.exit(f"knlite took over {patience:g} s to settle")

    def wait_until_ready(self, count: int, patience: float) -> float:
        """Return when *count* services are ready; how many seconds it took since the start."""

        def done() -> bool:
            return sum(self._ready.values()) >= count or self._process.poll() is not None

        with self._told:
            in_time = self._told.wait_for(done, patience)
            ready = sum(self._ready.values())
        if ready < count:
            why = f"{ready} of {count} services are ready"
            sys.exit(f"knlite {'ended early' if in_time else f'took over {patience:g} s'}: {why}")
        return time.perf_counter() - self.began

    def __enter__(self) -> "Run":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(120)
        self._reader.join(10)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            if not line.startswith("{"):
                continue
            fact = json.loads(line)
            if fact["fact"] == "ReadyChanged" and fact["kind"] == "Service":
                with self._told:
                    self._ready[f"{fact['namespace']}/{fact['name']}"] = fact["status"] == "True"
                    self._told.notify_all()
        with self._told:
            self._told.notify_all()


def memory(pid: int) -> int:
    """Resident bytes of *pid* now."""
    return _status(pid, "VmRSS")


def peak_memory(pid: int) -> int:
    """The most resident bytes of *pid* since ``forget_peak``."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Let the peak begin anew at what is resident now. Raises ``OSError``."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def cpu_seconds(pid: int) -> float:
    """Processor time that *pid* has used so far, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def settle(patience: float = 15.0) -> None:
    """Return when the machine has little to do, or after *patience* seconds.

    A server that was given more than it can do goes on with it when nobody listens any more, and
    would take processor time from the next.
    """
    until = time.perf_counter() + patience
    while time.perf_counter() < until:
        busy, idle = _machine_ticks()
        time.sleep(0.2)
        later_busy, later_idle = _machine_ticks()
        if later_busy - busy < 0.15 * (later_busy - busy + later_idle - idle):
            return


def _machine_ticks() -> tuple[int, int]:
    """Ticks of all processors so far, busy and idle."""
    fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    ticks = [int(field) for field in fields[:8]]
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, idle


def children(pid: int) -> list[int]:
    """The processes that *pid* has started itself, from whichever thread."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for listed in threads for word in listed.read_text(encoding="ascii").split()]


def _status(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024
