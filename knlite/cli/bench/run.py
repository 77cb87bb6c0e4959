"""``knlite bench``: measure, then print a table or JSON, and draw a picture.

Times are seconds in JSON and milliseconds for people.

Not here: cold starts (``cold.py``), warm requests (``warm.py``), the picture (``picture.py``).
"""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from knlite.cli.aim import aim
from knlite.cli.bench.cold import Cold, bring_to_zero, cold
from knlite.cli.bench.picture import draw, require
from knlite.cli.bench.warm import Warm, warm
from knlite.cli.client import Client
from knlite.cli.invoke import Written, call_of, header_of
from knlite.cli.progress import Steps
from knlite.errors import Conflict, InvalidInput, KnliteError
from knlite.kinds.catalog import info_of
from knlite.kinds.labels import IDLE
from knlite.kinds.serving.service import Service

LAST_BYTE = "last byte"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured."""

    service: str
    namespace: str
    cold: int
    warm: int
    concurrency: int
    path: str
    written: Written
    png: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was measured."""

    service: str
    namespace: str
    runtime: str
    idle: str
    """What becomes of its instances at zero: ``remove``, ``stop``, ``freeze``."""
    cold: Sequence[Cold]
    never: str
    """Why it is never at zero, if that is so."""
    warm: Warm | None


def run(wanted: Wanted, admin_port: int, *, as_json: bool) -> int:
    """Do it all; the exit code. Raises ``KnliteError``."""
    if not wanted.cold and not wanted.warm:
        raise InvalidInput("--cold 0 and --warm 0 measure nothing", fix="leave one of them away")
    if wanted.png is not None:
        require(wanted.png)
    result = measured(wanted, Client(admin_port))
    if wanted.png is not None:
        draw(result.service, series(result), wanted.png)
    if as_json:
        json.dump(described(result), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        sys.stdout.write("\n".join(lines(result)) + "\n")
    if wanted.png is not None:
        sys.stderr.write(f"{wanted.png} shows it\n")
    return 1 if result.warm is not None and result.warm.failed else 0


def measured(wanted: Wanted, client: Client) -> Result:
    """Measure. Raises ``NotFound``, ``Conflict``, …"""
    service, namespace = wanted.service, wanted.namespace
    where = aim(f"service/{service}", namespace, wanted.path, client)
    call = call_of(where, wanted.written, [header_of(text) for text in wanted.written.headers])
    obj = client.one(info_of(Service), namespace, service)
    _require_ready(obj)
    annotations = obj["spec"]["template"].get("metadata", {}).get("annotations", {})
    starts: list[Cold] = []
    never, warmed = "", None
    with Steps() as steps:
        steps(f"bringing {service} to zero")
        try:
            # Also where nothing but warm requests is wanted: others would disturb them.
            bring_to_zero(client, namespace, service)
        except Conflict as exc:
            if exc.causes or not wanted.warm:
                raise
            never = str(exc)
        if wanted.cold and not never:
            text, total = f"starting {service} from zero", wanted.cold + 1
            starts = cold(
                client, namespace, service, call, wanted.cold, lambda n: steps(text, n / total)
            )
        if wanted.warm:
            text = f"sending {wanted.warm:,} requests to {service}"
            steps(text, 0.0)
            warmed = warm(
                call, wanted.warm, wanted.concurrency, lambda n: steps(text, n / wanted.warm)
            )
    return Result(
        service=service,
        namespace=namespace,
        runtime=client.runtime(),
        idle=annotations.get(IDLE, "remove"),
        cold=starts,
        never=never,
        warm=warmed,
    )


def _require_ready(service: Mapping[str, Any]) -> None:
    """Raise ``KnliteError`` if the Service cannot answer: a failure has nothing to measure."""
    conditions = service.get("status", {}).get("conditions", ())
    ready: Mapping[str, Any] = next((each for each in conditions if each["type"] == "Ready"), {})
    if ready.get("status") == "False":
        raise KnliteError(
            f"{service['metadata']['name']} is not ready",
            cause=ready.get("message", ""),
            fix="see knlite logs, and knlite get ksvc",
        )


def described(result: Result) -> dict[str, Any]:
    """For scripts."""
    document: dict[str, Any] = {
        "service": result.service,
        "namespace": result.namespace,
        "runtime": result.runtime,
        "idle": result.idle,
        "cold": None,
        "warm": None,
    }
    if result.cold:
        document["cold"] = {
            "count": len(result.cold),
            "how": dict(Counter(each.how for each in result.cold)),
            **_summary([each.seconds for each in result.cold]),
            "stages": {name: _summary(values) for name, values in _stages(result.cold).items()},
            "samples": [round(each.seconds, 6) for each in result.cold],
        }
    if result.warm is not None:
        document["warm"] = {
            "count": len(result.warm.latencies),
            "failed": result.warm.failed,
            **({"problem": result.warm.problem} if result.warm.problem else {}),
            "concurrency": result.warm.concurrency,
            "seconds": round(result.warm.seconds, 6),
            "rate": round(result.warm.rate, 3),
            **(_summary(result.warm.latencies) if result.warm.latencies else {}),
        }
    return document


def lines(result: Result) -> list[str]:
    """For people."""
    found = [
        f"{result.service} in {result.namespace}: runtime {result.runtime}, idle {result.idle}",
        "",
    ]
    if result.never:
        found += ["no start from zero:", *(f"  {line}" for line in result.never.splitlines()), ""]
    if result.cold:
        ways = ", ".join(
            f"{count} {how or 'not told how'}"
            for how, count in Counter(each.how for each in result.cold).items()
        )
        rows = [(LAST_BYTE, [each.seconds for each in result.cold])]
        rows += [(f"  {name}", values) for name, values in _stages(result.cold).items()]
        found += [*_table(f"from zero ({ways})", rows), ""]
    if result.warm is not None:
        about = f"warm ({result.warm.concurrency} at once)"
        if result.warm.latencies:
            found += _table(about, [(LAST_BYTE, result.warm.latencies)])
        said = f"{len(result.warm.latencies):,} answers, {result.warm.rate:,.0f} in a second"
        failed = f"; {result.warm.failed:,} failed, the first with: {result.warm.problem}"
        found.append(said + failed if result.warm.failed else said)
    return found


def series(result: Result) -> dict[str, Sequence[float]]:
    """What the picture shows, in seconds: one after the other."""
    found: dict[str, Sequence[float]] = {}
    if result.cold:
        ways = "/".join(sorted({each.how for each in result.cold if each.how}))
        found[f"from zero\n({ways})" if ways else "from zero"] = [
            each.seconds for each in result.cold
        ]
        found |= _stages(result.cold)
    if result.warm is not None and result.warm.latencies:
        found[f"warm\n({result.warm.concurrency} at once)"] = result.warm.latencies
    return found


def _stages(starts: Sequence[Cold]) -> dict[str, list[float]]:
    """By stage, in the order in which they come."""
    names = dict.fromkeys(name for each in starts for name in each.stages)
    return {name: [each.stages[name] for each in starts if name in each.stages] for name in names}


def _summary(values: Sequence[float]) -> dict[str, float]:
    cuts = percentiles(values)
    return {
        **{name: round(value, 6) for name, value in cuts.items()},
        "min": round(min(values), 6),
        "max": round(max(values), 6),
    }


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Between samples where there are few."""
    if len(values) < 2:
        return dict.fromkeys(("p50", "p95", "p99"), values[0])
    cuts = quantiles(values, n=100, method="inclusive")
    return {"p50": median(values), "p95": cuts[94], "p99": cuts[98]}


def _table(about: str, rows: Sequence[tuple[str, Sequence[float]]]) -> list[str]:
    width = max(len(about), *(len(name) for name, _ in rows))
    heads = ("p50", "p95", "p99", "min", "max")
    found = [f"{about:{width}}" + "".join(f"{head:>10}" for head in heads) + "  ms"]
    for name, values in rows:
        cells = _summary(values)
        found.append(f"{name:{width}}" + "".join(f"{1000 * cells[h]:10.2f}" for h in heads))
    return found
