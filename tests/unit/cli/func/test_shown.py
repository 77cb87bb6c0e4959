"""What the terminal gets of ``func run``."""

from datetime import UTC, datetime
from io import StringIO
from typing import cast

from knlite.cli.func.shown import Shown
from knlite.cli.output import Output
from knlite.facts import Fact, InstanceChanged, InstanceState, LogLine

AT = datetime(2026, 1, 2, tzinfo=UTC)


def changed(state: InstanceState, why: str = "") -> Fact:
    return InstanceChanged(
        at=AT,
        namespace="default",
        service="web",
        revision="web-1",
        instance="web-1-a",
        state=state,
        why=why,
    )


def wrote(text: str) -> Fact:
    return LogLine(
        at=AT,
        namespace="default",
        service="web",
        revision="web-1",
        instance="web-1-a",
        stream="stderr",
        text=text,
    )


def test_what_a_function_says_at_each_start_is_told_once() -> None:
    out, err = StringIO(), StringIO()
    shown = Shown(cast("Output", out), cast("Output", err), as_json=False)
    for _ in range(3):
        for fact in (changed("starting"), wrote("no handler"), changed("failed", "it ended")):
            shown.fact(fact)
    assert err.getvalue() == "no handler\n"
