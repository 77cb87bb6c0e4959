"""The Kubernetes API with many services: each verb, watches under load, and kubectl itself.

knlite is started with services at zero. Each round asks every verb once, in turns with ``/livez``,
which costs what the HTTP server alone costs. Then some clients watch all services while others are
changed at a steady rate; what a watcher sees is compared with what the writer was answered, update
by update. In the end the real kubectl lists them all.

    python -m benchmarks.api [--services 1000] [--rounds 300] [--rate 100] [--seconds 30] [--quick]
"""

import argparse
import http.client
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks import instance, run
from benchmarks.report import save, table

SERVICES = "/apis/serving.knative.dev/v1/namespaces/bench/services"
AS_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
MERGE = "application/merge-patch+json"
SEQUENCE = "bench.knlite.dev/sequence"
ALLOW_ZERO = ("--set", "config-autoscaler.allow-zero-initial-scale=true")
P99_GOAL, LIST_GOAL = 0.020, 1.0
WATCHERS = 4
KUBECTL_RUNS = 10
BETWEEN = 0.02
"""Seconds between two requests."""
PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Verb:
    """Seconds of each request of one kind."""

    name: str
    seconds: Sequence[float]


@dataclass(slots=True)
class Watched:
    """What one watcher has seen: (resourceVersion, sequence, moment), in the order of arrival."""

    form: str
    events: list[tuple[int, int, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Watching:
    """One watcher's account. *lags* are seconds from the write's answer to the event."""

    form: str
    seen: int
    lost: int
    reordered: int
    lags: Sequence[float]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description=__doc__)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--rate", type=float, default=100.0, help="updates per second")
    parser.add_argument("--seconds", type=float, default=30.0, help="of updates")
    parser.add_argument("--quick", action="store_true", help="a look: short, and nothing is saved")
    options = parser.parse_args()
    count, rounds, seconds = options.services, options.rounds, options.seconds
    if options.quick:
        count, rounds, seconds = 100, 30, 3.0
    with tempfile.TemporaryDirectory(prefix="knlite-bench-") as name:
        folder = _manifests(Path(name) / "services", count)
        with run.Run(folder, *ALLOW_ZERO, facts=False) as knlite:
            knlite.wait_until_settled(PATIENCE)
            run.settle()
            port = knlite.admin_port
            verbs = _verbs(port, count, rounds)
            written, watchers = _watch(port, count, options.rate, seconds)
            listings = _kubectl(port, Path(name) / "kubectl")
    text = _text(count, verbs, written, watchers, listings, options.rate)
    if options.quick:
        print(text)
        return
    data: dict[str, Any] = {
        "verbs": [asdict(each) for each in verbs],
        "written": len(written),
        "watchers": [asdict(each) for each in watchers],
        "kubectl": listings,
    }
    save("api", f"The Kubernetes API with {count:,} services", text, data)


def _manifests(folder: Path, count: int) -> Path:
    folder.mkdir()
    command = instance.hello_command(folder)
    services = (instance.service(_name(index), command, instances=0) for index in range(count))
    (folder / "services.yaml").write_text("".join(services), encoding="utf-8")
    return folder


def _name(index: int) -> str:
    return f"service-{index:05d}"


class _Client:
    """One connection to the admin port."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        accept: str = "application/json",
        content_type: str = "application/json",
    ) -> bytes:
        headers = {"Accept": accept, "User-Agent": "bench/1"}
        payload = None
        if body is not None:
            payload = json.dumps(body).encode()
            headers["Content-Type"] = content_type
        self._connection.request(method, path, payload, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= http.client.BAD_REQUEST:
            sys.exit(f"{method} {path} was answered {answer.status}: {content[:500]!r}")
        return content

    def close(self) -> None:
        self._connection.close()


def _verbs(port: int, count: int, rounds: int) -> list[Verb]:
    client = _Client(port)
    draw = random.Random(1)
    fresh = json.loads(client.ask("GET", f"{SERVICES}/{_name(0)}"))
    new: dict[str, Any] = {
        "apiVersion": fresh["apiVersion"],
        "kind": fresh["kind"],
        "spec": {"template": fresh["spec"]["template"]},
    }

    def path() -> str:
        return f"{SERVICES}/{_name(draw.randrange(count))}"

    def annotation(index: int) -> object:
        return {"metadata": {"annotations": {SEQUENCE: str(-index)}}}

    found: dict[str, list[float]] = {}

    def timed(name: str, ask: Callable[[], bytes]) -> bytes:
        # What the request before has set going is not this one's cost.
        time.sleep(BETWEEN)
        began = time.perf_counter()
        content = ask()
        found.setdefault(name, []).append(time.perf_counter() - began)
        return content

    for index in range(rounds):
        named = {**new, "metadata": {"name": f"fresh-{index}", "namespace": "bench"}}
        patch = annotation(index + 1)
        timed("floor: /livez", lambda: client.ask("GET", "/livez"))
        one = json.loads(timed("get", lambda: client.ask("GET", path())))
        one["metadata"]["annotations"][SEQUENCE] = str(-index - 1)
        timed(
            "update",
            lambda one=one: client.ask("PUT", f"{SERVICES}/{one['metadata']['name']}", one),
        )
        timed(
            "merge patch",
            lambda patch=patch: client.ask("PATCH", path(), patch, content_type=MERGE),
        )
        timed("create", lambda named=named: client.ask("POST", SERVICES, named))
        timed(
            "delete",
            lambda named=named: client.ask("DELETE", f"{SERVICES}/{named['metadata']['name']}"),
        )
    # A list is not one answer among many: it has a goal of its own.
    for _ in range(max(3, rounds // 15)):
        timed(f"list of {count:,}, Table", lambda: client.ask("GET", SERVICES, accept=AS_TABLE))
        timed(f"list of {count:,}", lambda: client.ask("GET", SERVICES))
    client.close()
    return [Verb(name, seconds) for name, seconds in found.items()]


def _watch(
    port: int, count: int, rate: float, seconds: float
) -> tuple[list[tuple[int, float]], list[Watching]]:
    """Updates as (sequence, moment of the answer), and what each watcher saw of them."""
    client = _Client(port)
    version = json.loads(client.ask("GET", f"{SERVICES}?limit=1"))["metadata"]["resourceVersion"]
    watchers = [Watched("Table" if index % 2 else "JSON") for index in range(WATCHERS)]
    threads = [
        threading.Thread(target=_follow, args=(port, version, seconds, watched))
        for watched in watchers
    ]
    for thread in threads:
        thread.start()
    draw = random.Random(2)
    written: list[tuple[int, float]] = []
    began = time.perf_counter()
    for sequence in range(1, int(rate * seconds) + 1):
        time.sleep(max(0.0, began + sequence / rate - time.perf_counter()))
        patch = {"metadata": {"annotations": {SEQUENCE: str(sequence)}}}
        path = f"{SERVICES}/{_name(draw.randrange(count))}"
        client.ask("PATCH", path, patch, content_type=MERGE)
        written.append((sequence, time.perf_counter()))
    for thread in threads:
        thread.join()
    client.close()
    return written, [_account(written, watched) for watched in watchers]


def _follow(port: int, version: str, seconds: float, watched: Watched) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    accept = AS_TABLE if watched.form == "Table" else "application/json"
    timeout = int(seconds) + 10
    path = f"{SERVICES}?watch=true&resourceVersion={version}&timeoutSeconds={timeout}"
    connection.request("GET", path, headers={"Accept": f"{accept};stream=watch,{accept}"})
    answer = connection.getresponse()
    if answer.status != http.client.OK:
        sys.exit(f"watch was answered {answer.status}: {answer.read()!r}")
    for line in answer:
        now = time.perf_counter()
        event = json.loads(line)
        if event["type"] not in {"ADDED", "MODIFIED", "DELETED"}:
            continue
        obj = event["object"]
        meta = obj["rows"][0]["object"]["metadata"] if obj["kind"] == "Table" else obj["metadata"]
        sequence = int(meta.get("annotations", {}).get(SEQUENCE, "0"))
        watched.events.append((int(meta["resourceVersion"]), sequence, now))
    connection.close()


def _account(written: Sequence[tuple[int, float]], watched: Watched) -> Watching:
    """An update is the first event with its sequence; a status that follows repeats it."""
    first: dict[int, float] = {}
    for _, sequence, moment in watched.events:
        if sequence > 0:
            first.setdefault(sequence, moment)
    versions = [version for version, _, _ in watched.events]
    order = list(first)
    return Watching(
        form=watched.form,
        seen=len(watched.events),
        lost=sum(sequence not in first for sequence, _ in written),
        reordered=sum(a >= b for a, b in itertools.pairwise(versions))
        + sum(a > b for a, b in itertools.pairwise(order)),
        lags=[first[sequence] - moment for sequence, moment in written if sequence in first],
    )


def _kubectl(port: int, home: Path) -> list[float]:
    """Seconds of each ``kubectl get ksvc -A``; empty where there is no kubectl."""
    if shutil.which("kubectl") is None:
        return []
    home.mkdir()
    command = ["kubectl", "--server", f"http://127.0.0.1:{port}", "get", "ksvc", "-A"]
    env = {**os.environ, "HOME": str(home), "KUBECACHEDIR": str(home / "cache"), "KUBECONFIG": ""}
    taken = []
    for _ in range(KUBECTL_RUNS + 1):
        began = time.perf_counter()
        subprocess.run(command, env=env, check=True, capture_output=True)
        taken.append(time.perf_counter() - began)
    # The first one reads what kinds there are, and keeps it.
    return taken[1:]


def _text(
    count: int,
    verbs: Sequence[Verb],
    written: Sequence[tuple[int, float]],
    watchers: Sequence[Watching],
    listings: Sequence[float],
    rate: float,
) -> str:
    floor = median(verbs[0].seconds)
    rows = []
    for verb in verbs:
        p99 = _percentile(verb.seconds, 99)
        is_list = verb.name.startswith("list")
        goal = "" if is_list or verb is verbs[0] else _goal(p99, P99_GOAL, "p99")
        rows.append(
            [
                verb.name,
                str(len(verb.seconds)),
                _ms(median(verb.seconds)),
                _ms(p99),
                f"{median(verb.seconds) / floor:.1f} x",
                goal,
            ]
        )
    seen = [
        [
            f"{index + 1} ({each.form})",
            str(each.seen),
            str(each.lost),
            str(each.reordered),
            _ms(median(each.lags)) if each.lags else "",
            _ms(_percentile(each.lags, 99)) if each.lags else "",
        ]
        for index, each in enumerate(watchers)
    ]
    parts = [
        "One request after another on one connection; the floor is the HTTP server alone:",
        table(["request", "times", "p50", "p99", "of the floor", "goal"], rows),
        f"{len(written):,} updates at {rate:g}/s on random ones of {count:,} services, "
        f"{len(watchers)} watchers of all of them. Lost: updates of which no event told; "
        "reordered: events whose resourceVersion, or whose update, came before the previous "
        "one's. Lag: from the answer to the writer until the event is read:",
        table(["watcher", "events", "lost", "reordered", "lag p50", "lag p99"], seen),
    ]
    if listings:
        typical = median(listings)
        parts.append(
            f"`kubectl get ksvc -A` of {count:,}: {typical:.2f} s (median of {len(listings)}, "
            f"worst {max(listings):.2f} s); {_goal(typical, LIST_GOAL, '')}."
        )
    else:
        parts.append("There is no kubectl on this machine.")
    return "\n\n".join(parts)


def _goal(value: float, goal: float, what: str) -> str:
    text = f"{goal:g} s" if goal >= 1 else f"{goal * 1000:g} ms"
    return f"{what} < {text}: {'met' if value < goal else 'NOT met'}".strip()


def _percentile(values: Sequence[float], which: int) -> float:
    return quantiles(values, n=100, method="inclusive")[which - 1]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


if __name__ == "__main__":
    main()
