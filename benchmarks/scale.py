"""What thousands of services at zero cost: their start, memory, idling, and each request.

For each number of services, knlite is started once; the time counts from spawning it until it has
said that every service is ready. Then the smallest and the largest number run side by side, and
short runs of requests to one service of each alternate. The routing table is also asked alone.

    python -m benchmarks.scale [--counts 10,100,1000,10000] [--seconds 2] [--rounds 10] [--quick]
"""

import argparse
import http.client
import math
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import instance, run, wrk
from benchmarks.report import RESULTS, machine, save, table
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.ingress import Ingress, IngressSpec, Rule, Split
from knlite.serving.routing import RoutingTable
from knlite.serving.routingtable import routing_table

COUNTS = (10, 100, 1000, 10_000)
PER_FILE = 1000
"""Services in one file; a file may not be larger than 3 MB."""
PATIENCE = 600.0
SETTLING = 3.0
"""Seconds after the last service is ready that are not counted as idle."""
ALLOW_ZERO = ("--set", "config-autoscaler.allow-zero-initial-scale=true")
DIFFERENCE_GOAL = 5.0
"""Per cent between the smallest and the largest number of services."""
LOOKUPS, LOOKUP_ROUNDS = 100_000, 15


@dataclass(frozen=True, slots=True)
class Grown:
    """One start with *count* services; seconds, bytes, per cent of a core."""

    count: int
    start: float
    memory: int
    idle_cpu: float


@dataclass(frozen=True, slots=True)
class Pair:
    """The few and the many, one right after the other."""

    few: wrk.Measured
    many: wrk.Measured


@dataclass(frozen=True, slots=True)
class Lookup:
    """Nanoseconds for asking a table of *count* services, as the gateway does."""

    count: int
    one_host: float
    """The same host again and again."""
    any_host: float
    """Hosts of all services, in no order."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--counts", type=_counts, default=COUNTS, help="numbers of services")
    parser.add_argument("--seconds", type=int, default=2, help="of each run of wrk")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--idle", type=float, default=10.0, help="seconds of idling")
    parser.add_argument("--quick", action="store_true", help="a look: short, and nothing is saved")
    options = parser.parse_args()
    wrk.require()
    counts, seconds, rounds, idle = options.counts, options.seconds, options.rounds, options.idle
    if options.quick:
        counts, seconds, rounds, idle = (10, 100, 1000), 1, 3, 2.0
    with tempfile.TemporaryDirectory(prefix="knlite-bench-") as name:
        folders = {count: _manifests(Path(name) / str(count), count) for count in counts}
        grown = [_grown(folder, count, idle) for count, folder in folders.items()]
        few, many = min(counts), max(counts)
        pairs = _side_by_side(folders[few], few, folders[many], many, seconds, rounds)
    lookups = _lookups(counts)
    text = _text(grown, pairs, lookups, seconds)
    if options.quick:
        print(text)
        return
    data: dict[str, Any] = {
        "grown": [asdict(each) for each in grown],
        "exponents": _exponents(grown),
        "pairs": [asdict(each) for each in pairs],
        "lookups": [asdict(each) for each in lookups],
    }
    save("scale", "Thousands of services", text, data)
    _plot(grown)


def _counts(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(word) for word in text.split(",")))


def _manifests(folder: Path, count: int) -> Path:
    """A folder with *count* services at zero that all run the same command."""
    folder.mkdir()
    command = instance.hello_command(folder)
    for first in range(0, count, PER_FILE):
        services = (
            instance.service(_name(index), command, instances=0)
            for index in range(first, min(count, first + PER_FILE))
        )
        file = folder / f"services-{first:05d}.yaml"
        file.write_text("".join(services), encoding="utf-8")
    return folder


def _name(index: int) -> str:
    return f"service-{index:05d}"


def _grown(folder: Path, count: int, idle: float) -> Grown:
    with run.Run(folder, *ALLOW_ZERO) as knlite:
        start = knlite.wait_until_ready(count, PATIENCE)
        time.sleep(SETTLING)
        before = run.cpu_seconds(knlite.pid)
        time.sleep(idle)
        used = run.cpu_seconds(knlite.pid) - before
        grown = Grown(count, start, run.memory(knlite.pid), used / idle * 100)
    _progress(f"{count} services: {start:.1f} s")
    return grown


def _side_by_side(
    few_folder: Path, few: int, many_folder: Path, many: int, seconds: int, rounds: int
) -> list[Pair]:
    """Requests over one connection to one service, among *few* and among *many*."""
    with (
        run.Run(few_folder, *ALLOW_ZERO, facts=False) as among_few,
        run.Run(many_folder, *ALLOW_ZERO, facts=False) as among_many,
    ):
        among_few.wait_until_settled(PATIENCE)
        among_many.wait_until_settled(PATIENCE)
        time.sleep(SETTLING)
        targets = [(among_few.port, _name(few // 2)), (among_many.port, _name(many // 2))]
        for port, name in targets:
            _wake(port, name)
            wrk.run(port, 1, 1, host=instance.host(name))
        pairs = []
        for index in range(rounds):
            # Whoever comes second finds another machine than the first: they take turns.
            order = targets if index % 2 == 0 else targets[::-1]
            found = {
                port: wrk.run(port, 1, seconds, host=instance.host(name)) for port, name in order
            }
            pairs.append(Pair(found[among_few.port], found[among_many.port]))
            _progress(f"{index + 1}/{rounds} rounds")
        return pairs


def _wake(port: int, name: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/", headers={"Host": instance.host(name)})
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    connection.close()
    if answer.status != http.client.OK:
        sys.exit(f"{name} answered {answer.status}: {text}")


def _lookups(counts: Sequence[int]) -> list[Lookup]:
    """The best of some rounds, as anything else is the machine's business."""
    draw = random.Random(1)
    best: dict[tuple[int, str], float] = {}
    tables = []
    for count in counts:
        routes = routing_table((_ingress(_name(index)) for index in range(count)), {}, {}, ())
        hosts = [instance.host(_name(index)).encode() for index in range(count)]
        tables.append((count, "one", routes, [hosts[count // 2]] * LOOKUPS))
        tables.append((count, "any", routes, [draw.choice(hosts) for _ in range(LOOKUPS)]))
    for _ in range(LOOKUP_ROUNDS):
        for count, which, routes, hosts in tables:
            took = _nanoseconds(routes, hosts)
            best[count, which] = min(took, best.get((count, which), took))
    return [Lookup(count, best[count, "one"], best[count, "any"]) for count in counts]


def _ingress(name: str) -> Ingress:
    split = Split(service_namespace="bench", service_name=f"{name}-00001", percent=100)
    local = (f"{name}.bench", f"{name}.bench.svc", f"{name}.bench.svc.cluster.local")
    rules = (
        Rule(hosts=local, visibility="ClusterLocal", splits=(split,)),
        Rule(hosts=(instance.host(name),), visibility="ExternalIP", splits=(split,)),
    )
    return Ingress(metadata=ObjectMeta(name=name, namespace="bench"), spec=IngressSpec(rules=rules))


def _nanoseconds(routes: RoutingTable, hosts: Sequence[bytes]) -> float:
    find = routes.find
    began = time.perf_counter()
    for host in hosts:
        find(host)
    return (time.perf_counter() - began) / len(hosts) * 1e9


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text} ")
        sys.stderr.flush()


def _exponents(grown: Sequence[Grown]) -> dict[str, float]:
    """How start and memory grow between the two largest numbers: 1 is linear, 2 quadratic."""
    if len(grown) < 2:
        return {}
    less, more = grown[-2:]
    times = math.log(more.count / less.count)
    return {
        "start": math.log(more.start / less.start) / times,
        "memory": math.log(more.memory / less.memory) / times,
    }


def _text(
    grown: Sequence[Grown], pairs: Sequence[Pair], lookups: Sequence[Lookup], seconds: int
) -> str:
    rows = [
        [
            f"{each.count:,}",
            f"{each.start:.2f} s",
            f"{each.start / each.count * 1000:.2f} ms",
            f"{each.memory / 1e6:.0f} MB",
            f"{each.idle_cpu:.2f} %",
        ]
        for each in grown
    ]
    few, many = grown[0].count, grown[-1].count
    exponents = ", ".join(f"{name} {value:.2f}" for name, value in _exponents(grown).items())
    # By round, as only what is measured side by side can be compared.
    p50 = median((pair.many.p50 / pair.few.p50 - 1) * 100 for pair in pairs)
    rate = median((pair.few.rate / pair.many.rate - 1) * 100 for pair in pairs)
    alone = (lookups[-1].one_host / lookups[0].one_host - 1) * 100
    goal = f"<= {DIFFERENCE_GOAL:g} %"
    heads = ["request to one service", f"{few:,} services", f"{many:,} services", "more", "goal"]
    routing = [
        [
            "requests/s at 1 connection",
            f"{median(pair.few.rate for pair in pairs):,.0f}",
            f"{median(pair.many.rate for pair in pairs):,.0f}",
            f"{rate:+.1f} %",
            f"{goal}: {_met(rate)}",
        ],
        [
            "p50 at 1 connection",
            f"{median(pair.few.p50 for pair in pairs) * 1000:.0f} µs",
            f"{median(pair.many.p50 for pair in pairs) * 1000:.0f} µs",
            f"{p50:+.1f} %",
            f"{goal}: {_met(p50)}",
        ],
        [
            "routing table alone",
            f"{lookups[0].one_host:.0f} ns",
            f"{lookups[-1].one_host:.0f} ns",
            f"{alone:+.1f} %",
            f"{goal}: {_met(alone)}",
        ],
        [
            "the same, hosts in no order",
            f"{lookups[0].any_host:.0f} ns",
            f"{lookups[-1].any_host:.0f} ns",
            f"{(lookups[-1].any_host / lookups[0].any_host - 1) * 100:+.1f} %",
            "",
        ],
    ]
    errors = sum(pair.few.errors + pair.many.errors for pair in pairs)
    return "\n\n".join(
        [
            "Services at zero, from the start of the program until all are ready:",
            table(["services", "ready after", "for each", "memory (RSS)", "idle CPU"], rows),
            f"Exponents of growth between the two largest numbers (1 is linear): {exponents}.",
            f"Side by side, {len(pairs)} rounds of {seconds} s in turns, medians; "
            f'"more" is the median of the rounds\' differences; {errors} errors:',
            table(heads, routing),
        ]
    )


def _met(difference: float) -> str:
    return "met" if difference <= DIFFERENCE_GOAL else "NOT met"


def _plot(grown: Sequence[Grown]) -> None:
    """Start and memory over the number of services, both axes logarithmic."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    counts = [each.count for each in grown]
    exponents = _exponents(grown)
    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    for axis, name, unit, values in (
        (axes[0], "start", "s until all are ready", [each.start for each in grown]),
        (axes[1], "memory", "MB (RSS)", [each.memory / 1e6 for each in grown]),
    ):
        axis.loglog(counts, values, "o-", label="measured")
        linear = [values[-1] * count / counts[-1] for count in counts]
        axis.loglog(counts, linear, ":", color="grey", label="linear")
        axis.set_xlabel("services")
        axis.set_ylabel(unit)
        axis.set_title(f"{name}: exponent {exponents.get(name, math.nan):.2f}")
        axis.legend()
    figure.suptitle(f"Services at zero, {machine()['machine']}", fontsize=9)
    figure.tight_layout()
    figure.savefig(RESULTS / "scale.png", dpi=120)


if __name__ == "__main__":
    main()
