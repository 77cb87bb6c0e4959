"""Cold starts of Python functions: forked by knlite, spawned by knlite, and without knlite.

Each round measures, for each kind of function: spawning its runner and polling it (the process
floor); a request to a service at zero that knlite has to spawn; the same for one that it forks.
Every service is used once. The spawned one differs by a file that keeps it from being forked.

    python -m benchmarks.zygote [--rounds 20] [--kind KIND…]
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cold_start import STAGES, Knlite, progress, running
from benchmarks.functions import ASGI, FASTAPI, PARLIAMENT, project, service, spawned, words_of
from benchmarks.report import save, summary, table

KINDS = (ASGI, PARLIAMENT, FASTAPI)
SIDES = ("process", "spawned", "forked")
LESSON = 5
"""Seconds."""
FIRST = 20
"""Services that are used until one is forked."""
HINDRANCE = "knlite_loading.py"
"""A file of this name in a function's folder would hide a module that its zygote has loaded."""
AT_ZERO = {"autoscaling.knative.dev/initial-scale": "0"}


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
                floor = spawned(words[kind], folder / f"{kind}-forked")
                spawning, _ = knlite.request(f"{kind}-spawned-{index}")
                forked, stages = knlite.request(f"{kind}-forked-{index}")
                if index:
                    for side, seconds in zip(SIDES, (floor, spawning, forked), strict=True):
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
    used = {"first": FIRST, "spawned": count, "forked": count}
    for side, services in used.items():
        function = f"{kind}-{'spawned' if side == 'spawned' else 'forked'}"
        for index in range(services):
            name = f"{kind}-{side}-{index}"
            service(folder, name, function=function, namespace="bench", annotations=AT_ZERO)
    hindered = project(folder, f"{kind}-spawned", kind)
    (hindered / HINDRANCE).touch()
    return words_of(project(folder, f"{kind}-forked", kind))


def wait_for_fork(knlite: Knlite, kind: str) -> str:
    """A service of *kind* whose instance was forked, as soon as there is one."""
    for index in range(FIRST):
        service = f"{kind}-first-{index}"
        knlite.request(service)
        if knlite.forked(service):
            return service
        time.sleep(0.5)
    sys.exit(f"{kind} is not forked")


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
