"""From a save to the first answer of the new code, and requests that fail while code is saved.

A file is saved as editors do it (beside its place, then renamed into it), and the service is asked
over and over until it answers with what was saved. The clock runs from before the write.

    python -m benchmarks.reload [--docker] [--saves 20]
"""

import argparse
import http.client
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.functions import FASTAPI, project, service
from benchmarks.report import percentile_95, save, summary, table
from benchmarks.run import Run

GOALS = {"process": 0.7, "docker": 3.0}
"""Seconds from a save to the first new answer, at the median."""
REQUESTS, RELOADS, CLIENTS = 5000, 20, 8
PATIENCE = 60.0

PLAIN = 'def main(context):\n    return "{body}", 200\n'
_FUNC = "name: {name}\nruntime: python\nimage: benchmark.local/{name}:latest\n"


class Function:
    """A function of which each save has an answer of its own."""

    def __init__(self, folder: Path, name: str, kind: str) -> None:
        self.name = name
        self.saved = 0
        if kind == FASTAPI:
            self._file = project(folder, name, FASTAPI) / "function" / "func.py"
            self._text = self._file.read_text(encoding="utf-8").replace('"hello"', '"{body}"')
            self._text = self._text.replace("{body}", "\0").replace("{", "{{").replace("}", "}}")
            self._text = self._text.replace("\0", "{body}")
        else:
            self._file = folder / name / "func.py"
            self._file.parent.mkdir()
            (folder / name / "func.yaml").write_text(_FUNC.format(name=name), encoding="utf-8")
            self._text = PLAIN
            self.save()
        service(folder, name)

    def save(self) -> bytes:
        """Save it once more; what it answers from now on, or a part of that."""
        self.saved += 1
        body = f"save {self.saved}."
        beside = self._file.with_name(f".{self._file.name}.tmp")
        beside.write_text(self._text.format(body=body), encoding="utf-8")
        beside.rename(self._file)
        return body.encode()


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

    def until(self, body: bytes) -> None:
        """Ask until *body* is in an answer."""
        deadline = time.perf_counter() + PATIENCE
        while body not in self.get()[1]:
            if time.perf_counter() > deadline:
                sys.exit(f"{body!r} was never answered")


def saves(run: Run, function: Function, count: int) -> list[float]:
    """Seconds from each of *count* saves to the first new answer; the first is not counted."""
    asking = Asking(run.port, function.name)
    asking.get()
    found: list[float] = []
    for _ in range(count + 1):
        began = time.perf_counter()
        asking.until(function.save())
        found.append(time.perf_counter() - began)
        time.sleep(0.2)
    return found[1:]


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
    for number in range(1, RELOADS + 1):
        began = time.perf_counter()
        _wait_for(answered, function.save())
        took.append(time.perf_counter() - began)
        # Spread over the run, whatever is faster.
        _wait_for_total(answered, REQUESTS * number // RELOADS)
    over.set()
    for thread in threads:
        thread.join()
    return answered.total(), failed, took


def _wait_for(answered: Counter[bytes], body: bytes) -> None:
    _wait(lambda: bool(answered[body]))


def _wait_for_total(answered: Counter[bytes], least: int) -> None:
    _wait(lambda: answered.total() >= least)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + PATIENCE
    while not condition():
        if time.perf_counter() > deadline:
            sys.exit("waited in vain for the new code")
        time.sleep(0.001)


def main() -> None:
    """Print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docker", action="store_true", help="Measure containers, too.")
    parser.add_argument("--saves", type=int, default=20)
    asked = parser.parse_args()
    ways = [("process", "plain", ()), ("process", FASTAPI, ()),
            ("process", "plain", ("--reload", "in-place"))]  # fmt: skip
    if asked.docker:
        ways += [("docker", "plain", ())]
    rows, data, missed = [], {}, []
    for runtime, kind, options in ways:
        with TemporaryDirectory() as place:
            function = Function(Path(place), "reload", kind)
            with Run(Path(place), *options, facts=False, runtime=runtime) as run:
                run.wait_until_settled(600)
                took = saves(run, function, asked.saves)
        name = " ".join((runtime, kind, *options))
        rows.append((name, _ms(summary(took)["median"]), _ms(percentile_95(took))))
        data[name] = summary(took)
        if summary(took)["median"] > GOALS[runtime]:
            missed.append(name)
    text = table(("save to first new answer", "p50", "p95"), rows)
    with TemporaryDirectory() as place:
        function = Function(Path(place), "reload", "plain")
        with Run(Path(place), facts=False) as run:
            run.wait_until_settled(600)
            answered, failed, took = under_load(run, function)
    text += (
        f"\n\n{answered} requests of {CLIENTS} clients during {RELOADS} saves: {len(failed)} failed"
        f" {failed[:3] if failed else ''}; a save was live after {_ms(summary(took)['median'])}"
        f" (p95 {_ms(percentile_95(took))})."
    )
    data["under load"] = {"answered": answered, "failed": len(failed), **summary(took)}
    save("reload", "From a save to the first answer of the new code", text, data)
    if missed or failed:
        sys.exit(f"missed: {', '.join(missed)} {failed[:3]}")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


if __name__ == "__main__":
    main()
