"""What it costs to look: warm requests with the console open and without, and how soon it is seen.

Each round takes every way to look, one after the other, so that a busy machine spoils all alike;
what is told are medians of the rounds. A browser on the same machine takes processor time from
whatever else runs there, so what knlite itself takes for a request, and what the browser takes, are
told beside the rate. Each look begins a second before it is measured, as a page is opened once and
looked at for long. Needs wrk, Chromium, and the console built (make console).

    python -m benchmarks.console [--seconds 5] [--rounds 5] [--quick]
"""

import argparse
import gzip
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, sync_playwright

from benchmarks import instance, run, wrk
from benchmarks.report import save, table
from knlite.console.page import STATIC

CONNECTIONS = 16
PATIENCE = 60.0
PAINTS = 5
TOPICS = "graph,instances,load,flow,requests,events,logs,notices,objects"
FALL_GOAL, PAINT_GOAL, SIZE_GOAL = 5.0, 1.0, 400_000
"""Percent of the rate, seconds, bytes: at most."""
FIRST_PAINT = """() => new Promise((done) => new PerformanceObserver((list) =>
    list.getEntriesByName("first-contentful-paint").forEach((each) => done(each.startTime))
).observe({type: "paint", buffered: true}))"""


@dataclass(frozen=True, slots=True)
class Look:
    """One run of requests while somebody looks, or nobody."""

    rate: float
    """Requests per second."""
    p50: float
    """Milliseconds."""
    cost: float
    """Microseconds of processor time that knlite took for a request."""
    browser: float
    """Processors that the browser kept busy."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="of each run of wrk")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a look: short, and nothing is saved")
    options = parser.parse_args()
    wrk.require()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed: apt-get install chromium (Debian)")
    if not (STATIC / "index.html").exists():
        sys.exit("the console was not built: make console")
    seconds, rounds = (2, 2) if options.quick else (options.seconds, options.rounds)
    with tempfile.TemporaryDirectory(prefix="knlite-bench-") as name:
        services = Path(name)
        (services / "services.yaml").write_text(
            instance.service(instance.HELLO, instance.hello_command(services), instances=1),
            encoding="utf-8",
        )
        with (
            run.Run(services, facts=False) as knlite,
            sync_playwright() as playwright,
            playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser,
        ):
            knlite.wait_until_settled(PATIENCE)
            looks = _looks(knlite, browser, seconds, rounds)
            paints = _paints(knlite, browser)
    sizes = _sizes()
    text = _text(looks, paints, sizes, seconds, rounds)
    if options.quick:
        print(text)
        return
    data = {
        "seconds": seconds,
        "rounds": rounds,
        "looks": {way: [asdict(each) for each in found] for way, found in looks.items()},
        "first_contentful_paint": paints,
        "gzipped": sizes,
    }
    save("console", "The console open", text, data)


def _looks(knlite: run.Run, browser: Browser, seconds: int, rounds: int) -> dict[str, list[Look]]:
    address = f"http://127.0.0.1:{knlite.admin_port}/"
    ways: dict[str, Callable[[], AbstractContextManager[object]]] = {
        "nobody": nullcontext,
        "the feed, read by a program": lambda: _reading(address),
        "Map": lambda: _open(browser, address + "#/map"),
        "Requests": lambda: _open(browser, address + "#/requests"),
    }
    looks: dict[str, list[Look]] = {way: [] for way in ways}
    _requests(knlite, 1)
    for _ in range(rounds):
        for way, looking in ways.items():
            with looking():
                _requests(knlite, 1)
                looks[way].append(_requests(knlite, seconds))
    return looks


def _requests(knlite: run.Run, seconds: int) -> Look:
    before, browser = run.cpu_seconds(knlite.pid), _browser_seconds()
    measured = wrk.run(knlite.port, CONNECTIONS, seconds, host=instance.host(instance.HELLO))
    spent = run.cpu_seconds(knlite.pid) - before
    return Look(
        measured.rate,
        measured.p50,
        1e6 * spent / (measured.rate * seconds),
        (_browser_seconds() - browser) / seconds,
    )


def _browser_seconds() -> float:
    """Processor time of all processes of the browser that this one has started."""
    return sum(run.cpu_seconds(pid) for pid in _descendants(os.getpid()) if "chrom" in _name(pid))


def _descendants(pid: int) -> Iterator[int]:
    for child in run.children(pid):
        yield child
        yield from _descendants(child)


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8")


@contextmanager
def _open(browser: Browser, address: str) -> Iterator[None]:
    """A page of the console, which follows what happens."""
    page = browser.new_page()
    try:
        page.goto(address)
        page.get_by_role("status").filter(has_text="Live").wait_for()
        yield
    finally:
        page.close()


@contextmanager
def _reading(address: str) -> Iterator[None]:
    """All topics of the feed, read as fast as they come and not looked at."""
    answer = urlopen(Request(f"{address}knlite/live?topics={TOPICS}"), timeout=PATIENCE)
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set() and answer.read1(65536):
            pass

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        # A comment comes when nothing else does, so the reader ends by itself.
        thread.join(PATIENCE)
        answer.close()


def _paints(knlite: run.Run, browser: Browser) -> list[float]:
    """Seconds until something is seen, with nothing in the browser's cache."""
    found = []
    for _ in range(PAINTS):
        page = browser.new_context().new_page()
        page.goto(f"http://127.0.0.1:{knlite.admin_port}/")
        found.append(page.evaluate(FIRST_PAINT) / 1000)
        page.context.close()
    return found


def _sizes() -> dict[str, int]:
    """Bytes of each built file, as they are sent."""
    return {
        path.name: len(gzip.compress(path.read_bytes(), 9))
        for path in sorted(STATIC.rglob("*"))
        if path.is_file()
    }


def _text(
    looks: dict[str, list[Look]],
    paints: list[float],
    sizes: dict[str, int],
    seconds: int,
    rounds: int,
) -> str:
    nobody = looks["nobody"]
    rows = []
    for way, found in looks.items():
        falls = [
            100 * (1 - each.rate / base.rate) for each, base in zip(found, nobody, strict=True)
        ]
        dearer = [
            100 * (each.cost / base.cost - 1) for each, base in zip(found, nobody, strict=True)
        ]
        rows.append(
            (
                way,
                f"{median(each.rate for each in found):,.0f}",
                f"{median(falls):.1f} %",
                f"{median(each.p50 for each in found):.2f} ms",
                f"{median(each.cost for each in found):.1f} µs",
                f"{median(dearer):.1f} %",
                f"{median(each.browser for each in found):.2f}",
            )
        )
    heads = ("looks", "requests/s", "fewer", "p50", "knlite's time", "more", "browser's processors")
    whole = sum(sizes.values())
    return "\n\n".join(
        (
            f"{CONNECTIONS} connections, {rounds} rounds of {seconds} s each; goal: at most"
            f" {FALL_GOAL:g} % fewer.",
            table(heads, rows),
            f"First contentful paint: {median(paints):.2f} s (goal: {PAINT_GOAL:g} s)."
            f" All files, gzipped: {whole:,} bytes (goal: {SIZE_GOAL:,}).",
        )
    )


if __name__ == "__main__":
    main()
