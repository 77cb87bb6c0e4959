"""Which objects run code from which folders, and what counts as that code."""

from pathlib import Path

import pytest

from knlite.controlplane.chooser import Chooser
from knlite.controlplane.localcode import LocalCode
from knlite.errors import InstanceFailed
from knlite.kinds.catalog import read
from knlite.kinds.labels import COMMAND, FUNCTION
from knlite.kinds.serving.service import Service
from knlite.serving.workload import FunctionProject, LocalCommand, Sources


def service(image: str = "web", **annotations: str) -> Service:
    template = {
        "metadata": {"annotations": annotations},
        "spec": {"containers": [{"image": image}]},
    }
    found = read(
        {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"template": template},
        }
    ).value
    assert isinstance(found, Service)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "web"
    made.mkdir()
    (made / "func.py").write_text("def main(context): ...\n")
    (made / "func.yaml").write_text("name: web\nruntime: python\n")
    return made


@pytest.fixture
def chooser(folder: Path) -> Chooser:
    made = Chooser("process", {})
    made.sources = Sources(
        projects=(FunctionProject(folder=str(folder), name="web", language="python", image="web"),),
        folders={("default", "web"): str(folder)},
        manifests=frozenset({str(folder / "service.yaml")}),
    )
    return made


@pytest.fixture
def code(chooser: Chooser, tmp_path: Path, folder: Path) -> LocalCode:
    return LocalCode(chooser, tmp_path / "cache", folder / "data")


def test_a_function_and_a_command_are_local(code: LocalCode, folder: Path) -> None:
    assert [*code.of(service())] == [folder]
    assert isinstance(code.of(service())[folder], FunctionProject)
    command = code.of(service("other", **{COMMAND: "python3 app.py"}))
    assert command == {folder: LocalCommand("python3 app.py", str(folder))}
    assert code.of(service("example.com/remote")) == {}


def test_what_was_deployed_stays_as_it_was(code: LocalCode, chooser: Chooser, folder: Path) -> None:
    chooser.sources = Sources()
    assert code.of(service(**{FUNCTION: str(folder)})) == {}


async def test_manifests_and_what_knlite_writes_are_no_code(code: LocalCode, folder: Path) -> None:
    project = code.of(service())[folder]
    before = await code.look(project, folder)
    (folder / "service.yaml").write_text("kind: Service\n")
    (folder / "data").mkdir()
    (folder / "data" / "events.db").write_text("")
    assert await code.look(project, folder) == before
    (folder / "func.py").write_text("changed\n")
    assert await code.look(project, folder) != before


async def test_of_a_command_what_it_writes_is_no_code(code: LocalCode, folder: Path) -> None:
    command = LocalCommand("python3 app.py", str(folder))
    before = await code.look(command, folder)
    (folder / "state.db").write_text("x")
    assert await code.look(command, folder) == before
    (folder / "app.py").write_text("x")
    assert await code.look(command, folder) != before


async def test_a_folder_that_is_gone_is_said(code: LocalCode, tmp_path: Path) -> None:
    with pytest.raises(InstanceFailed, match="is gone"):
        await code.look(LocalCommand("x", ""), tmp_path / "nowhere")
