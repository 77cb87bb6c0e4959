"""Events through brokers, beside posting them straight to the subscriber.

One sender, one subscriber, each a program of its own, on the same machine as knlite. Every round
takes all cases one after the other, so that a busy machine spoils all alike; what is told are
medians of the rounds, and ratios are those within a round. A rate counts from the first event sent
to the last one delivered. Delays are those at half that rate, from when an event was due to be sent
to its arrival at the subscriber.

RabbitMQ and Kafka have a floor of their own: the client library that knlite uses, with the promises
that it gives, on the same server and without knlite (``benchmarks/floors.py``).

    python -m benchmarks.events [--engine all|memory,sqlite,rabbitmq,kafka] [--seconds 4]
        [--rounds 3] [--quick]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Protocol
from urllib.request import urlopen

import uvloop

from benchmarks import run, servers
from benchmarks.cold_start import free_port
from benchmarks.eventsender import Sent, Target, send
from benchmarks.floors import Programs
from benchmarks.report import save, table
from benchmarks.servers import Place

CLASSES = {"memory": "MTChannelBasedBroker", "sqlite": "knlite.dev/SQLite", **servers.CLASSES}
FAN_OUTS = (10, 100)
SERVER_FAN_OUTS = (10,)
IDLE_TRIGGERS = 1000
SERVER_IDLE_TRIGGERS = 10
"""Each is a queue or a consumer group on the server; in Kafka every group reads every event."""
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
SHARE_GOAL = 0.6
"""Of the floor of the same server."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure; without an engine it is the floor of all."""

    engine: str
    triggers: int
    """That match."""
    idle: int
    """That do not match."""
    size: int
    programs: int = 0
    """Not 0: the floor of the engine's server, as so many programs."""

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
    parser.add_argument("--engine", default="memory,sqlite", help="all, or some of them")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a look: short, and nothing is saved")
    options = parser.parse_args()
    engines = list(CLASSES) if options.engine == "all" else options.engine.split(",")
    unknown = [name for name in engines if name not in CLASSES]
    if unknown:
        parser.error(f"there is no engine {unknown[0]!r}; there are {', '.join(CLASSES)}")
    seconds, rounds = (1.0, 1) if options.quick else (options.seconds, options.rounds)
    cases = list(_cases(engines))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="knlite-bench-")))
        port = stack.enter_context(_subscriber())
        places = stack.enter_context(servers.places(engines, folder))
        floors = {
            (case.engine, case.triggers, case.programs): stack.enter_context(_floor(case, places))
            for case in cases
            if case.programs and case.size == SMALL
        }
        services = folder / "services"
        services.mkdir()
        text = _manifests(cases, port, places)
        (services / "brokers.yaml").write_text(text, encoding="utf-8")
        data = ("--data-dir", str(folder / "data"))
        knlite = stack.enter_context(run.Run(services, *data, facts=False))
        knlite.wait_until_settled(PATIENCE)
        measured = _measure(cases, Machine(knlite, port, floors), seconds, rounds)
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
            on_server = engine in servers.CLASSES
            if on_server:
                yield Case(engine, 1, 0, size, programs=2)
                yield Case(engine, 1, 0, size, programs=1)
            yield Case(engine, 1, 0, size)
            yield Case(engine, 1, SERVER_IDLE_TRIGGERS if on_server else IDLE_TRIGGERS, size)
            for triggers in SERVER_FAN_OUTS if on_server else FAN_OUTS:
                if on_server:
                    yield Case(engine, triggers, 0, size, programs=1)
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
spec:
  config: {config}
---
"""
_TRIGGER = """apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: {broker}-{number}
  namespace: bench
  # The standard of all engines but RabbitMQ, where it is one after the other.
  annotations: {{rabbitmq.eventing.knative.dev/parallelism: "100"}}
spec:
  broker: {broker}
  filter: {{attributes: {{type: {type}}}}}
  subscriber: {{uri: "http://127.0.0.1:{port}/{number}"}}
---
"""


def _manifests(cases: Sequence[Case], port: int, places: Mapping[str, Place]) -> str:
    documents = {engine: place.manifests for engine, place in places.items()}
    for case in cases:
        if not case.engine or case.programs:
            continue
        config = places[case.engine].config if case.engine in places else "null"
        text = _BROKER.format(name=case.name, engine=CLASSES[case.engine], config=config)
        for number in range(case.triggers + case.idle):
            wanted = "wanted" if number < case.triggers else f"other-{number}"
            text += _TRIGGER.format(broker=case.name, number=number, type=wanted, port=port)
        documents[case.name] = text
    return "".join(documents.values())


def _floor(case: Case, places: Mapping[str, Place]) -> Programs:
    name = f"{case.name}-{case.programs}"
    address = places[case.engine].address
    return Programs(case.engine, address, name, case.triggers, two=case.programs == 2)


# Measuring.


@dataclass(frozen=True, slots=True)
class Machine:
    """What is running."""

    knlite: run.Run
    subscriber: int
    """Its port."""
    floors: Mapping[tuple[str, int, int], Programs]
    """By engine, triggers and number of programs."""


def _measure(
    cases: Sequence[Case], machine: Machine, seconds: float, rounds: int
) -> dict[Case, list[Measured]]:
    measured: dict[Case, list[Measured]] = {case: [] for case in cases}
    for number in range(rounds + 1):
        for case in cases:
            _say(f"round {number} of {rounds}: {_label(case)}, {case.size} B")
            # The first round warms up: connections, caches, files. A look waits for nobody.
            length = seconds if number else min(seconds, 0.5)
            result = _once(case, machine, length, 1.0 if rounds == 1 else 15.0)
            if number:
                measured[case].append(result)
    _say("")
    return measured


def _once(case: Case, machine: Machine, seconds: float, patience: float) -> Measured:
    way = _way(case, machine)
    run.settle(patience)
    used = sum(map(run.cpu_seconds, way.pids))
    sent, told = _sent(case, way, seconds, 0.0)
    used = sum(map(run.cpu_seconds, way.pids)) - used
    took = (told["last"] - sent.began) / 1e9
    events = sent.count / took
    run.settle(patience)
    _, paced = _sent(case, way, seconds, events / 2)
    return Measured(
        events=events,
        deliveries=events * case.triggers,
        p50=paced["p50"] / 1e6,
        p99=paced["p99"] / 1e6,
        refused=sent.refused,
        microseconds=used / sent.count * 1e6,
    )


def _way(case: Case, machine: Machine) -> "Way":
    if case.programs:
        return machine.floors[case.engine, case.triggers, case.programs]
    if case.engine:
        target = Target(machine.knlite.port, f"/ns/bench/brokers/{case.name}")
        return Http(target, machine.subscriber, [machine.knlite.pid])
    return Http(Target(machine.subscriber, "/"), machine.subscriber, [])


def _sent(case: Case, way: "Way", seconds: float, rate: float) -> tuple[Sent, Mapping[str, int]]:
    """Send, and wait until everything has been delivered."""
    sent = way.send(case.size, seconds, CONNECTIONS, rate)
    wanted = sent.count * case.triggers
    told = way.told(wanted)
    if told["count"] != wanted:
        sys.exit(f"{_label(case)}: {told['count']} deliveries of {wanted} wanted")
    return sent, told


class Way(Protocol):
    """How events go from a sender to a subscriber."""

    @property
    def pids(self) -> Sequence[int]:
        """Whose processor time counts."""

    def send(self, size: int, seconds: float, connections: int, rate: float) -> Sent:
        """Send events for *seconds*: as many as are accepted, or *rate* per second."""

    def told(self, wanted: int) -> Mapping[str, int]:
        """What has come, when *wanted* have or nothing comes any more; the next begins anew."""


@dataclass(frozen=True, slots=True)
class Http:
    """To the subscriber, straight or through knlite."""

    target: Target
    subscriber: int
    pids: Sequence[int]

    def send(self, size: int, seconds: float, connections: int, rate: float) -> Sent:
        return uvloop.run(send(self.target, size, seconds, connections=connections, rate=rate))

    def told(self, wanted: int) -> Mapping[str, int]:
        until = time.monotonic() + PATIENCE
        while int(_ask(self.subscriber, "/count")) < wanted and time.monotonic() < until:
            time.sleep(0.02)
        told: dict[str, int] = json.loads(_ask(self.subscriber, "/"))
        return told


def _ask(port: int, path: str) -> bytes:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        body: bytes = answer.read()
        return body


# Telling.


_DELAYS = ("p50 ms", "p99 ms")


def _text(measured: dict[Case, list[Measured]], seconds: float, rounds: int) -> str:
    about = (
        f"Medians of {rounds} rounds of {seconds:g} s; one sender with {CONNECTIONS} connections,"
        " one subscriber. Straight: the sender posts to the subscriber itself. Delays at half"
        " the rate; CPU is that of knlite for each event at full rate. Server: what its client"
        " library does without knlite, with the same promises, in one program as knlite is one; or"
        " in two, one for publishing and one for consuming."
    )
    pieces = [about]
    for size in (SMALL, LARGE):
        of_size = {case: results for case, results in measured.items() if case.size == size}
        floor = next(results for case, results in of_size.items() if not case.engine)
        heads = ("", "events/s", "x straight", "x server", "deliveries/s", *_DELAYS, "CPU us")
        rows = [_row(case, results, floor, of_size) for case, results in of_size.items()]
        pieces.append(f"{size} bytes:\n\n{table(heads, rows)}")
    pieces.append(_goals(measured))
    return "\n\n".join(pieces)


def _row(
    case: Case,
    results: list[Measured],
    floor: list[Measured],
    others: Mapping[Case, list[Measured]],
) -> tuple[str, ...]:
    server = others.get(replace(case, idle=0, programs=1)) if case.engine else None
    return (
        _label(case),
        f"{median(each.events for each in results):,.0f}",
        f"{_share(results, floor):.3f}",
        f"{_share(results, server):.2f}" if server else "",
        f"{median(each.deliveries for each in results):,.0f}",
        f"{median(each.p50 for each in results):.2f}",
        f"{median(each.p99 for each in results):.2f}",
        f"{median(each.microseconds for each in results):.0f}" if case.engine else "",
    )


def _share(results: list[Measured], floor: list[Measured]) -> float:
    return median(_shares(results, floor))


def _shares(results: list[Measured], floor: list[Measured]) -> list[float]:
    return [a.events / b.events for a, b in zip(results, floor, strict=True)]


def _goals(measured: dict[Case, list[Measured]]) -> str:
    rows = list(_server_goals(measured))
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


def _server_goals(measured: dict[Case, list[Measured]]) -> Iterator[tuple[str, str, str]]:
    for case, floor in measured.items():
        if case.programs:
            shares = _shares(measured[replace(case, programs=0)], floor)
            spread = f"{median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f})"
            is_goal = case.size == SMALL and case.programs == 1
            goal = f"at least {SHARE_GOAL:g}" if is_goal else ""
            yield f"x {_label(case)}, {case.size:,} B", goal, spread


def _label(case: Case) -> str:
    if not case.engine:
        return "straight"
    triggers = f"{case.triggers} trigger{'' if case.triggers == 1 else 's'}"
    idle = f" beside {case.idle:,} that do not match" if case.idle else ""
    if case.programs:
        programs = "one program" if case.programs == 1 else "two programs"
        return f"{case.engine} without knlite, {triggers}, {programs}"
    return f"{case.engine}, {triggers}{idle}"


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
