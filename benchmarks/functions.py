"""What the benchmarks of functions share: projects, a service for each, rounds, and judging ratios.

A benchmark compares *ways*, which are measured one after the other in every round, so that what the
machine does meanwhile meets all of them alike; the first round warms caches and is thrown away.
What is compared are ratios of medians, never milliseconds with another machine.
"""

import http.client
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.report import RESULTS, machine, summary, table
from benchmarks.run import Run

PARLIAMENT = "parliament"
FASTAPI = "fastapi"
ASGI = "asgi"

_FILES: Mapping[str, Mapping[str, str]] = {
    # What articles begin with: it answers a browser, and sends an event where it has a sink.
    PARLIAMENT: {
        "func.py": """import json
import os

import requests
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent
from parliament import Context

K_SINK = os.environ.get("K_SINK")


def main(context: Context):
    if K_SINK:
        event = CloudEvent({"type": "com.example.order", "source": "/web"}, {"hello": "world"})
        headers, body = to_binary(event)
        requests.post(K_SINK, data=body, headers=headers, timeout=10).raise_for_status()
    return json.dumps({"message": "hello"}), 200, {"Content-Type": "application/json"}
""",
        "requirements.txt": "parliament-functions==0.1.0\ncloudevents<2\nrequests\n",
        "Procfile": "web: python -m parliament .\n",
    },
    FASTAPI: {
        "function/__init__.py": "from .func import new\n",
        "function/func.py": """from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Answer(BaseModel):
    message: str


@app.get("/")
async def hello() -> Answer:
    return Answer(message="hello")


class Function:
    async def handle(self, scope, receive, send):
        await app(scope, receive, send)


def new():
    return Function()
""",
        "pyproject.toml": """[project]
name = "function"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = ["fastapi"]
""",
    },
    ASGI: {
        "function/__init__.py": "from .func import handle\n",
        "function/func.py": """HEADERS = [(b"content-length", b"5")]


async def handle(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"hello"})
""",
        "pyproject.toml": """[project]
name = "function"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = []
""",
    },
}
_FUNC = """specVersion: 0.36.0
name: {name}
runtime: python
image: {image}
created: 2026-01-01T00:00:00Z
"""
_SERVICE = """apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {name}}}
spec:
  template:
    metadata:
      annotations: {annotations}
    spec:
      containers: [{{image: "{image}", imagePullPolicy: IfNotPresent}}]
---
"""


def image(name: str) -> str:
    """What the function *name* and its service call their image."""
    return f"benchmark.local/{name}:latest"


def project(folder: Path, name: str, kind: str) -> Path:
    """A new function project *name* of *kind* in *folder*; where it lies."""
    place = folder / name
    for file, text in {**_FILES[kind], "func.yaml": _FUNC}.items():
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        filled = text.format(name=name, image=image(name)) if file == "func.yaml" else text
        (place / file).write_text(filled, encoding="utf-8")
    return place


def service(
    folder: Path, name: str, *, function: str = "", annotations: Mapping[str, str] | None = None
) -> None:
    """The manifest of the service *name* of *function* (one of its own name) in *folder*."""
    listed = ", ".join(f'"{key}": "{value}"' for key, value in (annotations or {}).items())
    text = _SERVICE.format(name=name, image=image(function or name), annotations="{" + listed + "}")
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def answer(port: int, host: str, path: str = "/", method: str = "GET") -> tuple[float, bytes]:
    """Seconds of one request on a connection of its own to its last byte, and the body."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, headers={"Host": host})
    response = connection.getresponse()
    body = response.read()
    seconds = time.perf_counter() - began
    connection.close()
    if response.status != http.client.OK:
        sys.exit(f"{host} answered {response.status}: {body.decode(errors='replace')}")
    return seconds, body


def host_of(name: str, namespace: str = "default") -> str:
    """The name under which knlite answers for a service."""
    return f"{name}.{namespace}.localhost"


def cold(run: Run, name: str) -> float:
    """Bring service *name* to zero, then seconds of a request to it, to its last byte."""
    run.rest(name)
    seconds, _ = answer(run.port, host_of(name))
    return seconds


def interleaved(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Measure every way in every round; the first is thrown away. Seconds by way."""
    measured: dict[str, list[float]] = {name: [] for name in ways}
    for index in range(rounds + 1):
        for name, way in ways.items():
            seconds = way()
            if index:
                measured[name].append(seconds)
        progress(f"{index + 1}/{rounds + 1} rounds")
    progress("")
    return measured


def progress(text: str) -> None:
    """One line that is written over."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class Goal:
    """*way* is to take at most *ratio* times what *against* takes, by medians."""

    way: str
    against: str
    ratio: float

    def met(self, measured: Mapping[str, list[float]]) -> bool:
        """Whether it does."""
        return self.found(measured) <= self.ratio

    def found(self, measured: Mapping[str, list[float]]) -> float:
        """The ratio of the medians."""
        return median(measured[self.way]) / median(measured[self.against])


def times(measured: Mapping[str, list[float]]) -> str:
    """A table of all ways, in milliseconds."""
    rows = [
        [name, *(f"{summary(values)[key] * 1000:.2f}" for key in ("median", "p95"))]
        for name, values in measured.items()
    ]
    return table(["way", "median ms", "p95 ms"], rows)


def judged(goals: Mapping[str, Goal], measured: Mapping[str, list[float]]) -> str:
    """A table of what was to be reached and what was."""
    rows = [
        [
            what,
            f"{goal.found(measured):.3f}",
            f"<= {goal.ratio:g}",
            "met" if goal.met(measured) else "NOT met",
        ]
        for what, goal in goals.items()
    ]
    return table(["what", "ratio of medians", "goal", ""], rows)


def plain(measured: Mapping[str, list[float]]) -> dict[str, Any]:
    """For the results in JSON: of every way its summary and all samples, in seconds."""
    return {name: {**summary(values), "samples": values} for name, values in measured.items()}


def points(measured: Mapping[str, list[float]], title: str, name: str) -> None:
    """Every sample as a point, way beside way, in ``benchmarks/results/NAME.png``."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(1.8 * len(measured) + 2, 4))
    for place, values in enumerate(measured.values()):
        spread = [place + (i % 7 - 3) * 0.03 for i in range(len(values))]
        axis.plot(spread, [seconds * 1000 for seconds in values], "o", alpha=0.5)
        axis.hlines(median(values) * 1000, place - 0.25, place + 0.25, color="black")
    axis.set_xticks(range(len(measured)), list(measured))
    axis.set_ylim(bottom=0)
    axis.set_ylabel("ms")
    figure.suptitle(f"{title}, {machine()['machine']}", fontsize=9)
    figure.tight_layout()
    figure.savefig(RESULTS / f"{name}.png", dpi=120)
