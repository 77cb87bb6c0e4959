"""Freezing, thawing and parking containers, by the engine and by their control groups.

Pins the same promises as ``test_freeze.py``.
"""

import asyncio
import os
import signal
from dataclasses import replace

import anyio
import pytest

from knlite.runtime.docker.engine import Engine
from knlite.runtime.docker.freezer import unusable
from knlite.runtime.docker.function_image import FunctionCodes
from knlite.runtime.docker.owner import current_owner
from knlite.runtime.docker.runtime import DockerRuntime, open_runtime
from knlite.runtime.docker.threads import Threads
from knlite.runtime.port import Prepared
from tests.contract.test_docker_pods import FOREVER, left, pod, python
from tests.contract.test_docker_runtime import (
    SECONDS,
    answer,
    anyio_backend,
    codes,
    engine,
    exists,
    folder,
    launch,
    prepared,
    quiet,
    runtime,
    until,
)

__all__ = ["anyio_backend", "codes", "engine", "folder", "prepared", "runtime"]

pytestmark = pytest.mark.docker


@pytest.fixture(params=["engine", "cgroup"])
async def freezing(
    request: pytest.FixtureRequest, engine: Engine, codes: FunctionCodes
) -> DockerRuntime:
    if request.param == "cgroup" and (why := unusable()):
        pytest.skip(why)
    return await open_runtime(
        engine,
        gateway_port=8080,
        hosts=tuple,
        function_code=codes,
        by_cgroup=request.param == "cgroup",
    )


async def test_what_comes_to_a_frozen_container_is_answered_when_it_goes_on(
    freezing: DockerRuntime, prepared: Prepared
) -> None:
    instance = await freezing.start(launch(prepared), quiet)
    try:
        await answer(instance.address)
        for _ in range(2):
            assert await instance.freeze()
            assert await instance.freeze(), "twice is once"
            assert await instance.usage() is not None
            asked = asyncio.ensure_future(answer(instance.address))
            done, _ = await asyncio.wait({asked}, timeout=0.2)
            assert not done
            await instance.thaw()
            await instance.thaw()
            assert (await asked)["cwd"] == "/srv"
    finally:
        await instance.stop(1)


async def test_all_containers_of_an_instance_are_frozen_and_end_like_any_others(
    freezing: DockerRuntime, engine: Engine, prepared: Prepared
) -> None:
    asked = pod(prepared, sidecars=(python(prepared, "back", FOREVER),))
    instance = await freezing.start(asked, quiet)
    assert await instance.freeze()
    with anyio.fail_after(SECONDS):
        await instance.stop(10)
        assert (await instance.wait()).code in (128 + signal.SIGTERM, 128 + signal.SIGKILL)
    assert left(engine, asked.instance) == []
    assert not await instance.freeze()


async def test_a_frozen_container_that_somebody_removes_has_ended(
    freezing: DockerRuntime, engine: Engine, prepared: Prepared
) -> None:
    asked = launch(prepared)
    instance = await freezing.start(asked, quiet)
    assert await instance.freeze()
    await asyncio.to_thread(engine.client.remove_container, asked.instance, force=True)
    with anyio.fail_after(SECONDS):
        await instance.wait()
        await instance.stop(1)


async def test_a_parked_container_keeps_what_it_wrote_until_it_is_discarded(
    runtime: DockerRuntime, engine: Engine, prepared: Prepared
) -> None:
    writes = "import os; print(os.path.exists('/tmp/x'), flush=True); open('/tmp/x', 'w')\n"
    asked = pod(prepared, writes + FOREVER, sidecars=(python(prepared, "back", FOREVER),))
    lines: list[str] = []

    def logs(container: str) -> object:
        return lambda _, text: lines.append(text)

    for told in (1, 2):
        instance = await runtime.start(asked, logs)  # type: ignore[arg-type]  # a lambda is a Log
        await until(lambda wanted=told: len(lines) >= wanted)
        await instance.park(0.5)
        await instance.stop(0.5)
        assert len(left(engine, asked.instance)) == 2
    assert lines == ["False", "True"]

    other = replace(asked, serving=replace(asked.serving, env={"NEW": "1"}))
    instance = await runtime.start(other, logs)  # type: ignore[arg-type]  # a lambda is a Log
    await until(lambda: len(lines) >= 3)
    assert lines[-1] == "False", "what is told something else is made anew"
    await instance.park(0.5)
    await runtime.discard(asked.instance)
    assert left(engine, asked.instance) == []


async def test_a_kept_container_that_is_gone_is_made_anew(
    runtime: DockerRuntime, engine: Engine, prepared: Prepared
) -> None:
    asked = launch(prepared)
    instance = await runtime.start(asked, quiet)
    await instance.park(1)
    await asyncio.to_thread(engine.client.remove_container, asked.instance, force=True)
    again = await runtime.start(asked, quiet)
    try:
        assert (await answer(again.address))["uid"] == os.getuid()
    finally:
        await again.stop(1)
        await runtime.discard(asked.instance)
    assert not exists(engine, asked.instance)


@pytest.mark.parametrize("by_cgroup", [False, True], ids=["engine", "cgroup"])
async def test_frozen_and_parked_containers_of_a_killed_knlite_are_swept(
    engine: Engine,
    runtime: DockerRuntime,
    prepared: Prepared,
    codes: FunctionCodes,
    *,
    by_cgroup: bool,
) -> None:
    dead = DockerRuntime(
        engine,
        network=runtime.network,
        owner=replace(current_owner(1), started="0"),
        gateway_port=8080,
        hosts=tuple,
        function_code=codes,
        threads=Threads("dead", 4),
        by_cgroup=by_cgroup and not unusable(),
    )
    frozen, parked = launch(prepared), launch(prepared)
    await (await dead.start(parked, quiet)).park(1)
    left_frozen = await dead.start(frozen, quiet)
    assert await left_frozen.freeze()
    swept = await runtime.sweep()
    with anyio.fail_after(SECONDS):
        await left_frozen.stop(0)
    for each in (frozen, parked):
        assert [word for word in swept if each.instance in word]
        assert not exists(engine, each.instance)
