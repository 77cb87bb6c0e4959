"""What the live feed tells of a service that starts, rests and is deleted."""

from typing import Any

from knlite.telemetry.live.hub import Hub, Looker
from knlite.telemetry.live.instances import Instances
from knlite.telemetry.live.notices import Notices
from knlite.telemetry.live.objects import Objects
from tests.flows.cell import Cell, on_virtual_time, opened
from tests.unit.telemetry.live.looked import messages


def told(cell: Cell) -> Hub:
    """The feed of *cell*."""
    live = Hub(cell.clock)
    Objects(live, cell.registry)
    cell.readers += [Instances(live).read, Notices(live).read]
    return live


def states(looker: Looker) -> list[str]:
    """The states of all instances that *looker* is told of now."""
    return [
        each["state"]
        for topic, data in messages(looker)
        if topic == "instances"
        for each in data["instances"]
    ]


@on_virtual_time
async def test_an_instance_is_followed_from_its_start_to_its_end() -> None:
    async with opened() as cell:
        live = told(cell)
        seen: list[str] = []
        with live.looking(["instances"]) as looker:
            cell.service()
            for _ in range(50):
                await cell.advance(0.2)
                seen += [each for each in states(looker) if [each] != seen[-1:]]
            # What it goes through within a tenth of a second is not told.
            assert seen == ["started", "ready"]
            cell.delete_service()
            await cell.advance(60)
            assert states(looker)[-1] == "gone"
        with live.looking(["instances"]) as looker:
            assert states(looker) == []


@on_virtual_time
async def test_what_happens_is_told_in_sentences_and_as_objects_to_read_anew() -> None:
    async with opened() as cell:
        live = told(cell)
        with live.looking(["notices", "objects"]) as looker:
            cell.service()
            await cell.advance(10)
            found: dict[str, list[Any]] = {"notices": [], "objects": []}
            for topic, data in messages(looker):
                found[topic] += data.get("items") or data.get("changed") or []
        sentences = [(each["object"], each["text"]) for each in found["notices"]]
        assert ("Service/default/web", "Service is ready") in sentences
        kinds = {each["kind"] for each in found["objects"]}
        assert {"Service", "Revision", "Route", "Configuration"} <= kinds


@on_virtual_time
async def test_a_reader_that_sleeps_is_told_the_last_state_of_each_instance_once() -> None:
    async with opened() as cell:
        live = told(cell)
        with live.looking(["instances"]) as looker:
            looker.take()
            cell.service(min_scale="3", max_scale="3")
            await cell.advance(30)
            assert states(looker) == ["ready"] * 3
            assert states(looker) == []
