"""Cold starts of Python functions: forked by knlite, spawned by knlite, and without knlite.

Each round measures, for each kind of function: spawning its runner and polling it (the process
floor); a request to a service at zero that knlite has to spawn; the same for one that it forks.
Every service is used once. The spawned one differs by a file that keeps it from being forked.

    python -m benchmarks.zygote [--rounds 20] [--kind KIND…]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import anyio

from benchmarks.cold_start import STAGES, Knlite, free_port, poll, progress, running
from benchmarks.report import save, summary, table
from knlite.functions.plan import make, plan
from knlite.serving.workload import FunctionProject
from knlite.settings import Settings

EXAMPLES = Path(__file__).parents[1] / "examples"
FASTAPI = """
import httpx
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

app = FastAPI()


class Order(BaseModel):
    name: str
    count: int = Field(default=1, ge=1)
    tags: list[str] = []


@app.get("/")
def hello() -> dict[str, str]:
    return {"hello": "world"}


@app.post("/orders")
def take(order: Order) -> Order:
    if order.name == "nothing":
        raise HTTPException(404)
    return order


@app.get("/remote")
async def remote(url: str) -> dict[str, int]:
    async with httpx.AsyncClient() as client:
        return {"status": (await client.get(url)).status_code}


class Function:
    async def handle(self, scope, receive, send):
        await app(scope, receive, send)


def new():
    return Function()
"""
PLAIN = """
class Function:
    async def handle(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})


def new():
    return Function()
"""
KINDS = ("plain", "article", "fastapi")
SIDES = ("process", "spawned", "forked")
LESSON = 5
"""Seconds."""
FIRST = 20
"""Services that are used until one is forked."""
HINDRANCE = "knlite_loading.py"
"""A file of this name in a function's folder would hide a module that its zygote has loaded."""
SERVICE = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {name}, namespace: bench}}
spec:
  template:
    metadata:
      annotations: {{autoscaling.knative.dev/initial-scale: "0"}}
    spec:
      containers: [{{image: "{image}"}}]
---
"""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--kind", choices=KINDS, action="append")
    options = parser.parse_args()
    # Else what is spawned would compile its runner each time, as hardly anywhere.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="knlite-bench-") as folder:
        measured = measure(Path(folder), options.rounds, tuple(options.kind or KINDS))
    report(measured, options.rounds)


def measure(folder: Path, rounds: int, kinds: tuple[str, ...]) -> dict[str, dict[str, list[Any]]]:
    """Seconds by kind and side, in interleaved rounds."""
    words = {kind: write(folder, kind, rounds + 1) for kind in kinds}
    measured: dict[str, dict[str, list[Any]]] = {
        kind: {side: [] for side in (*SIDES, "stages")} for kind in kinds
    }
    with running({"process": folder}) as knlites:
        knlite = knlites["process"]
        # The first round warms caches of all sides and is thrown away. A zygote that loads would
        # share the machine with the rounds, so they begin when all have been loaded.
        for kind in kinds:
            knlite.rest(wait_for_fork(knlite, kind))
        # What an instance that has served teaches its zygote when it ends is loaded by then.
        time.sleep(LESSON)
        for index in range(rounds + 1):
            for kind in kinds:
                floor = process(words[kind], folder / f"{kind}-forked")
                spawned, _ = knlite.request(f"{kind}-spawned-{index}")
                forked, stages = knlite.request(f"{kind}-forked-{index}")
                if index:
                    for side, seconds in zip(SIDES, (floor, spawned, forked), strict=True):
                        measured[kind][side].append(seconds)
                    measured[kind]["stages"].append(stages)
                    if knlite.forked(f"{kind}-spawned-{index}"):
                        sys.exit(f"{kind}: forked what it should spawn")
                    if not knlite.forked(f"{kind}-forked-{index}"):
                        sys.exit(f"{kind}: spawned what it should fork")
            progress(index + 1, rounds + 1)
    return measured


def write(folder: Path, kind: str, count: int) -> tuple[str, ...]:
    """A project that can be forked and one that cannot, and a service of each for each round.

    The words by which the function is started.
    """
    services = "".join(
        SERVICE.format(name=f"{kind}-{side}-{index}", image=f"dev.local/{kind}-{side}")
        for side in SIDES[1:]
        for index in range(count)
    )
    services += "".join(
        SERVICE.format(name=f"{kind}-first-{index}", image=f"dev.local/{kind}-forked")
        for index in range(FIRST)
    )
    for side in SIDES[1:]:
        project = folder / f"{kind}-{side}"
        if kind == "article":
            shutil.copytree(EXAMPLES / "article-broker" / "web", project)
        else:
            (project / "function").mkdir(parents=True)
            (project / "function" / "__init__.py").write_text(
                FASTAPI if kind == "fastapi" else PLAIN, encoding="utf-8"
            )
            needed = '"fastapi", "httpx"' if kind == "fastapi" else ""
            (project / "pyproject.toml").write_text(
                f'[project]\nname = "function"\nversion = "1"\ndependencies = [{needed}]\n',
                encoding="utf-8",
            )
        (project / "func.yaml").write_text(
            f"specVersion: 0.36.0\nname: {kind}-{side}\nruntime: python\n"
            f"image: dev.local/{kind}-{side}\ninvoke: http\n",
            encoding="utf-8",
        )
    (folder / f"{kind}-spawned" / HINDRANCE).touch()
    (folder / f"{kind}.yaml").write_text(services, encoding="utf-8")
    return anyio.run(words_of, folder / f"{kind}-forked", kind)


async def words_of(folder: Path, kind: str) -> tuple[str, ...]:
    """How knlite starts the function in *folder*."""
    project = FunctionProject(folder=str(folder), name=kind, language="python", image="")
    settings = Settings()
    made = await make(
        plan(folder, project),
        folder=folder,
        origin=folder,
        name=kind,
        cache_dir=settings.cache_dir,
        environ=settings.environ,
        debug=False,
        report=lambda text, share=None: None,
    )
    return made.words


def wait_for_fork(knlite: Knlite, kind: str) -> str:
    """A service of *kind* whose instance was forked, as soon as there is one."""
    for index in range(FIRST):
        service = f"{kind}-first-{index}"
        knlite.request(service)
        if knlite.forked(service):
            return service
        time.sleep(0.5)
    sys.exit(f"{kind} is not forked")


def process(words: tuple[str, ...], folder: Path) -> float:
    """Spawn the runner and poll it."""
    port = free_port()
    began = time.perf_counter()
    runner = subprocess.Popen(
        words,
        cwd=folder,
        env={**os.environ, "PORT": str(port), "LISTEN_ADDRESS": f"127.0.0.1:{port}"},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        poll("127.0.0.1", port)
        return time.perf_counter() - began
    finally:
        runner.kill()
        runner.wait()


def report(measured: dict[str, dict[str, list[Any]]], rounds: int) -> None:
    """Print and write the results."""
    rows, stage_rows = [], []
    results: dict[str, Any] = {"rounds": rounds, "kinds": {}}
    for kind, of in measured.items():
        sides = {side: summary(of[side]) for side in SIDES}
        forked, spawned = sides["forked"]["median"], sides["spawned"]["median"]
        stages = [median(sample[i] for sample in of["stages"]) for i in range(len(STAGES))]
        rows.append(
            [
                kind,
                *(f"{sides[side]['median'] * 1000:.1f}" for side in SIDES),
                f"{sides['forked']['p95'] * 1000:.1f}",
                f"{forked / spawned:.2f}",
                f"{forked / sides['process']['median']:.2f}",
            ]
        )
        stage_rows.append([kind, *(f"{seconds * 1000:.1f}" for seconds in stages)])
        results["kinds"][kind] = {
            **sides,
            "ratio": forked / spawned,
            "stages": dict(zip(STAGES, stages, strict=True)),
            "samples": of,
        }
    heads = ["function", "process ms", "spawned ms", "forked ms", "forked p95"]
    text = "\n\n".join(
        [
            f"{rounds} interleaved rounds; from sending the request to its last byte. *process* is"
            " the runner spawned without knlite, *spawned* and *forked* a request through knlite"
            " to a service at zero.",
            table([*heads, "forked/spawned", "forked/process"], rows),
            "Where the time of forked ones goes (medians, ms):",
            table(["function", *STAGES], stage_rows),
        ]
    )
    save("zygote", "Forked cold starts", text, results)


if __name__ == "__main__":
    main()
