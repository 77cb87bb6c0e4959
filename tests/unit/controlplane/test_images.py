"""Code is prepared before it is needed, and again when that has failed."""

from collections.abc import Coroutine
from dataclasses import replace

import anyio
import pytest

from knlite.clock import LoopClock
from knlite.controlplane.images import Images
from knlite.controlplane.preparation import Code, Preparation
from knlite.controlplane.wanted import of_revision
from knlite.errors import InstanceFailed
from knlite.facts import Fact, PreparationStep
from knlite.kinds.catalog import read
from knlite.kinds.meta import Object
from knlite.kinds.serving.image import Image, image_name
from knlite.kinds.serving.revision import Revision
from knlite.reconcile import Key
from knlite.runtime.fake import FakeRuntime, Script
from knlite.serving.instance import RevisionName
from knlite.serving.workload import (
    Choice,
    FunctionProject,
    LocalCommand,
    RuntimeName,
    Workload,
)
from tests.flows.cell import STARTED, on_virtual_time
from tests.unit.registry.desk import registry

FUNCTION = FunctionProject(folder="/f", name="f", language="python", image="f")
REVISION = RevisionName("default", "web-00001")


def revision(name: RevisionName) -> Revision:
    tree = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Revision",
        "metadata": {"name": name.name, "namespace": name.namespace},
        "spec": {"containers": [{"image": "reg.io/f-unction"}]},
    }
    found = read(tree).value
    assert isinstance(found, Revision)
    return found


async def prepared(reason: str, *names: RuntimeName) -> tuple[str, list[Fact]]:
    """On which runtime a function runs when docker fails with *reason*; or the reason."""
    desk, clock, facts = registry(), LoopClock(STARTED), list[Fact]()
    desk.create(revision(REVISION), user="test")
    failure = InstanceFailed(reason, "the base image cannot be pulled")
    runtimes = {
        "docker": FakeRuntime(clock, lambda _: Script(prepare_fails=failure)),
        "process": FakeRuntime(clock),
    }
    preparation = Preparation(
        desk,
        {name: runtimes[name] for name in names},
        lambda *_: Choice(FUNCTION, "docker", "a test"),
        clock,
        facts.append,
    )
    images = Images(desk, preparation, clock)
    async with anyio.create_task_group() as group:
        await group.start(images.run)
        try:
            code = (await images.pod_of(REVISION)).serving
        except InstanceFailed as exc:
            return exc.reason, facts
        else:
            return code.choice.runtime, facts
        finally:
            group.cancel_scope.cancel()


@on_virtual_time
async def test_a_function_without_its_base_image_runs_from_source_and_says_so() -> None:
    runtime, facts = await prepared("ErrImagePull", "docker", "process")
    assert runtime == "process"
    steps = [fact.text for fact in facts if isinstance(fact, PreparationStep)]
    assert steps == ["the base image cannot be pulled; it runs as a local process instead"]


@on_virtual_time
async def test_where_containers_are_insisted_on_it_fails() -> None:
    assert (await prepared("ErrImagePull", "docker"))[0] == "ErrImagePull"


@on_virtual_time
async def test_a_build_that_fails_is_not_hidden() -> None:
    assert (await prepared("BuildFailed", "docker", "process"))[0] == "BuildFailed"


@on_virtual_time
async def test_revisions_with_one_command_share_a_preparation_that_has_not_begun() -> None:
    desk, clock = registry(), LoopClock(STARTED)
    asked = list[float]()

    def script(_: Workload) -> Script:
        asked.append(clock.now())
        return Script(preparing=1.0)

    preparation = Preparation(
        desk,
        {"process": FakeRuntime(clock, script)},
        lambda *_: Choice(LocalCommand("./serve", "/folder"), "process", "a test"),
        clock,
        lambda _: None,
    )
    images = Images(desk, preparation, clock)
    names = [RevisionName("default", f"web-{number:05d}") for number in range(11)]
    for name in names:
        desk.create(revision(name), user="test")
    began = clock.now()
    async with anyio.create_task_group() as group:
        await group.start(images.run)
        async with anyio.create_task_group() as waiting:
            for name in names[:-1]:
                waiting.start_soon(images.pod_of, name)
            # The folder may have changed since the first began.
            await clock.sleep_until(began + 0.5)
            waiting.start_soon(images.pod_of, names[-1])
        group.cancel_scope.cancel()
    assert asked == [began, began + 0.5]


@on_virtual_time
async def test_a_preparation_that_is_given_up_while_it_waits_fails_no_other() -> None:
    desk, clock = registry(), LoopClock(STARTED)
    choices = {
        f"web-{number:05d}": LocalCommand("./serve", f"/{min(number, 4)}") for number in range(6)
    }
    preparation = Preparation(
        desk,
        {"process": FakeRuntime(clock, lambda _: Script(preparing=1.0))},
        lambda wanted, _: Choice(choices[wanted.revision], "process", "a test"),
        clock,
        lambda _: None,
    )
    names = [RevisionName("default", name) for name in choices]
    for name in names:
        desk.create(revision(name), user="test")

    def code(name: RevisionName) -> Coroutine[object, object, Code]:
        found = desk.view.get(Revision, *name)
        assert found is not None
        return preparation.code(of_revision(found), found.spec.containers[0])

    async with anyio.create_task_group() as group:
        # These are as many as are prepared at a time.
        for name in names[:4]:
            group.start_soon(code, name)
        await anyio.wait_all_tasks_blocked()
        with anyio.CancelScope() as given_up:
            async with anyio.create_task_group() as waiting:
                waiting.start_soon(code, names[4])
                await anyio.wait_all_tasks_blocked()
                group.start_soon(code, names[5])
                await anyio.wait_all_tasks_blocked()
                given_up.cancel()
    with anyio.fail_after(10):
        assert (await code(names[4])).choice.workload == choices["web-00004"]


@on_virtual_time
async def test_code_that_was_replaced_is_forgotten_with_its_revision() -> None:
    desk, clock = registry(), LoopClock(STARTED)
    folders = ["/one", "/two"]
    runtime = FakeRuntime(clock)
    preparation = Preparation(
        desk,
        {"docker": runtime},
        lambda *_: Choice(replace(FUNCTION, folder=folders[0]), "docker", "a test"),
        clock,
        lambda _: None,
    )
    images = Images(desk, preparation, clock)
    async with anyio.create_task_group() as group:
        await group.start(images.run)
        desk.create(image_of(desk.create(revision(REVISION), user="test")), user="test")
        before = await images.pod_of(REVISION)
        folders.reverse()
        images.keep(await images.renew(REVISION))
        after = await images.pod_of(REVISION)
        assert after.serving.prepared != before.serving.prepared
        assert runtime.forgotten == []
        desk.delete(Key(Image, "default", image_name(REVISION.name, "")))
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert set(runtime.forgotten) == {each.serving.prepared.digest for each in (before, after)}


@on_virtual_time
async def test_new_code_that_brings_a_bug_to_light_leaves_the_old_one() -> None:
    desk, clock = registry(), LoopClock(STARTED)
    scripts = [Script(), Script(prepare_fails=RuntimeError("a bug"))]
    preparation = Preparation(
        desk,
        {"docker": FakeRuntime(clock, lambda _: scripts[0])},
        lambda *_: Choice(FUNCTION, "docker", "a test"),
        clock,
        lambda _: None,
    )
    images = Images(desk, preparation, clock)
    async with anyio.create_task_group() as group:
        await group.start(images.run)
        desk.create(revision(REVISION), user="test")
        before = await images.pod_of(REVISION)
        scripts.reverse()
        with pytest.raises(InstanceFailed, match="knlite has a bug"):
            await images.renew(REVISION)
        assert await images.pod_of(REVISION) == before
        group.cancel_scope.cancel()


@on_virtual_time
async def test_code_is_forgotten_with_the_last_revision_that_has_it() -> None:
    desk, clock = registry(), LoopClock(STARTED)
    runtime = FakeRuntime(clock)
    preparation = Preparation(
        desk,
        {"docker": runtime},
        lambda *_: Choice(FUNCTION, "docker", "a test"),
        clock,
        lambda _: None,
    )
    images = Images(desk, preparation, clock)
    names = [RevisionName("default", f"web-{number:05d}") for number in (1, 2)]
    async with anyio.create_task_group() as group:
        await group.start(images.run)
        for name in names:
            owner = desk.create(revision(name), user="test")
            desk.create(image_of(owner), user="test")
            await images.pod_of(name)
        forgotten = []
        for name in names:
            desk.delete(Key(Image, "default", image_name(name.name, "")))
            await anyio.wait_all_tasks_blocked()
            forgotten.append(list(runtime.forgotten))
        group.cancel_scope.cancel()
    assert forgotten[0] == []
    assert len(forgotten[1]) == 1


def image_of(owner: Object) -> Image:
    """The Image of the only container of a revision."""
    tree = {
        "apiVersion": "caching.internal.knative.dev/v1alpha1",
        "kind": "Image",
        "metadata": {
            "name": image_name(owner.metadata.name, ""),
            "namespace": "default",
            "ownerReferences": [
                {
                    "apiVersion": "serving.knative.dev/v1",
                    "kind": "Revision",
                    "name": owner.metadata.name,
                    "uid": owner.metadata.uid,
                    "controller": True,
                }
            ],
        },
        "spec": {"image": "reg.io/f-unction"},
    }
    found = read(tree).value
    assert isinstance(found, Image)
    return found
