import pytest

from knlite.facts import ColdStart, InstanceChanged, InstanceState
from knlite.telemetry.live.instances import Instances
from tests.flows.conftest import JumpingLoop
from tests.unit.telemetry.live.looked import NOW, Stage, messages

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": JumpingLoop}


def changed(state: InstanceState, name: str = "web-1", why: str = "") -> InstanceChanged:
    return InstanceChanged(
        at=NOW,
        namespace="default",
        service="web",
        revision="web-00001",
        instance=name,
        state=state,
        why=why,
    )


def cold(how: str) -> ColdStart:
    return ColdStart(
        at=NOW,
        namespace="default",
        service="web",
        revision="web-00001",
        instance="web-1",
        queued=0.0,
        started=0.1,
        ready=0.2,
        first_byte=0.3,
        how=how,
    )


async def test_who_looks_sees_those_that_there_are_and_then_what_becomes_of_them() -> None:
    stage = Stage()
    instances = Instances(stage.live)
    for name in ("web-1", "web-2"):
        instances.read(changed("ready", name))
    instances.read(changed("gone", "web-2"))
    with stage.live.looking(["instances"]) as looker:
        ((_, data),) = messages(looker)
        assert data["whole"]
        assert [each["instance"] for each in data["instances"]] == ["web-1"]
    with stage.looking("instances") as sight:
        instances.read(changed("draining"))
        instances.read(changed("gone"))
        instances.read(changed("starting", "web-3"))
        told = (await sight.next())["instances"]
        assert [(each["instance"], each["state"]) for each in told] == [
            ("web-1", "gone"),
            ("web-3", "starting"),
        ]


async def test_how_it_was_started_is_told_as_soon_as_it_is_known() -> None:
    stage = Stage()
    instances = Instances(stage.live)
    with stage.looking("instances") as sight:
        seen = []
        for fact in (
            changed("starting"),
            changed("started", why="pid 4, forked"),
            changed("ready", why="pid 4, forked"),
            changed("frozen"),
            changed("thawed"),
            changed("starting"),
            cold("spawned"),
        ):
            instances.read(fact)
            (now,) = (await sight.next())["instances"]
            seen.append(now["how"])
    assert seen == ["", "forked", "forked", "forked", "thawed", "", "spawned"]
