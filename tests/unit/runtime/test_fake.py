"""The scripted runtime keeps to its script on virtual time."""

import asyncio
from datetime import UTC, datetime

import looptime
import pytest

from knlite.clock import LoopClock
from knlite.errors import InstanceFailed
from knlite.runtime.fake import FakeRuntime, Script
from knlite.runtime.port import ContainerLaunch, Exit, Launch, Log, Prepared
from knlite.serving.workload import LocalCommand, Workload

WORKLOAD = LocalCommand("serve", "/srv")


def silent(*_: str) -> None:
    """Takes reports and lines that a test does not look at."""


def silence(_: str) -> Log:
    """The log of a container at which nobody looks."""
    return silent


def launch(prepared: Prepared) -> Launch:
    serving = ContainerLaunch(name="web", prepared=prepared)
    return Launch(
        namespace="n", service="s", revision="r", instance="i", port=8080, serving=serving
    )


def with_script(script: Script) -> FakeRuntime:
    def same(_: Workload) -> Script:
        return script

    return FakeRuntime(LoopClock(datetime(2026, 1, 1, tzinfo=UTC)), same)


async def lived(script: Script, grace: float) -> tuple[bool, bool, Exit, float]:
    """Whether it accepts at once and after a second; how and when it ended."""
    runtime = with_script(script)
    begun = asyncio.get_running_loop().time()
    instance = await runtime.start(launch(await runtime.prepare(WORKLOAD, silent)), silence)
    early = runtime.accepts(instance.address)
    await asyncio.sleep(1)
    late = runtime.accepts(instance.address)
    await instance.stop(grace)
    return early, late, await instance.wait(), asyncio.get_running_loop().time() - begun


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(Script(booting=0.5), (False, True, Exit(143), 1.0), id="boots"),
        pytest.param(Script(stopping=2.0), (True, True, Exit(143), 3.0), id="stops slowly"),
        pytest.param(Script(stopping=60.0), (True, True, Exit(137), 11.0), id="is killed"),
        pytest.param(Script(lives=0.25, code=7), (True, False, Exit(7, "web"), 1.0), id="crashes"),
    ],
)
def test_an_instance_lives_as_scripted(
    script: Script, expected: tuple[bool, bool, Exit, float]
) -> None:
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        assert runner.run(lived(script, grace=10)) == pytest.approx(expected)


@pytest.mark.parametrize("step", ["prepare_fails", "start_fails"])
def test_a_scripted_failure_is_raised(step: str) -> None:
    async def run() -> None:
        runtime = with_script(Script(**{step: InstanceFailed("Broken", "no")}))  # type: ignore[arg-type]
        await runtime.start(launch(await runtime.prepare(WORKLOAD, silent)), silence)

    with (
        asyncio.Runner(loop_factory=looptime.new_event_loop) as runner,
        pytest.raises(InstanceFailed),
    ):
        runner.run(run())
