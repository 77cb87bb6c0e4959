"""Code is prepared before it is needed, and again when that has failed."""

import anyio

from knlite.clock import LoopClock
from knlite.controlplane.images import Images
from knlite.errors import InstanceFailed
from knlite.facts import Fact, PreparationStep
from knlite.kinds.catalog import read
from knlite.runtime.fake import FakeRuntime, Script
from knlite.serving.instance import RevisionName
from knlite.serving.workload import Choice, FunctionProject, RuntimeName
from tests.flows.cell import STARTED, on_virtual_time
from tests.unit.registry.test_registry import registry

FUNCTION = FunctionProject(folder="/f", name="f", language="python", image="f")
REVISION = RevisionName("default", "web-00001")


async def prepared(reason: str, *names: RuntimeName) -> tuple[str, list[Fact]]:
    """On which runtime a function runs when docker fails with *reason*; or the reason."""
    desk, clock, facts = registry(), LoopClock(STARTED), list[Fact]()
    tree = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Revision",
        "metadata": {"name": REVISION.name, "namespace": REVISION.namespace},
        "spec": {"containers": [{"image": "reg.io/f-unction"}]},
    }
    revision = read(tree).value
    assert revision is not None
    desk.create(revision, user="test")
    failure = InstanceFailed(reason, "the base image cannot be pulled")
    runtimes = {
        "docker": FakeRuntime(clock, lambda _: Script(prepare_fails=failure)),
        "process": FakeRuntime(clock),
    }
    images = Images(
        desk,
        {name: runtimes[name] for name in names},
        lambda _: Choice(FUNCTION, "docker", "a test"),
        clock,
        facts.append,
    )
    async with anyio.create_task_group() as group:
        await group.start(images.run)
        try:
            code = await images.code_of(REVISION)
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
