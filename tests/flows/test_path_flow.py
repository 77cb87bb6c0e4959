"""The activator in and out of the path, on virtual time (Knative reference §2.5, §2.6)."""

from knlite.facts import PathChanged
from knlite.runtime.port import Exit
from knlite.serving.instance import RevisionName
from tests.flows.cell import Cell, on_virtual_time, opened

WEB = RevisionName("default", "web-00001")


def changes(cell: Cell) -> list[tuple[str, str]]:
    return [(f.mode, f.why) for f in cell.facts if isinstance(f, PathChanged)]


@on_virtual_time
async def test_with_the_defaults_three_instances_take_it_out_and_fewer_take_it_in() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(5)
        assert WEB not in cell.requests.modes, "in the path from the beginning"
        cell.requests.load[WEB] = 210.0
        await cell.advance(30)
        assert cell.running() == 3
        assert WEB not in cell.requests.modes, "nothing to spare"
        cell.requests.load[WEB] = 80.0
        await cell.advance(10)
        assert cell.requests.modes[WEB] == "Serve"
        assert changes(cell)[-1] == ("Serve", "excess burst capacity 9 = 3×100 − 211 − 80")
        del cell.requests.load[WEB]
        await cell.advance(200)
        assert cell.requests.modes[WEB] == "Proxy"
        assert cell.running() == 0


@on_virtual_time
async def test_without_burst_capacity_it_is_out_with_the_first_instance_until_the_end() -> None:
    async with opened() as cell:
        cell.service(target_burst_capacity="0")
        await cell.advance(0.4)
        assert WEB not in cell.requests.modes
        await cell.advance(1.6)
        assert cell.requests.modes[WEB] == "Serve"
        await cell.advance(62)
        assert cell.requests.modes[WEB] == "Proxy"
        assert cell.running() == 1, "kept until the activator has been in the path for the grace"
        await cell.advance(32)
        assert cell.running() == 0
        cell.request()
        await cell.advance(2)
        assert cell.requests.modes[WEB] == "Serve"


@on_virtual_time
async def test_with_burst_capacity_minus_one_it_stays() -> None:
    async with opened() as cell:
        cell.service(target_burst_capacity="-1", min_scale="9")
        await cell.advance(30)
        assert cell.running() == 9
        assert WEB not in cell.requests.modes


@on_virtual_time
async def test_it_comes_in_at_once_when_the_last_instance_crashes() -> None:
    async with opened() as cell:
        cell.service(target_burst_capacity="0", min_scale="1")
        await cell.advance(2)
        assert cell.requests.modes[WEB] == "Serve"
        cell.runtime.instances[-1].end(Exit(1))
        await cell.advance(0.1)
        assert changes(cell)[-1] == ("Proxy", "no instance is ready")
        await cell.advance(3)
        assert cell.requests.modes[WEB] == "Serve"


@on_virtual_time
async def test_a_large_initial_scale_takes_it_out_before_there_is_any_load() -> None:
    async with opened() as cell:
        cell.service(initial_scale="3")
        await cell.advance(0.6)
        assert changes(cell) == [("Serve", "excess burst capacity 89 = 3×100 − 211")]
