"""A stream of which the newest are told, however many there are."""

import pytest

from knlite.telemetry.live.deltas import MOST_ITEMS
from knlite.telemetry.live.newest import Newest
from knlite.telemetry.recentrequests import RecentRequests
from tests.flows.conftest import JumpingLoop
from tests.unit.telemetry.live.looked import Stage, messages
from tests.unit.telemetry.requestfacts import done

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": JumpingLoop}


async def test_of_a_flood_the_newest_are_rows_and_the_others_a_number() -> None:
    stage, recent = Stage(), RecentRequests()
    newest = Newest(stage.live, "requests", recent.newest)
    with stage.live.looking(["requests"]) as looker:
        looker.take()
        for number in range(500):
            fact = done(request_id=b"%d" % number)
            recent.read(fact)
            newest.read(fact)
        await looker.wait()
        (_, told), (_, left_out) = messages(looker)
        ids = [row["id"] for row in told["items"]]
        assert ids == [str(number) for number in range(500 - MOST_ITEMS, 500)]
        assert told["skipped"] == left_out["count"] == 500 - MOST_ITEMS


async def test_who_begins_to_look_sees_the_last_that_there_were() -> None:
    stage, recent = Stage(), RecentRequests()
    Newest(stage.live, "requests", recent.newest)
    recent.read(done(request_id=b"before"))
    with stage.live.looking(["requests"]) as looker:
        ((_, first),) = messages(looker)
        assert [row["id"] for row in first["items"]] == ["before"]
