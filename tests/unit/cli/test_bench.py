"""What ``knlite bench`` makes of what it has measured."""

import json

import pytest

from knlite.cli.bench.cold import Cold, stages_of
from knlite.cli.bench.run import Result, described, lines, percentiles, series
from knlite.cli.bench.warm import Warm

STARTED = "queue;dur=0.5, start;desc=forked;dur=2.0, ready;dur=30.0, app;dur=1.5"
COLD = [
    Cold(seconds, {"queue": 0.001, "start": seconds - 0.001}, "forked")
    for seconds in (0.03, 0.01, 0.02)
]
WARM = Warm(tuple(index / 1000 for index in range(1, 101)), 0, "", 2.0, 5)


def result(**fields: object) -> Result:
    given = {
        "service": "web", "namespace": "default", "runtime": "process", "idle": "remove",
        "cold": COLD, "never": "", "warm": WARM,
    }  # fmt: skip
    return Result(**{**given, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("timing", "stages", "how"),
    [
        (STARTED, {"queue": 0.0005, "start": 0.002, "ready": 0.03, "app": 0.0015}, "forked"),
        ("queue;dur=0.1, thaw;dur=0.4, app;dur=1.0",
         {"queue": 0.0001, "thaw": 0.0004, "app": 0.001}, "thawed"),
        ("", {}, ""),
    ],
)  # fmt: skip
def test_stages_are_read_from_server_timing(
    timing: str, stages: dict[str, float], how: str
) -> None:
    found, told = stages_of(timing)
    assert found == pytest.approx(stages)
    assert told == how


def test_percentiles_lie_between_samples() -> None:
    assert percentiles([0.5]) == {"p50": 0.5, "p95": 0.5, "p99": 0.5}
    found = percentiles([1.0, 2.0])
    assert found["p50"] == 1.5
    assert 1.9 < found["p95"] < found["p99"] < 2.0


def test_json_has_seconds_and_how_it_was_started() -> None:
    document = json.loads(json.dumps(described(result())))
    assert (document["runtime"], document["idle"]) == ("process", "remove")
    cold = document["cold"]
    assert (cold["count"], cold["how"], cold["p50"]) == (3, {"forked": 3}, 0.02)
    assert cold["stages"]["queue"]["max"] == 0.001
    assert cold["samples"] == [0.03, 0.01, 0.02]
    warm = document["warm"]
    assert (warm["count"], warm["failed"], warm["rate"]) == (100, 0, 50.0)
    assert warm["p50"] == 0.0505
    assert "problem" not in warm


def test_what_was_not_measured_is_left_out() -> None:
    document = described(result(cold=[], warm=None))
    assert document["cold"] is document["warm"] is None
    assert series(result(cold=[], warm=None)) == {}


def test_people_see_milliseconds() -> None:
    text = "\n".join(lines(result()))
    assert "web in default: runtime process, idle remove" in text
    assert "from zero (3 forked)" in text
    assert "100 answers, 50 in a second" in text
    (row,) = [line.split() for line in text.splitlines() if line.strip().startswith("queue")]
    assert row[1:] == ["1.00"] * 5


def test_failures_and_what_cannot_be_measured_are_said() -> None:
    failing = Warm((), 3, "status 500", 1.0, 1)
    text = "\n".join(
        lines(result(cold=[], never="web-1 cannot\n  cause: min-scale is 1", warm=failing))
    )
    assert "min-scale is 1" in text
    assert "3 failed, the first with: status 500" in text
