"""Events through brokers, beside posting them straight to the subscriber.

One sender, one subscriber, each a program of its own, on the same machine as knlite. Every round
takes all cases one after the other, so that a busy machine spoils all alike; what is told are
medians of the rounds, and ratios are those within a round. A rate counts from the first event sent
to the last one delivered. Delays are those at half that rate, from when an event was due to be sent
to its arrival at the subscriber.

    python -m benchmarks.events [--engine memory,sqlite] [--seconds 4] [--rounds 3] [--quick]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from urllib.request import urlopen

import uvloop

from benchmarks import run
from benchmarks.cold_start import free_port
from benchmarks.eventsender import Sent, Target, send
from benchmarks.report import save, table

CLASSES = {"memory": "MTChannelBasedBroker", "sqlite": "knlite.dev/SQLite"}
FAN_OUTS = (10, 100)
IDLE_TRIGGERS = 1000
SMALL, LARGE = 200, 64 * 1024
CONNECTIONS = 32
"""At once, as an HTTP client of a busy service keeps them."""
PATIENCE = 120.0
GOALS = {"memory": 6000.0, "sqlite": 4000.0}
"""Events per second through one trigger, of 200 bytes."""
DELAY_GOAL = 50.0
"""Milliseconds, the 99th percentile."""
IDLE_GOAL = 10.0
"""Percent that triggers which do not match may cost."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure; without an engine it is the floor."""

    engine: str
    triggers: int
    """That match."""
    idle: int
    """That do not match."""
    size: int

    @property
    def name(self) -> str:
        """Its broker's."""
        return f"{self.engine}-{self.triggers}-{self.idle}"


@dataclass(frozen=True, slots=True)
class Measured:
    """One case in one round."""

    events: float
    """Per second."""
    deliveries: float
    """Per second."""
    p50: float
    """Milliseconds."""
    p99: float
    refused: int
    """Times that the broker asked to send an event again later."""
    microseconds: float
    """Processor time of knlite for each event."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.events", description=__doc__)
    parser.add_argument("--engine", default="memory,sqlite", help="memory, sqlite, or both")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a look: short, and nothing is saved")
    options = parser.parse_args()
    engines = [name for name in options.engine.split(",") if name]
    unknown = [name for name in engines if name not in CLASSES]
    if unknown:
        parser.error(f"there is no engine {unknown[0]!r}; there are {', '.join(CLASSES)}")
    seconds, rounds = (1.0, 1) if options.quick else (options.seconds, options.rounds)
    cases = list(_cases(engines))
    with tempfile.TemporaryDirectory(prefix="knlite-bench-") as name, _subscriber() as port:
        folder = Path(name)
        services = folder / "services"
        services.mkdir()
        (services / "brokers.yaml").write_text(_manifests(cases, port), encoding="utf-8")
        data = ("--data-dir", str(folder / "data"))
        with run.Run(services, *data, facts=False) as knlite:
            knlite.wait_until_settled(PATIENCE)
            measured = _measure(cases, knlite, port, seconds, rounds)
    text = _text(measured, seconds, rounds)
    if options.quick:
        print(text)
        return
    results = [
        {"case": asdict(case), "rounds": [asdict(each) for each in of_case]}
        for case, of_case in measured.items()
    ]
    save("events", "Events", text, {"seconds": seconds, "rounds": rounds, "results": results})


def _cases(engines: Sequence[str]) -> Iterator[Case]:
    for size in (SMALL, LARGE):
        yield Case("", 1, 0, size)
        for engine in engines:
            # Compared with the one before, so it comes right after it, on a file as full.
            yield Case(engine, 1, 0, size)
            yield Case(engine, 1, IDLE_TRIGGERS, size)
            for triggers in FAN_OUTS:
                yield Case(engine, triggers, 0, size)


# What runs.


@contextmanager
def _subscriber() -> Iterator[int]:
    """A subscriber; yields its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.subscriber", str(port)])
    try:
        until = time.monotonic() + 10
        while True:
            try:
                _ask(port, "/count")
                break
            except OSError:
                if time.monotonic() > until:
                    sys.exit("the subscriber did not start")
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(10)


_BROKER = """apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: {name}
  namespace: bench
  annotations: {{eventing.knative.dev/broker.class: {engine}}}
---
"""
_TRIGGER = """apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {{name: {broker}-{number}, namespace: bench}}
spec:
  broker: {broker}
  filter: {{attributes: {{type: {type}}}}}
  subscriber: {{uri: "http://127.0.0.1:{port}/{number}"}}
---
"""


def _manifests(cases: Sequence[Case], port: int) -> str:
    documents: dict[str, str] = {}
    for case in cases:
        if not case.engine:
            continue
        text = _BROKER.format(name=case.name, engine=CLASSES[case.engine])
        for number in range(case.triggers + case.idle):
            wanted = "wanted" if number < case.triggers else f"other-{number}"
            text += _TRIGGER.format(broker=case.name, number=number, type=wanted, port=port)
        documents[case.name] = text
    return "".join(documents.values())


# Measuring.


def _measure(
    cases: Sequence[Case], knlite: run.Run, port: int, seconds: float, rounds: int
) -> dict[Case, list[Measured]]:
    measured: dict[Case, list[Measured]] = {case: [] for case in cases}
    for number in range(rounds + 1):
        for case in cases:
            _say(f"round {number} of {rounds}: {_label(case)}, {case.size} B")
            # The first round warms up: connections, caches, files.
            length = seconds if number else min(seconds, 0.5)
            result = _once(case, knlite, port, length)
            if number:
                measured[case].append(result)
    _say("")
    return measured


def _once(case: Case, knlite: run.Run, port: int, seconds: float) -> Measured:
    if case.engine:
        target = Target(knlite.port, f"/ns/bench/brokers/{case.name}")
    else:
        target = Target(port, "/")
    _ask(port, "/")
    run.settle()
    used = run.cpu_seconds(knlite.pid)
    sent, told = _sent(case, target, port, seconds, 0.0)
    used = run.cpu_seconds(knlite.pid) - used
    took = (told["last"] - sent.began) / 1e9
    events = sent.count / took
    run.settle()
    _, paced = _sent(case, target, port, seconds, events / 2)
    return Measured(
        events=events,
        deliveries=events * case.triggers,
        p50=paced["p50"] / 1e6,
        p99=paced["p99"] / 1e6,
        refused=sent.refused,
        microseconds=used / sent.count * 1e6,
    )


def _sent(
    case: Case, target: Target, port: int, seconds: float, rate: float
) -> tuple[Sent, dict[str, int]]:
    """Send, and wait until everything has been delivered."""
    sent = uvloop.run(send(target, case.size, seconds, connections=CONNECTIONS, rate=rate))
    wanted = sent.count * case.triggers
    until = time.monotonic() + PATIENCE
    while int(_ask(port, "/count")) < wanted:
        if time.monotonic() > until:
            sys.exit(f"{_label(case)}: {_ask(port, '/count').decode()} of {wanted} delivered")
        time.sleep(0.02)
    told: dict[str, int] = json.loads(_ask(port, "/"))
    if told["count"] != wanted:
        sys.exit(f"{_label(case)}: {told['count']} deliveries of {wanted} events")
    return sent, told


def _ask(port: int, path: str) -> bytes:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        body: bytes = answer.read()
        return body


# Telling.


def _text(measured: dict[Case, list[Measured]], seconds: float, rounds: int) -> str:
    about = (
        f"Medians of {rounds} rounds of {seconds:g} s; one sender with {CONNECTIONS} connections,"
        " one subscriber. Straight: the sender posts to the subscriber itself. Delays at half"
        " the rate; CPU is that of knlite for each event at full rate."
    )
    pieces = [about]
    for size in (SMALL, LARGE):
        of_size = {case: results for case, results in measured.items() if case.size == size}
        floor = next(results for case, results in of_size.items() if not case.engine)
        heads = ("", "events/s", "x straight", "deliveries/s", "p50 ms", "p99 ms", "CPU us")
        rows = [_row(case, results, floor) for case, results in of_size.items()]
        pieces.append(f"{size} bytes:\n\n{table(heads, rows)}")
    pieces.append(_goals(measured))
    return "\n\n".join(pieces)


def _row(case: Case, results: list[Measured], floor: list[Measured]) -> tuple[str, ...]:
    ratio = median(a.events / b.events for a, b in zip(results, floor, strict=True))
    return (
        _label(case),
        f"{median(each.events for each in results):,.0f}",
        f"{ratio:.3f}",
        f"{median(each.deliveries for each in results):,.0f}",
        f"{median(each.p50 for each in results):.2f}",
        f"{median(each.p99 for each in results):.2f}",
        f"{median(each.microseconds for each in results):.0f}" if case.engine else "",
    )


def _goals(measured: dict[Case, list[Measured]]) -> str:
    rows = []
    for engine, goal in GOALS.items():
        alone = measured.get(Case(engine, 1, 0, SMALL))
        beside = measured.get(Case(engine, 1, IDLE_TRIGGERS, SMALL))
        if not alone or not beside:
            continue
        events = median(each.events for each in alone)
        rows.append((f"{engine}: events/s", f"at least {goal:,.0f}", f"{events:,.0f}"))
        p99 = median(each.p99 for each in alone)
        rows.append((f"{engine}: p99 ms at half the rate", f"under {DELAY_GOAL:g}", f"{p99:.2f}"))
        cost = median(
            (a.microseconds / b.microseconds - 1) * 100 for a, b in zip(beside, alone, strict=True)
        )
        slower = median((1 - a.events / b.events) * 100 for a, b in zip(beside, alone, strict=True))
        rows.append(
            (
                f"{engine}: {IDLE_TRIGGERS:,} triggers that do not match cost",
                f"under {IDLE_GOAL:g} %",
                f"{slower:+.1f} % events/s, {cost:+.1f} % CPU",
            )
        )
    return table(("", "goal", "measured"), rows)


def _label(case: Case) -> str:
    if not case.engine:
        return "straight"
    triggers = f"{case.triggers} trigger{'' if case.triggers == 1 else 's'}"
    idle = f" beside {case.idle:,} that do not match" if case.idle else ""
    return f"{case.engine}, {triggers}{idle}"


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
