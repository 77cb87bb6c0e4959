"""What knlite costs: time until all examples are ready, and what it uses when all are at zero.

python -m benchmarks.footprint [--rounds 5] [--idle 20]
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.cold_start import free_port
from benchmarks.report import save, summary, table

EXAMPLES = Path(__file__).parents[1] / "examples"
QUICK = (
    "config-autoscaler.stable-window=6s",
    "config-autoscaler.scale-to-zero-grace-period=1s",
)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle", type=float, default=20.0)
    options = parser.parse_args()
    # Installs what the functions require; only the rounds after it count.
    Run().stop()
    ready = []
    for _ in range(options.rounds):
        run = Run()
        ready.append(run.seconds)
        run.stop()
    run = Run()
    run.wait_for_zero()
    before = run.cpu_seconds()
    time.sleep(options.idle)
    cpu = (run.cpu_seconds() - before) / options.idle * 100
    memory = run.memory()
    run.stop()
    took = summary(ready)
    rows = [
        ["all examples ready, processes, warm (median)", f"{took['median']:.2f} s", "< 2 s"],
        ["the same, 95th percentile", f"{took['p95']:.2f} s", ""],
        [f"idle at zero, over {options.idle:g} s", f"{cpu:.2f} % of a core", "< 0.5 %"],
        ["memory, idle at zero (RSS)", f"{memory / 1e6:.0f} MB", "< 90 MB"],
    ]
    data = {"ready": took, "samples": ready, "idle_cpu_percent": cpu, "rss_bytes": memory}
    save("footprint", "Footprint", table(["what", "measured", "goal"], rows), data)


class Run:
    """One ``knlite up examples/`` with processes, settled."""

    def __init__(self) -> None:
        ports = ["--port", str(free_port()), "--admin-port", str(free_port())]
        config = [word for text in QUICK for word in ("--set", text)]
        command = [sys.executable, "-m", "knlite", "up", str(EXAMPLES), "--runtime", "process"]
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [*command, "--json", *ports, *config], stdout=subprocess.PIPE, text=True
        )
        self._read_until("Settled")
        self.seconds = time.perf_counter() - began

    def wait_for_zero(self) -> None:
        """Return when every instance that was seen is gone."""
        last: dict[str, str] = {}
        while not last or set(last.values()) != {"gone"}:
            fact = self._read_until("InstanceChanged")
            state = str(fact["state"])
            # One that cannot run here (it needs an engine) waits to be tried again.
            last[str(fact["instance"])] = "gone" if state == "failed" else state

    def cpu_seconds(self) -> float:
        """Processor time used so far by knlite itself."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Resident bytes of knlite itself."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=60)

    def _read_until(self, name: str) -> dict[str, object]:
        stdout = self._process.stdout
        for line in stdout or ():
            fact: dict[str, object] = json.loads(line)
            if fact["fact"] == name:
                return fact
        sys.exit("knlite ended early")


if __name__ == "__main__":
    main()
