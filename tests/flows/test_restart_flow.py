"""A restart that somebody asks for: one new instance after the other, and always one there."""

import anyio
import pytest

from knlite.controlplane.restarting import Restarting
from knlite.errors import Conflict, NotFound
from knlite.runtime.fake import Script
from knlite.runtime.port import Exit
from knlite.serving.instance import RevisionName
from tests.flows.cell import Cell, on_virtual_time, opened

FIRST = RevisionName("default", "web-00001")


def restarting(cell: Cell) -> Restarting:
    return Restarting(cell.registry, cell.supervisor.renew, cell.supervisor.counts)


def names(cell: Cell) -> set[str]:
    return {endpoint.instance for endpoint in cell.requests.endpoints.get(FIRST, ())}


@on_virtual_time
async def test_instances_are_replaced_one_by_one_and_there_are_never_fewer() -> None:
    async with opened({"web": Script(booting=0.5, stopping=0.2)}) as cell:
        cell.service(min_scale="3")
        await cell.advance(10)
        before = names(cell)
        assert len(before) == 3
        seen: list[int] = []

        async def watch() -> None:
            while True:
                seen.append(len(cell.requests.endpoints[FIRST]))
                await cell.clock.sleep_until(cell.clock.now() + 0.05)

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            assert await restarting(cell).restart("default", "web") == {"web-00001": 3}
            group.cancel_scope.cancel()
        assert len(names(cell)) == 3
        assert not names(cell) & before
        assert (min(seen), max(seen)) == (3, 4) or (min(seen), max(seen)) == (3, 3)


@on_virtual_time
async def test_a_service_at_zero_has_nothing_to_restart() -> None:
    async with opened() as cell:
        cell.service(initial_scale="1")
        await cell.advance(120)
        assert cell.running() == 0
        assert await restarting(cell).restart("default", "web") == {}
        assert cell.running() == 0


@on_virtual_time
async def test_what_cannot_start_again_runs_on_and_says_why() -> None:
    async with opened({"web": Script(booting=0.5)}) as cell:
        cell.service(min_scale="2")
        await cell.advance(10)
        before = names(cell)

        async def crash() -> None:
            await cell.clock.sleep_until(cell.clock.now() + 0.1)
            cell.runtime.instances[-1].end(Exit(3, message="no database"))

        async with anyio.create_task_group() as group:
            group.start_soon(crash)
            with pytest.raises(Conflict, match="cannot be restarted") as refused:
                await restarting(cell).restart("default", "web")
        assert "no database" in refused.value.cause
        assert names(cell) == before


@on_virtual_time
async def test_a_new_instance_that_never_gets_ready_is_given_up() -> None:
    async with opened({"web": Script(booting=0.5)}) as cell:
        cell.service(min_scale="1")
        await cell.advance(10)
        before = names(cell)
        cell.unwell[("Readiness", "user-container")] = "it waits for its database"
        with pytest.raises(Conflict, match="cannot be restarted") as refused:
            await restarting(cell).restart("default", "web")
        assert "readiness probe: it waits for its database" in refused.value.cause
        cell.unwell.clear()
        await cell.advance(10)
        assert names(cell) == before


@on_virtual_time
async def test_one_restart_at_a_time() -> None:
    async with opened() as cell:
        cell.service(min_scale="1")
        await cell.advance(10)
        made = restarting(cell)
        refused: list[Conflict] = []

        async def again() -> None:
            try:
                await made.restart("default", "web")
            except Conflict as exc:
                refused.append(exc)

        async with anyio.create_task_group() as group:
            group.start_soon(again)
            group.start_soon(again)
        assert [each.cause for each in refused] == ["it is being restarted already"]
        # And once it is done, another one.
        assert await made.restart("default", "web") == {"web-00001": 1}


@on_virtual_time
async def test_a_service_that_does_not_exist_cannot_be_restarted() -> None:
    async with opened() as cell:
        with pytest.raises(NotFound, match="no service web"):
            await restarting(cell).restart("default", "web")


@on_virtual_time
async def test_an_instance_that_is_scaled_away_meanwhile_has_no_successor() -> None:
    async with opened({"web": Script(booting=5.0)}) as cell:
        cell.service(min_scale="3")
        await cell.advance(20)

        async def fewer() -> None:
            await cell.clock.sleep_until(cell.clock.now() + 1.0)
            cell.annotate(FIRST, min_scale="1")
            await cell.advance(120)

        async with anyio.create_task_group() as group:
            group.start_soon(fewer)
            await restarting(cell).restart("default", "web")
        await cell.advance(120)
        assert len(names(cell)) == 1
