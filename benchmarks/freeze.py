"""What a frozen instance adds to a request, beside what the machine needs to thaw one at all.

Each round measures, one after the other: a program that is stopped and continued by hand, and then
asked (the process floor); a container of the same program that the engine unpauses (the docker
floor); and for each way of freezing in knlite a request to an instance that runs, and one to the
same instance after it has been frozen. Services are brought to zero through the admin port.

    python -m benchmarks.freeze [--rounds 40] [--runtime process|docker|both]
"""

import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.cold_start import APP, COMMAND, IMAGE, asked, free_port, get, poll, progress
from benchmarks.report import save, summary, table

SERVICE = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {name}, namespace: bench}}
spec:
  template:
    metadata:
      annotations:
        knlite.dev/idle: freeze
{annotations}
    spec:
      containers: [{{image: "{image}", imagePullPolicy: IfNotPresent}}]
"""
AT_REST = 0.05
"""Seconds between freezing and the request, so that nothing of the freezing is measured."""
FLOORS = {"process": "process", "docker": "docker", "docker, cgroup": "docker"}
"""By way of freezing: which floor it is compared with."""


def main() -> None:
    """Measure, print, write."""
    rounds, runtimes, engine = asked(__doc__, rounds=40)
    with tempfile.TemporaryDirectory(prefix="knlite-bench-") as folder, ExitStack() as stack:
        floors: dict[str, Callable[[], float]] = {}
        ways: dict[str, Knlite] = {}
        place = Path(folder)
        (place / "app.py").write_text(APP, encoding="utf-8")
        if "process" in runtimes:
            floors["process"] = stack.enter_context(process_floor(place))
            ways["process"] = stack.enter_context(running(place, "process", "engine"))
        if engine is not None:
            floors["docker"] = stack.enter_context(docker_floor(engine))
            ways["docker"] = stack.enter_context(running(place, "docker", "engine"))
            ways["docker, cgroup"] = stack.enter_context(running(place, "docker", "cgroup"))
        report(measure(floors, ways, rounds), rounds)


Samples = dict[str, list[float]]


def measure(
    floors: dict[str, Callable[[], float]], ways: dict[str, "Knlite"], rounds: int
) -> dict[str, Samples]:
    """Seconds to the last byte, in interleaved rounds: ``floor``, ``warm`` and ``frozen``."""
    found: dict[str, Samples] = {name: {"floor": [], "warm": [], "frozen": []} for name in ways}
    # The first round warms caches of all sides and is thrown away.
    for index in range(rounds + 1):
        of_floors = {name: floor() for name, floor in floors.items()}
        for name, knlite in ways.items():
            warm, frozen = knlite.request(), knlite.request_frozen()
            if index:
                found[name]["floor"].append(of_floors[FLOORS[name]])
                found[name]["warm"].append(warm)
                found[name]["frozen"].append(frozen)
        progress(index + 1, rounds + 1)
    return found


class Knlite:
    """A running knlite with one service."""

    def __init__(self, folder: Path, runtime: str, freezer: str) -> None:
        self.name = f"{runtime}-{freezer}"
        self._port, self._admin = free_port(), free_port()
        ports = ["--port", str(self._port), "--admin-port", str(self._admin)]
        how = ["--runtime", runtime, "--freezer", freezer]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "knlite", "up", str(folder), "--json", *how, *ports],
            stdout=subprocess.DEVNULL,
        )
        self._wait_until_ready()

    def request(self) -> float:
        """Seconds to the last byte of a request to an instance that runs."""
        began = time.perf_counter()
        get("127.0.0.1", self._port, f"{self.name}.bench.localhost")
        return time.perf_counter() - began

    def request_frozen(self) -> float:
        """The same, after it has been frozen."""
        connection = http.client.HTTPConnection("127.0.0.1", self._admin, timeout=60)
        connection.request("POST", f"/knlite/services/bench/{self.name}/rest")
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != http.client.NO_CONTENT:
            sys.exit(f"{self.name} cannot be frozen: {answer.status} {text!r}")
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        if not any(
            line.startswith("knlite_frozen_instances{") and line.endswith(" 1.0") for line in lines
        ):
            sys.exit(f"{self.name} is not frozen")
        time.sleep(AT_REST)
        return self.request()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)

    def _wait_until_ready(self) -> None:
        for _ in range(1200):
            try:
                get("127.0.0.1", self._port, f"{self.name}.bench.localhost")
            except (OSError, SystemExit):
                time.sleep(0.05)
            else:
                return
        sys.exit(f"{self.name} did not become ready")


@contextmanager
def running(place: Path, runtime: str, freezer: str) -> Iterator[Knlite]:
    """A knlite with one service of that *runtime*."""
    folder = place / f"{runtime}-{freezer}"
    folder.mkdir()
    (folder / "app.py").write_text(APP, encoding="utf-8")
    annotations = COMMAND.format(python=sys.executable) if runtime == "process" else ""
    text = SERVICE.format(name=folder.name, annotations=annotations, image=IMAGE)
    (folder / "service.yaml").write_text(text, encoding="utf-8")
    knlite = Knlite(folder, runtime, freezer)
    try:
        yield knlite
    finally:
        knlite.stop()


@contextmanager
def process_floor(folder: Path) -> Iterator[Callable[[], float]]:
    """Continue a stopped program and ask it."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=folder,
        env={**os.environ, "PORT": str(port)},
        start_new_session=True,
    )

    def thaw() -> float:
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(AT_REST)
        began = time.perf_counter()
        os.killpg(process.pid, signal.SIGCONT)
        get("127.0.0.1", port, "floor")
        return time.perf_counter() - began

    try:
        poll("127.0.0.1", port)
        yield thaw
    finally:
        process.kill()
        process.wait()


@contextmanager
def docker_floor(engine: Any) -> Iterator[Callable[[], float]]:
    """Have the engine unpause a container and ask that."""
    container = engine.api.create_container(IMAGE, environment={"PORT": "8080"})["Id"]
    try:
        engine.api.start(container)
        found = engine.api.inspect_container(container)["NetworkSettings"]
        address = found["IPAddress"] or next(iter(found["Networks"].values()))["IPAddress"]
        poll(address, 8080)

        def thaw() -> float:
            engine.api.pause(container)
            time.sleep(AT_REST)
            began = time.perf_counter()
            engine.api.unpause(container)
            get(address, 8080, "floor")
            return time.perf_counter() - began

        yield thaw
    finally:
        engine.api.remove_container(container, force=True)


def report(found: dict[str, Samples], rounds: int) -> None:
    """Print and write the results."""
    rows = []
    results: dict[str, Any] = {"rounds": rounds, "ways": {}}
    for name, of in found.items():
        sides = {side: summary(values) for side, values in of.items()}
        adds = sides["frozen"]["median"] - sides["warm"]["median"]
        ratio = sides["frozen"]["median"] / sides["floor"]["median"]
        cells = [
            f"{sides[side][key] * 1000:.2f}"
            for side in ("floor", "warm", "frozen")
            for key in ("median", "p95")
        ]
        rows.append([name, *cells, f"{adds * 1000:.2f}", f"{ratio:.2f}"])
        results["ways"][name] = {**sides, "adds": adds, "ratio": ratio, "samples": of}
    heads = ["way", "floor ms", "p95", "warm ms", "p95", "frozen ms", "p95", "adds ms", "x floor"]
    text = "\n\n".join(
        [
            f"{rounds} interleaved rounds; from sending the request to its last byte. The floor is "
            "a program that is continued, or a container that is unpaused, without knlite, and "
            "asked directly. What freezing adds is the difference of the medians.",
            table(heads, rows),
        ]
    )
    save("freeze", "Frozen instances", text, results)


if __name__ == "__main__":
    main()
