"""What ``knlite up`` tells a person while servers come and go."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Literal, cast

import pytest

from knlite.cli.output import Output
from knlite.cli.screen import Screen
from knlite.facts import (
    EventRefused,
    Fact,
    InstanceChanged,
    LogLine,
    PreparationStep,
    ReadyChanged,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LOST = "amqp://127.0.0.1:5672: connection refused"


@pytest.fixture
def screen() -> tuple[Screen, StringIO]:
    output = StringIO()
    screen = Screen(cast("Output", output))
    screen.settled()
    return screen, output


def told(on: tuple[Screen, StringIO], *facts: Fact) -> list[str]:
    """The lines for *facts*, without what is left of the bar."""
    screen, output = on
    before = len(output.getvalue())
    for fact in facts:
        screen.fact(fact)
    return [line.split("│ ")[1] for line in output.getvalue()[before:].splitlines()]


def ready(kind: str, name: str, status: str, message: str = "") -> ReadyChanged:
    reason = "ExchangeFailure" if status == "False" else ""
    return ReadyChanged(
        at=NOW,
        kind=kind,
        namespace="shop",
        name=name,
        status=status,
        reason=reason,
        message=message,
    )


def refused(seconds: float, why: str = "Broker shop/main takes no events now") -> EventRefused:
    at = NOW + timedelta(seconds=seconds)
    return EventRefused(at=at, kind="Broker", namespace="shop", name="main", status=503, why=why)


def test_what_waits_for_a_broker_is_told_with_the_broker(screen: tuple[Screen, StringIO]) -> None:
    lost = told(
        screen,
        ready("Broker", "main", "False", LOST),
        *(ready("Trigger", name, "False", LOST) for name in ("a", "b", "c")),
        ready("Trigger", "d", "False", "its subscriber is not there"),
    )
    assert lost == [
        f"not ready: ExchangeFailure: {LOST}",
        "not ready: ExchangeFailure: its subscriber is not there",
    ]
    back = told(
        screen,
        ready("Broker", "main", "True"),
        *(ready("Trigger", name, "True") for name in ("a", "b", "c", "d")),
    )
    assert back == ["ready now", "ready now"]


def changed(
    seconds: float, state: Literal["starting", "failed", "ready"], why: str = ""
) -> InstanceChanged:
    return InstanceChanged(
        at=NOW + timedelta(seconds=seconds),
        namespace="shop",
        service="web",
        revision="web-00001",
        instance="web-00001-abc",
        state=state,
        why=why,
    )


def test_what_cannot_start_is_told_again_when_it_is_news(screen: tuple[Screen, StringIO]) -> None:
    tries = (changed(seconds, "failed", "no engine") for seconds in (0, 0.001, 10, 30))
    assert told(screen, *tries) == ["✗ no engine"]
    assert told(screen, changed(70, "failed", "no engine")) == ["✗ no engine (3 more before)"]
    told(screen, changed(71, "ready"))
    assert told(screen, changed(72, "failed", "no engine")) == ["✗ no engine"]


def test_a_storm_of_refusals_is_a_line_now_and_then(screen: tuple[Screen, StringIO]) -> None:
    words = "event refused with 503: Broker shop/main takes no events now"
    assert told(screen, *(refused(second / 100) for second in range(900))) == [words]
    assert told(screen, refused(10)) == [f"{words} (899 more before)"]
    assert told(screen, refused(11, "another reason")) == ["event refused with 503: another reason"]


def log(*texts: str) -> list[Fact]:
    return [
        LogLine(
            at=NOW,
            namespace="shop",
            service="web",
            revision="web-00001",
            instance="web-00001-abc",
            stream="stderr",
            text=text,
        )
        for text in texts
    ]


def test_what_a_program_says_at_each_start_is_told_once(screen: tuple[Screen, StringIO]) -> None:
    words = log("Traceback", "  frame", "  frame", "ValueError: no")
    first = told(screen, changed(0, "starting"), *words)
    assert first == ["Traceback", "  frame", "  frame", "ValueError: no"]
    told(screen, changed(1, "failed", "no"), changed(2, "starting"))
    assert told(screen, *words, *log("ValueError: another")) == ["ValueError: another"]
    told(screen, changed(3, "failed", "no"), changed(4, "starting"), changed(5, "ready"))
    assert told(screen, *words) == first


def test_what_is_prepared_again_and_again_is_told_once(screen: tuple[Screen, StringIO]) -> None:
    def step(seconds: float) -> PreparationStep:
        at = NOW + timedelta(seconds=seconds)
        text = "installing 2 packages for web"
        return PreparationStep(at=at, namespace="shop", service="web", revision="web-1", text=text)

    assert told(screen, step(0), step(10), step(30)) == ["installing 2 packages for web"]
    assert told(screen, step(90)) == ["installing 2 packages for web (2 more before)"]
