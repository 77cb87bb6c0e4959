"""A saved file becomes a new revision, on virtual time (docs/adr/0042)."""

from pathlib import Path

import pytest

from knlite.facts import Notice
from knlite.kinds.conditions import Condition, find
from knlite.kinds.core.pod import Pod
from knlite.kinds.labels import CODE, IDLE, MIN_SCALE
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.service import CONFIGURATIONS_READY, ROUTES_READY, Service
from knlite.reconcile import Key
from knlite.runtime.fake import Script
from knlite.serving.instance import RevisionName
from tests.flows import documents
from tests.flows.cell import UNREADABLE, Cell, on_virtual_time, opened

FUNC = Path("/code/web/func.py")
BROKEN = Script(booting=0.5, lives=0.1, message="func.py line 2 is not valid Python")


def service(cell: Cell) -> Service:
    found = cell.registry.view.get(Service, "default", "web")
    assert found is not None
    return found


def condition(cell: Cell, name: str) -> Condition:
    found = find(service(cell).status.conditions, name)
    assert found is not None
    return found


def served(cell: Cell) -> set[str]:
    """The revisions that the data plane sends requests to."""
    found = cell.requests.table.find(b"web.default.localhost")
    assert found is not None
    return {each.name for each in found.revisions}


def revisions(cell: Cell) -> list[str]:
    return [each.metadata.name for each in cell.registry.view.listed(Revision, "default")]


def running(cell: Cell) -> dict[str, int]:
    """How many instances accept requests, by revision."""
    found: dict[str, int] = {}
    for each in cell.runtime.instances:
        if each.accepts:
            found[each.launch.revision] = found.get(each.launch.revision, 0) + 1
    return found


def said(cell: Cell) -> list[str]:
    return [fact.text for fact in cell.facts if isinstance(fact, Notice)]


async def save(cell: Cell, digest: str) -> None:
    cell.code.save("web", digest)
    await changed(cell, FUNC)


async def changed(cell: Cell, path: Path, *, early: bool = False) -> None:
    changes = await cell.reloader.look([path], early=early)
    cell.reloader.take(changes)
    cell.reloader.write(changes)


async def begun(cell: Cell) -> None:
    """A service whose first revision is ready."""
    cell.code.save("web", "sha256:1")
    cell.service()
    await cell.advance(2)
    assert served(cell) == {"web-00001"}


@on_virtual_time
async def test_a_save_is_a_new_revision_that_gets_the_traffic_once_it_is_ready() -> None:
    async with opened() as cell:
        await begun(cell)
        assert CODE not in service(cell).spec.template.metadata.annotations
        await save(cell, "sha256:2")
        await cell.advance(0.3)
        assert served(cell) == {"web-00001"}
        await cell.advance(0.5)
        assert served(cell) == {"web-00002"}
        assert service(cell).spec.template.metadata.annotations[CODE] == "sha256:2"
        assert said(cell)[-2:] == [
            "default/web: func.py has changed",
            "default/web: live as web-00002 after 0.50 s",
        ]


@on_virtual_time
async def test_the_old_revision_goes_without_waiting_for_a_stable_window() -> None:
    async with opened() as cell:
        await begun(cell)
        await save(cell, "sha256:2")
        await cell.advance(4)
        assert running(cell) == {"web-00002": 1}


@pytest.mark.parametrize("idle", ["stop", "freeze"])
def test_it_goes_whatever_bounds_and_tiers_it_had(idle: str) -> None:
    @on_virtual_time
    async def flow() -> None:
        async with opened() as cell:
            cell.code.save("web", "sha256:1")
            notes = {IDLE: idle, MIN_SCALE: "1"}
            cell.apply(documents.service(revision={"annotations": notes}))
            await cell.advance(2)
            await save(cell, "sha256:2")
            await cell.advance(4)
            assert running(cell) == {"web-00002": 1}
            assert set(cell.runtime.discarded) == {
                each.launch.instance
                for each in cell.runtime.instances
                if each.launch.revision == "web-00001"
            }

    flow()


@on_virtual_time
async def test_what_is_under_way_ends_first() -> None:
    async with opened() as cell:
        await begun(cell)
        cell.requests.busy = True
        await save(cell, "sha256:2")
        await cell.advance(4)
        assert running(cell) == {"web-00001": 1, "web-00002": 1}
        for _, idle in cell.requests.draining:
            idle()
        await cell.advance(1)
        assert running(cell) == {"web-00002": 1}


@on_virtual_time
async def test_a_touched_file_changes_nothing() -> None:
    async with opened() as cell:
        await begun(cell)
        await save(cell, "sha256:1")
        await cell.advance(1)
        assert revisions(cell) == ["web-00001"]
        assert said(cell) == []


@on_virtual_time
async def test_what_was_saved_while_the_first_revision_was_made_counts() -> None:
    async with opened() as cell:
        await begun(cell)
        await changed(cell, FUNC.with_name("state.db~"), early=True)
        await cell.advance(1)
        assert served(cell) == {"web-00001"}
        await changed(cell, FUNC, early=True)
        await cell.advance(1)
        assert served(cell) == {"web-00002"}


@on_virtual_time
async def test_what_is_saved_while_a_folder_is_first_looked_through_counts() -> None:
    async with opened() as cell:
        cell.code.reading = 0.5
        cell.code.save("web", "sha256:1")
        cell.service()
        await cell.advance(0.2)
        await save(cell, "sha256:2")
        await cell.advance(3)
        assert service(cell).spec.template.metadata.annotations[CODE] == "sha256:2"
        assert served(cell) == {"web-00002"}


@on_virtual_time
async def test_code_that_could_not_be_read_at_first_is_followed_once_it_can() -> None:
    async with opened() as cell:
        cell.code.save("web", UNREADABLE)
        cell.service()
        await cell.advance(2)
        assert said(cell) == ["/code/web cannot be read"]
        for digest in ("sha256:1", "sha256:2"):
            await save(cell, digest)
            await cell.advance(3)
            assert service(cell).spec.template.metadata.annotations[CODE] == digest


@on_virtual_time
async def test_code_that_nothing_runs_any_more_is_no_news_until_something_does() -> None:
    async with opened() as cell:
        await begun(cell)
        cell.delete_service()
        await cell.advance(2)
        await save(cell, "sha256:2")
        await cell.advance(2)
        assert said(cell) == []
        cell.service()
        await cell.advance(3)
        assert service(cell).spec.template.metadata.annotations[CODE] == "sha256:2"


@on_virtual_time
async def test_who_watches_hears_once_of_all_that_come_together() -> None:
    names = [f"web-{number}" for number in range(20)]
    async with opened({name: Script(booting=0.5) for name in names}) as cell:
        heard: list[frozenset[Path]] = []
        cell.reloader.report_to(heard.append)
        for name in names:
            cell.code.save(name, "sha256:1")
        for name in names:
            cell.service(name, name)
        await cell.advance(2)
        assert heard == [frozenset(), {Path("/code", name) for name in names}]


@on_virtual_time
async def test_a_route_that_is_broken_anyway_does_not_count_against_the_change() -> None:
    async with opened() as cell:
        cell.code.save("web", "sha256:1")
        cell.apply(documents.service(traffic=[{"revisionName": "gone", "percent": 100}]))
        await cell.advance(2)
        await save(cell, "sha256:2")
        await cell.advance(0.2)
        assert said(cell)[-1] == "default/web: func.py has changed"
        await cell.advance(2)
        assert "web-00002 is ready, but not reached: " in said(cell)[-1]


@on_virtual_time
async def test_what_is_deleted_while_it_changes_in_its_place_is_not_live() -> None:
    async with opened({"web": Script(booting=0.5)}, in_place=True) as cell:
        await begun(cell)
        await save(cell, "sha256:2")
        await cell.advance(0.2)
        cell.delete_service()
        await cell.advance(5)
        assert said(cell) == ["default/web: func.py has changed"]
        assert cell.running() == 0


@on_virtual_time
async def test_a_pod_deleted_before_it_takes_anothers_place_leaves_that_running() -> None:
    async with opened({"web": Script(booting=0.5)}, in_place=True) as cell:
        await begun(cell)
        first = cell.runtime.instances[-1].launch.instance
        await save(cell, "sha256:2")
        await cell.advance(0.2)
        second = cell.runtime.instances[-1].launch.instance
        cell.registry.delete(Key(Pod, "default", second))
        await cell.advance(2)
        assert [each.instance for each in cell.requests.endpoints[_named("web-00001")]] == [first]
        assert "the change does not start: its Pod has been deleted" in said(cell)[-1]


@on_virtual_time
async def test_a_broken_save_leaves_the_old_one_serving_and_the_next_heals_it() -> None:
    scripts = {"web": Script(booting=0.5)}
    async with opened(scripts) as cell:
        await begun(cell)
        scripts["web"] = BROKEN
        await save(cell, "sha256:2")
        await cell.advance(1)
        assert served(cell) == {"web-00001"}
        assert running(cell) == {"web-00001": 1}
        failed = condition(cell, CONFIGURATIONS_READY)
        assert (failed.status, failed.reason) == ("False", "RevisionFailed")
        assert BROKEN.message in failed.message
        assert condition(cell, ROUTES_READY).status == "True"
        status = service(cell).status
        assert status.latest_created_revision_name == "web-00002"
        assert status.latest_ready_revision_name == "web-00001"
        assert said(cell)[-1] == (
            "default/web: web-00002 does not start; web-00001 goes on serving"
        )
        scripts["web"] = Script(booting=0.5)
        await save(cell, "sha256:3")
        await cell.advance(2)
        assert served(cell) == {"web-00003"}
        assert cell.ready().status == "True"
        assert revisions(cell) == ["web-00001", "web-00003"]


@on_virtual_time
async def test_of_many_saves_in_a_second_the_last_wins_and_nothing_is_left_of_the_others() -> None:
    async with opened() as cell:
        await begun(cell)
        for number in range(2, 12):
            await save(cell, f"sha256:{number}")
            await cell.advance(0.1)
        await cell.advance(5)
        assert served(cell) == {"web-00011"}
        assert running(cell) == {"web-00011": 1}
        assert revisions(cell) == ["web-00001", "web-00011"]


@on_virtual_time
async def test_many_saves_leave_a_few_revisions() -> None:
    async with opened() as cell:
        await begun(cell)
        for number in range(2, 22):
            await save(cell, f"sha256:{number}")
            await cell.advance(3)
        assert served(cell) == {"web-00021"}
        assert len(revisions(cell)) == 5


@on_virtual_time
async def test_a_save_that_goes_back_is_a_save() -> None:
    async with opened() as cell:
        await begun(cell)
        await save(cell, "sha256:2")
        await cell.advance(3)
        await save(cell, "sha256:1")
        await cell.advance(3)
        assert served(cell) == {"web-00003"}


@on_virtual_time
async def test_a_service_at_zero_shows_what_is_wrong_without_traffic() -> None:
    scripts = {"web": Script(booting=0.5)}
    async with opened(scripts) as cell:
        await begun(cell)
        await cell.advance(120)
        assert running(cell) == {}
        scripts["web"] = BROKEN
        await save(cell, "sha256:2")
        await cell.advance(1)
        assert cell.ready().status == "False"
        scripts["web"] = Script(booting=0.5)
        await save(cell, "sha256:3")
        await cell.advance(2)
        assert running(cell) == {"web-00003": 1}
        await cell.advance(120)
        assert running(cell) == {}
        assert cell.ready().status == "True"


@on_virtual_time
async def test_a_program_that_changes_its_own_code_is_held_back_and_its_last_change_runs() -> None:
    async with opened() as cell:
        await begun(cell)
        for number in range(2, 60):
            await save(cell, f"sha256:{number}")
            await cell.advance(0.1)
        assert "web-00021" in revisions(cell)
        assert sum("keeps changing" in text for text in said(cell)) == 1
        await cell.advance(15)
        assert cell.code.changed == {Path("/code/web"): "sha256:59"}
        assert len(service(cell).status.latest_ready_revision_name) > 0
        assert service(cell).spec.template.metadata.annotations[CODE] == "sha256:59"


@on_virtual_time
async def test_pinned_traffic_stays_and_that_is_said() -> None:
    async with opened() as cell:
        await begun(cell)
        cell.apply(documents.service(traffic=[{"revisionName": "web-00001", "percent": 100}]))
        await cell.advance(1)
        await save(cell, "sha256:2")
        await cell.advance(3)
        assert served(cell) == {"web-00001"}
        assert said(cell)[-1] == ("default/web: web-00002 is ready; its traffic is for web-00001")


@on_virtual_time
async def test_code_that_has_changed_between_two_runs_is_a_new_revision() -> None:
    async with opened() as cell:
        await begun(cell)
        await save(cell, "sha256:2")
        await cell.advance(3)
    kept = cell.kept.values()
    async with opened(kept=kept) as later:
        later.code.save("web", "sha256:2")
        later.reloader.sources_changed()
        await later.advance(2)
        later.apply(documents.service())
        await later.advance(2)
        assert served(later) == {"web-00002"}
    async with opened(kept=kept) as later:
        later.code.save("web", "sha256:9")
        later.reloader.sources_changed()
        await later.advance(3)
        assert served(later) == {"web-00003"}


@pytest.mark.parametrize("in_place", [True, False])
def test_a_revision_whose_author_has_named_it_gets_new_instances(in_place: bool) -> None:
    @on_virtual_time
    async def flow() -> None:
        scripts = {"web": Script(booting=0.5)}
        async with opened(scripts, in_place=in_place) as cell:
            cell.code.save("web", "sha256:1")
            cell.apply(documents.service(revision={} if in_place else {"name": "web-one"}))
            name = "web-00001" if in_place else "web-one"
            await cell.advance(2)
            first = cell.runtime.instances[-1].launch.instance
            await save(cell, "sha256:2")
            await cell.advance(0.3)
            assert [each.instance for each in cell.requests.endpoints[_named(name)]] == [first]
            await cell.advance(2)
            second = cell.runtime.instances[-1].launch.instance
            assert second != first
            assert [each.instance for each in cell.requests.endpoints[_named(name)]] == [second]
            assert running(cell) == {name: 1}
            scripts["web"] = BROKEN
            await save(cell, "sha256:3")
            await cell.advance(2)
            assert [each.instance for each in cell.requests.endpoints[_named(name)]] == [second]
            assert running(cell) == {name: 1}
            assert cell.ready().status == "True"
            assert "the change does not start" in said(cell)[-1]
            assert revisions(cell) == [name]

    flow()


def _named(name: str) -> RevisionName:
    return RevisionName("default", name)
