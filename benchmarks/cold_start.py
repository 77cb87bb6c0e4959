"""Scale from zero to the last byte, beside what the machine needs without knlite.

Each round measures, one after the other: spawning the command and polling it (the process floor);
a request through knlite to a service at zero that runs the same command; creating and starting a
container of the image and polling it (the docker floor); a request to a service at zero that runs
the same image. Every service is used once, so none has to be waited for until it is at zero.

    python -m benchmarks.cold_start [--rounds 20] [--runtime process|docker|both]
"""

import argparse
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.report import RESULTS, machine, save, summary, table

APP = """
import os, socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Hello(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"hello\\n")
    def log_message(self, *args):
        pass

ThreadingHTTPServer(("", int(os.environ["PORT"])), Hello).serve_forever()
"""
IMAGE = "knlite-benchmark/hello:latest"
BASE = "python:3.11-slim"
SERVICE = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {name}, namespace: bench}}
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/initial-scale: "0"
{annotations}
    spec:
      containers: [{{image: "{image}", imagePullPolicy: IfNotPresent}}]
---
"""
COMMAND = '        knlite.dev/command: "{python} app.py"\n'
STAGES = ("queue", "start", "ready", "first byte")
MOMENTS = ("queued", "started", "ready", "first_byte")


def main() -> None:
    """Measure, print, write."""
    rounds, runtimes, engine = asked(__doc__)
    with tempfile.TemporaryDirectory(prefix="knlite-bench-") as folder:
        measured = measure(Path(folder), rounds, runtimes, engine)
    report(measured, rounds)


def asked(about: str | None, rounds: int = 20) -> tuple[int, tuple[str, ...], Any]:
    """How many rounds, of which runtimes, and the engine if one of them needs it.

    Without an engine it is processes alone, unless containers were asked for.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--runtime", choices=("process", "docker", "both"), default="both")
    options = parser.parse_args()
    if options.runtime == "process":
        return options.rounds, ("process",), None
    engine = find_engine()
    if engine is None and options.runtime == "docker":
        sys.exit("no container engine answers")
    if engine is None:
        return options.rounds, ("process",), None
    both = ("process", "docker")
    return options.rounds, both if options.runtime == "both" else ("docker",), engine


def find_engine() -> Any:
    """The engine, with the image built; None if none answers."""
    import docker

    try:
        engine = docker.from_env()
        engine.ping()
    except docker.errors.DockerException:
        return None
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "app.py").write_text(APP, encoding="utf-8")
        (Path(folder) / "Dockerfile").write_text(
            f'FROM {BASE}\nCOPY app.py /app.py\nCMD ["python3", "/app.py"]\n', encoding="utf-8"
        )
        engine.images.build(path=folder, tag=IMAGE, rm=True)
    return engine


def measure(
    folder: Path, rounds: int, runtimes: tuple[str, ...], engine: Any
) -> dict[str, dict[str, list[Any]]]:
    """Seconds by runtime and by who did it, in interleaved rounds."""
    measured: dict[str, dict[str, list[Any]]] = {
        name: {"floor": [], "knlite": [], "stages": []} for name in runtimes
    }
    (folder / "app.py").write_text(APP, encoding="utf-8")
    total = rounds + 1
    for name in runtimes:
        write_manifests(folder / name, name, total)
        (folder / name / "app.py").write_text(APP, encoding="utf-8")
    with running({name: folder / name for name in runtimes}) as knlites:
        # The first round warms caches of both sides and is thrown away.
        for index in range(total):
            for name in runtimes:
                floor = process_floor(folder) if name == "process" else docker_floor(engine)
                seconds, stages = knlites[name].request(f"{name}-{index}")
                if index:
                    measured[name]["floor"].append(floor)
                    measured[name]["knlite"].append(seconds)
                    measured[name]["stages"].append(stages)
            progress(index + 1, total)
    return measured


def write_manifests(folder: Path, runtime: str, count: int) -> None:
    """One service for each round."""
    folder.mkdir()
    annotations = COMMAND.format(python=sys.executable) if runtime == "process" else ""
    text = "".join(
        SERVICE.format(name=f"{runtime}-{index}", annotations=annotations, image=IMAGE)
        for index in range(count)
    )
    (folder / "services.yaml").write_text(text, encoding="utf-8")


class Knlite:
    """A running knlite with one runtime."""

    def __init__(self, folder: Path, runtime: str) -> None:
        self.port, self._admin = free_port(), free_port()
        self._stages: dict[str, list[float]] = {}
        self._forked: set[str] = set()
        self._settled = threading.Event()
        self._told = threading.Condition()
        arguments = ["up", str(folder), "--json", "--runtime", runtime]
        ports = ["--port", str(self.port), "--admin-port", str(self._admin)]
        config = ["--set", "config-autoscaler.allow-zero-initial-scale=true"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "knlite", *arguments, *ports, *config],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._settled.wait(60):
            sys.exit("knlite did not settle")

    def request(self, service: str) -> tuple[float, list[float]]:
        """Seconds to the last byte of a request to *service*, and to each stage."""
        began = time.perf_counter()
        get("127.0.0.1", self.port, f"{service}.bench.localhost")
        seconds = time.perf_counter() - began
        with self._told:
            if not self._told.wait_for(lambda: service in self._stages, 10):
                sys.exit(f"{service} reported no cold start")
        return seconds, self._stages[service]

    def forked(self, service: str) -> bool:
        """Whether an instance of *service*, which has answered, was forked."""
        return service in self._forked

    def rest(self, service: str) -> None:
        """Scale *service* to zero now; returns when it is told to."""
        connection = http.client.HTTPConnection("127.0.0.1", self._admin, timeout=60)
        connection.request("POST", f"/knlite/services/bench/{service}/rest")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != http.client.NO_CONTENT:
            sys.exit(f"{service} does not rest: {answer.status}")

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)

    def _read(self) -> None:
        stdout = self._process.stdout
        if stdout is None:
            return
        for line in stdout:
            fact = json.loads(line)
            match fact["fact"]:
                case "Settled":
                    self._settled.set()
                case "InstanceChanged" if fact["state"] == "ready" and "forked" in fact["why"]:
                    self._forked.add(fact["service"])
                case "ColdStart":
                    moments = [0.0, *(fact[name] for name in MOMENTS)]
                    stages = [later - sooner for sooner, later in pairwise(moments)]
                    with self._told:
                        self._stages[fact["service"]] = stages
                        self._told.notify_all()
                case _:
                    pass


@contextmanager
def running(folders: dict[str, Path]) -> Iterator[dict[str, Knlite]]:
    """A knlite for each runtime."""
    started: dict[str, Knlite] = {}
    try:
        for name, folder in folders.items():
            started[name] = Knlite(folder, name)
        yield started
    finally:
        for knlite in started.values():
            knlite.stop()


def process_floor(folder: Path) -> float:
    """Spawn the command and poll it."""
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=folder,
        env={**os.environ, "PORT": str(port)},
        start_new_session=True,
    )
    try:
        poll("127.0.0.1", port)
        return time.perf_counter() - began
    finally:
        process.kill()
        process.wait()


def docker_floor(engine: Any) -> float:
    """Create and start a container with the engine's own API and poll it."""
    began = time.perf_counter()
    container = engine.api.create_container(IMAGE, environment={"PORT": "8080"})
    try:
        engine.api.start(container["Id"])
        found = engine.api.inspect_container(container["Id"])["NetworkSettings"]
        address = found["IPAddress"] or next(iter(found["Networks"].values()))["IPAddress"]
        poll(address, 8080)
        return time.perf_counter() - began
    finally:
        engine.api.remove_container(container["Id"], force=True)


def poll(host: str, port: int) -> None:
    """Connect until it answers, then read the whole answer."""
    while True:
        try:
            socket.create_connection((host, port), 1).close()
        except OSError:
            time.sleep(0.001)
            continue
        get(host, port, host)
        return


def get(host: str, port: int, name: str) -> None:
    """One request, to the last byte."""
    connection = http.client.HTTPConnection(host, port, timeout=60)
    connection.request("GET", "/", headers={"Host": name})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != http.client.OK:
        sys.exit(f"{name} answered {answer.status}: {body.decode(errors='replace')}")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def progress(done: int, total: int) -> None:
    """One line that is written over."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done}/{total} rounds ")
        sys.stderr.flush()


def report(measured: dict[str, dict[str, list[Any]]], rounds: int) -> None:
    """Print and write the results."""
    rows, stage_rows = [], []
    results: dict[str, Any] = {"rounds": rounds, "runtimes": {}}
    for name, of in measured.items():
        floor, knlite = summary(of["floor"]), summary(of["knlite"])
        ratio = knlite["median"] / floor["median"]
        stages = [median(sample[i] for sample in of["stages"]) for i in range(len(STAGES))]
        rows.append(
            [
                name,
                *(
                    f"{side[key] * 1000:.1f}"
                    for side in (floor, knlite)
                    for key in ("median", "p95")
                ),
                f"{ratio:.2f}",
            ]
        )
        stage_rows.append([name, *(f"{seconds * 1000:.1f}" for seconds in stages)])
        results["runtimes"][name] = {
            "floor": floor,
            "knlite": knlite,
            "ratio": ratio,
            "stages": dict(zip(STAGES, stages, strict=True)),
            "samples": of,
        }
    heads = ["runtime", "floor ms", "floor p95", "knlite ms", "knlite p95", "ratio of medians"]
    text = "\n\n".join(
        [
            f"{rounds} interleaved rounds; from sending the request to its last byte.",
            table(heads, rows),
            "Where the time goes (medians, ms):",
            table(["runtime", *STAGES], stage_rows),
        ]
    )
    save("cold_start", "Cold start", text, results)
    plot(measured)


def plot(measured: dict[str, dict[str, list[Any]]]) -> None:
    """Every sample as a point, floor beside knlite."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(measured), figsize=(5 * len(measured), 4), squeeze=False)
    for axis, (name, of) in zip(axes[0], measured.items(), strict=True):
        for place, side in enumerate(("floor", "knlite")):
            values = [seconds * 1000 for seconds in of[side]]
            spread = [place + (i % 7 - 3) * 0.03 for i in range(len(values))]
            axis.plot(spread, values, "o", alpha=0.5)
            axis.hlines(median(values), place - 0.25, place + 0.25, color="black")
        axis.set_xticks([0, 1], ["floor", "knlite"])
        axis.set_ylim(bottom=0)
        axis.set_ylabel("ms to the last byte")
        axis.set_title(name)
    figure.suptitle(f"Cold start, {machine()['machine']}", fontsize=9)
    figure.tight_layout()
    figure.savefig(RESULTS / "cold_start.png", dpi=120)


if __name__ == "__main__":
    main()
