from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest

from knlite.facts import RequestDone, ScaleDecided
from knlite.serving.instance import RevisionName
from knlite.serving.levels import InstanceCounts, RevisionLoad, RevisionScale
from knlite.telemetry.live.load import Load, Sampled
from tests.flows.conftest import JumpingLoop
from tests.unit.telemetry.live.looked import NOW, Stage, messages

pytestmark = pytest.mark.anyio
WEB = RevisionName("default", "web-00001")
SHOP = RevisionName("default", "shop-00001")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": JumpingLoop}


class Levels:
    """An activator and an autoscaler of which a test says how busy they are."""

    def __init__(self) -> None:
        self.active = {WEB: 0, SHOP: 0}
        self.asked: list[RevisionName] = []
        self.told: list[Sampled] = []

    def loads(self) -> Iterator[RevisionLoad]:
        return (self._load(name) for name in self.active)

    def load(self, revision: RevisionName) -> RevisionLoad | None:
        self.asked.append(revision)
        return self._load(revision) if revision in self.active else None

    @contextmanager
    def sampling(self, told: Sampled) -> Iterator[None]:
        self.told.append(told)
        yield
        self.told.remove(told)

    def sample(self, *revisions: RevisionName) -> None:
        """A second is over."""
        for each in self.told:
            each(revisions)

    def scales(self) -> Iterator[RevisionScale]:
        return (self._scale(name) for name in self.active)

    def scale(self, revision: RevisionName) -> RevisionScale | None:
        return self._scale(revision) if revision in self.active else None

    def _load(self, name: RevisionName) -> RevisionLoad:
        return RevisionLoad(
            namespace=name.namespace,
            service=name.name.partition("-")[0],
            revision=name.name,
            queued=0,
            active=self.active[name],
            concurrency=float(self.active[name]),
        )

    def _scale(self, name: RevisionName) -> RevisionScale:
        return RevisionScale(
            namespace=name.namespace,
            service=name.name.partition("-")[0],
            revision=name.name,
            configuration="",
            desired=1,
            requested=1,
            instances=InstanceCounts(ready=1, frozen=2),
            excess=0.0,
            panic=True,
            metric="concurrency",
            stable=0.5,
            in_panic_window=1.5,
            target=70.0,
        )


def staged() -> tuple[Stage, Levels]:
    stage, levels = Stage(), Levels()
    Load(stage.live, stage.bus, stage.clock, levels, levels)
    return stage, levels


def requests(*statuses: int, revision: RevisionName = WEB) -> Iterable[RequestDone]:
    for status in statuses:
        yield RequestDone(
            NOW, revision.namespace, "web", revision.name, "i", "GET", status, 0.1, False
        )


def told(message: Any) -> dict[str, dict[str, Any]]:
    return {each["revision"]: each for each in message["revisions"]}


async def test_who_looks_gets_the_load_and_the_scale_of_every_revision() -> None:
    stage, levels = staged()
    levels.active[WEB] = 3
    with stage.live.looking(["load"]) as looker:
        ((_, data),) = messages(looker)
    assert data["whole"]
    web = told(data)["web-00001"]
    assert (web["service"], web["active"], web["target"], web["frozen"]) == ("web", 3, 70.0, 2)
    assert (web["panic"], web["panicWindow"], web["desired"], web["notReady"]) == (True, 1.5, 1, 0)


async def test_a_second_of_samples_tells_of_the_requests_in_it() -> None:
    stage, levels = staged()
    with stage.looking("load") as sight:
        for fact in requests(200, 200, 503):
            stage.bus.publish(fact)
        levels.sample(WEB, SHOP)
        for fact in requests(200):
            stage.bus.publish(fact)
        first = told(await sight.next())
        assert first.keys() == {"web-00001"}
        assert (first["web-00001"]["requests"], first["web-00001"]["failed"]) == (3, 1)
        levels.sample(WEB, SHOP)
        assert told(await sight.next())["web-00001"]["requests"] == 1
        levels.sample(WEB, SHOP)
        assert told(await sight.next())["web-00001"]["requests"] == 0
        levels.sample(WEB, SHOP)
        assert await sight.nothing()


async def test_only_the_revisions_that_something_happens_to_are_asked() -> None:
    stage, levels = staged()
    with stage.looking("load") as sight:
        levels.active[WEB] = 1
        decided = ScaleDecided(
            at=NOW,
            namespace="default",
            service="web",
            revision="web-00001",
            desired=1,
            was=0,
            why="a request waits",
        )
        stage.bus.publish(decided)
        assert told(await sight.next()).keys() == {"web-00001"}
        assert levels.asked == [WEB]


async def test_a_revision_that_is_gone_is_told_so() -> None:
    stage, levels = staged()
    with stage.looking("load") as sight:
        levels.sample(WEB)
        del levels.active[WEB]
        assert told(await sight.next())["web-00001"]["gone"]


async def test_the_requests_that_a_slow_reader_has_missed_add_up() -> None:
    stage, levels = staged()
    with stage.live.looking(["load"]) as looker:
        looker.take()
        for second in range(5):
            for fact in requests(200, 500):
                stage.bus.publish(fact)
            levels.active[WEB] = second
            levels.sample(WEB)
            await anyio.sleep(1)
        ((_, data),) = messages(looker)
    web = told(data)["web-00001"]
    assert (web["requests"], web["failed"], web["active"]) == (10, 5, 4)


async def test_nothing_is_read_while_nobody_looks() -> None:
    stage, levels = staged()
    with stage.looking("load"):
        assert len(levels.told) == 1
    assert levels.told == []
    for fact in requests(200):
        stage.bus.publish(fact)
    with stage.looking("load") as sight:
        levels.sample(WEB)
        assert await sight.nothing()
