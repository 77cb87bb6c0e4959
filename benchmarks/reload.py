"""From a save to the first answer of the new code, and requests that fail while code is saved.

Each round measures, one after the other: spawning the function's runner and polling it, which is
what somebody waits for who starts it anew by hand (the floor); and, for each way of reloading in
knlite, a save as editors do it (beside its place, then renamed into it), after which the service is
asked over and over until it answers with what was saved. The clock runs from before the write.

    python -m benchmarks.reload [--rounds 20] [--runtime process|docker|both]
"""

import http.client
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.cold_start import asked, progress
from benchmarks.functions import FASTAPI, PARLIAMENT, image, project, service, spawned, words_of
from benchmarks.report import save, summary, table
from benchmarks.run import Run

GOALS = {"process": 0.7, "docker": 3.0}
"""Seconds from a save to the first new answer, at the median."""
WAYS = (
    ("process", PARLIAMENT, ()),
    ("process", FASTAPI, ()),
    ("process", PARLIAMENT, ("--reload", "in-place")),
    ("docker", PARLIAMENT, ()),
)
"""Runtime, kind of function, options."""
REQUESTS, RELOADS, CLIENTS = 5000, 20, 8
PATIENCE = 60.0
AT_REST = 0.2
"""Seconds between two saves, so that nothing of the one is measured with the other."""
WORD = "hello"
"""What a function answers before anything is saved."""


class Function:
    """A function of which each save has an answer of its own."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = project(folder, f"reload-{kind}", kind)
        self.name = self.folder.name
        service(folder, self.name)
        file = "function/func.py" if kind == FASTAPI else "func.py"
        self._file = self.folder / file
        self._text = self._file.read_text(encoding="utf-8")
        self._saved = 0

    def save(self) -> bytes:
        """Save it once more; what it answers from now on, or a part of that."""
        self._saved += 1
        word = f"save {self._saved}."
        beside = self._file.with_name(f".{self._file.name}.tmp")
        beside.write_text(self._text.replace(f'"{WORD}"', f'"{word}"'), encoding="utf-8")
        beside.rename(self._file)
        return word.encode()


class Asking:
    """One connection that is kept."""

    def __init__(self, port: int, name: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._headers = {"Host": f"{name}.default.localhost"}

    def get(self) -> tuple[int, bytes]:
        """Status and body of an answer."""
        self._connection.request("GET", "/", headers=self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def until(self, word: bytes) -> None:
        """Ask until *word* is in an answer."""
        deadline = time.perf_counter() + PATIENCE
        while word not in self.get()[1]:
            if time.perf_counter() > deadline:
                sys.exit(f"{word!r} was never answered")


@dataclass(kw_only=True)
class Way:
    """A running knlite with one function, and what was measured of it in seconds."""

    runtime: str
    name: str
    function: Function
    run: Run
    words: tuple[str, ...]
    floor: list[float] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)

    def measure(self, *, counts: bool) -> None:
        """Once the floor and once a save; the first time does not count."""
        floor = spawned(self.words, self.function.folder)
        asking = Asking(self.run.port, self.function.name)
        asking.get()
        began = time.perf_counter()
        asking.until(self.function.save())
        if counts:
            self.saved.append(time.perf_counter() - began)
            self.floor.append(floor)
        time.sleep(AT_REST)


def measured(folder: Path, runtimes: tuple[str, ...], rounds: int) -> list[Way]:
    """All ways, in interleaved rounds."""
    with ExitStack() as stack:
        ways = []
        for number, (runtime, kind, options) in enumerate(WAYS):
            if runtime not in runtimes:
                continue
            place = folder / str(number)
            place.mkdir()
            function = Function(place, kind)
            run = stack.enter_context(Run(place, *options, facts=False, runtime=runtime))
            run.wait_until_settled(600)
            name = " ".join((runtime, kind, *options))
            words = words_of(function.folder)
            ways.append(Way(runtime=runtime, name=name, function=function, run=run, words=words))
        for index in range(rounds + 1):
            for way in ways:
                way.measure(counts=index > 0)
            progress(index + 1, rounds + 1)
    return ways


def under_load(run: Run, function: Function) -> tuple[int, list[str], list[float]]:
    """How many requests were answered during ``RELOADS`` saves, what failed, seconds of a save."""
    answered: Counter[bytes] = Counter()
    failed: list[str] = []
    over = threading.Event()

    def ask() -> None:
        asking = Asking(run.port, function.name)
        while not over.is_set():
            try:
                status, body = asking.get()
            except (OSError, http.client.HTTPException) as error:
                failed.append(repr(error))
                asking = Asking(run.port, function.name)
                continue
            if status == http.client.OK:
                answered[body] += 1
            else:
                failed.append(f"{status} {body[:80]!r}")

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    took: list[float] = []
    try:
        for number in range(1, RELOADS + 1):
            began = time.perf_counter()
            word = function.save()
            _wait(lambda new=word: any(new in body for body in tuple(answered)))
            took.append(time.perf_counter() - began)
            # Spread over the run, whatever is faster.
            _wait(lambda least=REQUESTS * number // RELOADS: answered.total() >= least)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    return answered.total(), failed, took


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + PATIENCE
    while not condition():
        if time.perf_counter() > deadline:
            sys.exit("waited in vain for the new code")
        time.sleep(0.001)


def main() -> None:
    """Measure, print, write; exit with 1 where a goal is missed."""
    rounds, runtimes, engine = asked(__doc__)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with TemporaryDirectory(prefix="knlite-bench-") as place:
        ways = measured(Path(place), runtimes, rounds)
    for way in ways:
        if way.runtime == "docker":
            engine.images.remove(image(way.function.name), force=True)
    with TemporaryDirectory(prefix="knlite-bench-") as place:
        function = Function(Path(place), PARLIAMENT)
        with Run(Path(place), facts=False) as run:
            run.wait_until_settled(600)
            answered, failed, took = under_load(run, function)
    report(ways, rounds, answered, failed, took)
    missed = [way.name for way in ways if median(way.saved) > GOALS[way.runtime]]
    if missed or failed:
        sys.exit(f"missed: {', '.join(missed)} {failed[:3]}")


def report(
    ways: list[Way], rounds: int, answered: int, failed: list[str], took: list[float]
) -> None:
    """Print and write the results."""
    rows, data = [], {}
    for way in ways:
        floor, saved = summary(way.floor), summary(way.saved)
        cells = [f"{side[key] * 1000:.0f}" for side in (floor, saved) for key in ("median", "p95")]
        rows.append([way.name, *cells, f"{GOALS[way.runtime] * 1000:.0f}"])
        data[way.name] = {"floor": floor, "saved": saved, "samples": way.saved}
    load = summary(took)
    text = "\n\n".join(
        [
            f"{rounds} interleaved rounds; from a save to the last byte of the first answer of the"
            " new code. The floor is the function's runner, spawned without knlite and polled.",
            table(["way", "floor ms", "p95", "saved ms", "p95", "goal (median)"], rows),
            f"{answered} requests of {CLIENTS} clients during {RELOADS} saves: {len(failed)} failed"
            f"{f' {failed[:3]}' if failed else ''}; a save was live after"
            f" {load['median'] * 1000:.0f} ms (p95 {load['p95'] * 1000:.0f} ms).",
        ]
    )
    loaded = {"answered": answered, "failed": len(failed), **load}
    save("reload", "From a save to the first answer of the new code", text,
         {"rounds": rounds, "ways": data, "under load": loaded})  # fmt: skip


if __name__ == "__main__":
    main()
