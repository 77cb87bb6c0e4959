"""Order and how many at once (Eventing data plane reference §7)."""

import anyio
import pytest

from knlite.dataplane.sender import Answered, Unanswered
from tests.flows.eventflow import (
    RETRIES,
    SINK,
    A,
    B,
    Call,
    Reply,
    always,
    event,
    flowing,
    settled,
    trigger,
)


async def test_an_ordered_trigger_goes_on_only_when_an_event_has_ended() -> None:
    """After success, after a dead letter, and after giving up."""
    seen: dict[str, int] = {}

    def answer(call: Call) -> Reply | float:
        seen[call.id] = seen.get(call.id, 0) + 1
        match call.id:
            case "2":
                return Answered(503)
            case "3":
                return Answered(200) if seen["3"] == 2 else Unanswered("reset")
            case "4":
                return 60.0
            case _:
                return Answered(200)

    async with flowing(
        trigger("a", A, ordered=True, policy=RETRIES, dead_letter_sink=SINK)
    ) as flow:
        flow.sender.script[A] = answer
        for number in range(1, 6):
            await flow.post(event(str(number)))
        await settled()
        assert [(call.url, call.id) for call in flow.sender.calls] == [
            (A, "1"),
            *[(A, "2")] * 4,
            (SINK, "2"),
            *[(A, "3")] * 2,
            (A, "4"),
            (A, "5"),
        ]
        assert flow.kept() == 0


async def test_parallelism_is_how_many_are_on_their_way() -> None:
    async with flowing(trigger("a", A, parallelism=3)) as flow:
        flow.sender.script[A] = always(60.0)
        began = flow.clock.now()
        for number in range(7):
            await flow.post(event(str(number)))
        await settled()
        instants = [call.at - began for call in flow.sender.calls]
        assert instants == pytest.approx([0.0] * 3 + [60.0] * 3 + [120.0])


async def test_more_parallelism_helps_at_once_while_a_trigger_is_busy() -> None:
    async with flowing(trigger("a", A, parallelism=1)) as flow:
        flow.sender.script[A] = always(60.0)
        began = flow.clock.now()
        for number in range(3):
            await flow.post(event(str(number)))
        await anyio.sleep(1)
        flow.triggers(trigger("a", A, parallelism=3))
        await settled()
        instants = [call.at - began for call in flow.sender.calls]
        assert instants == pytest.approx([0.0, 1.0, 1.0])


async def test_a_trigger_may_become_ordered_while_it_is_busy() -> None:
    async with flowing(trigger("a", A, parallelism=3)) as flow:
        flow.sender.script[A] = always(60.0)
        began = flow.clock.now()
        for number in range(6):
            await flow.post(event(str(number)))
        await anyio.sleep(1)
        flow.triggers(trigger("a", A, ordered=True))
        await settled()
        instants = [call.at - began for call in flow.sender.calls]
        assert instants == pytest.approx([0.0] * 3 + [60.0, 120.0, 180.0])
        assert [call.id for call in flow.sender.calls] == [str(number) for number in range(6)]
        assert flow.kept() == 0


async def test_one_that_waits_does_not_overtake_after_a_trigger_became_ordered() -> None:
    async with flowing(trigger("a", A)) as flow:
        flow.sender.script[A] = always(1.0)
        for number in range(4):
            await flow.post(event(str(number)))
        await settled()
        # Now several workers wait for an event.
        flow.triggers(trigger("a", A, ordered=True))
        flow.sender.calls.clear()
        began = flow.clock.now()
        for number in range(4):
            await flow.post(event(str(number)))
        await settled()
        instants = [call.at - began for call in flow.sender.calls]
        assert instants == pytest.approx([0.0, 1.0, 2.0, 3.0])


async def test_a_trigger_may_become_unordered_again() -> None:
    async with flowing(trigger("a", A, ordered=True)) as flow:
        flow.sender.script[A] = always(60.0)
        began = flow.clock.now()
        for number in range(4):
            await flow.post(event(str(number)))
        await anyio.sleep(1)
        flow.triggers(trigger("a", A))
        await settled()
        instants = [call.at - began for call in flow.sender.calls]
        assert instants == pytest.approx([0.0, 1.0, 1.0, 1.0])


async def test_a_slow_subscriber_delays_no_other_trigger() -> None:
    async with flowing(trigger("slow", A), trigger("fast", B)) as flow:
        flow.sender.script[A] = always(600.0)
        began = flow.clock.now()
        for number in range(500):
            await flow.post(event(str(number)))
        await anyio.sleep(0.1)
        assert len(flow.sender.to(A)) == 100
        assert [call.id for call in flow.sender.to(B)] == [str(number) for number in range(500)]
        assert max(call.at for call in flow.sender.to(B)) - began == pytest.approx(0.0)


@pytest.mark.parametrize("ordered", [True, False])
async def test_ten_thousand_events_wait_for_a_service_and_all_arrive(ordered: bool) -> None:
    """As at zero: what is asked waits until there is an instance."""
    there = anyio.Event()

    async with flowing(trigger("a", A, ordered=ordered)) as flow:
        flow.sender.until[A] = there
        for number in range(10_000):
            assert await flow.post(event(str(number))) == 202
        await anyio.sleep(30)
        assert len(flow.sender.to(A)) == (1 if ordered else 100)
        there.set()
        await settled()
        ids = [call.id for call in flow.sender.to(A)]
        assert sorted(ids, key=int) == [str(number) for number in range(10_000)]
        if ordered:
            assert ids == sorted(ids, key=int)
        assert flow.kept() == 0
