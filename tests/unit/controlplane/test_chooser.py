"""What runs each container, from what a run has (README, "Where the code ... comes from")."""

from pathlib import Path

from msgspec.structs import replace

from knlite.controlplane.chooser import Chooser
from knlite.controlplane.wanted import of_revision
from knlite.kinds.labels import COMMAND, FUNCTION, SERVICE
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container, ContainerPort
from knlite.kinds.serving.revision import Revision, RevisionSpec
from knlite.serving.workload import (
    Choice,
    FunctionProject,
    LocalCommand,
    Sources,
    StoredImage,
    Unrunnable,
)

SERVING = Container(name="web", image="web", ports=(ContainerPort(container_port=80),))
SIDECAR = Container(name="side", image="side")
REVISION = Revision(
    metadata=ObjectMeta(
        name="web-00001",
        namespace="default",
        labels={SERVICE: "web"},
        annotations={COMMAND: "serve"},
    ),
    spec=RevisionSpec(containers=(SERVING, SIDECAR)),
)


def workload(found: Choice | Unrunnable) -> object:
    assert isinstance(found, Choice)
    return found.workload


def test_a_command_is_of_the_container_that_serves() -> None:
    chooser = Chooser("auto", {})
    assert workload(chooser.choose(of_revision(REVISION), SERVING)) == LocalCommand("serve", ".")
    assert workload(chooser.choose(of_revision(REVISION), SIDECAR)) == StoredImage("side")


def test_it_goes_by_the_files_at_hand() -> None:
    chooser = Chooser("auto", {})
    chooser.sources = Sources(folders={("default", "web"): "/shop"})
    found = chooser.choose(of_revision(REVISION), SERVING)
    assert workload(found) == LocalCommand("serve", "/shop")


def test_why_there_is_no_engine_is_told() -> None:
    chooser = Chooser("auto", {})
    chooser.no_engine = "nothing answers"
    plain = replace(REVISION, metadata=replace(REVISION.metadata, annotations={}))
    found = chooser.choose(of_revision(plain), SERVING)
    assert isinstance(found, Unrunnable)
    assert "nothing answers" in found.message


def function_in(folder: Path) -> Revision:
    meta = replace(REVISION.metadata, annotations={FUNCTION: str(folder)})
    return replace(REVISION, metadata=meta)


def test_a_function_is_where_its_deploy_has_said(tmp_path: Path) -> None:
    (tmp_path / "func.yaml").write_text("specVersion: 0.36.0\nname: web\nruntime: python\n")
    chooser = Chooser("process", {})
    deployed = function_in(tmp_path)
    project = workload(chooser.choose(of_revision(deployed), SERVING))
    assert isinstance(project, FunctionProject)
    assert (project.folder, project.image) == (str(tmp_path), "web")
    # A sidecar is not the function.
    assert isinstance(chooser.choose(of_revision(deployed), SIDECAR), Unrunnable)


def test_what_func_has_deployed_is_the_project_of_that_name() -> None:
    # func writes the image into func.yaml when it has deployed it, and not before.
    chooser = Chooser("process", {})
    project = FunctionProject(folder="/hello", name="hello", language="python", image="")
    chooser.sources = Sources(projects=(project,))
    labels = {SERVICE: "hello", "function.knative.dev/name": "hello"}
    deployed = replace(REVISION, metadata=ObjectMeta(name="hello-00001", labels=labels))
    found = workload(chooser.choose(of_revision(deployed), SERVING))
    assert isinstance(found, FunctionProject)
    assert (found.folder, found.image) == ("/hello", "web")
    other = replace(REVISION, metadata=ObjectMeta(name="hello-00001", labels={SERVICE: "hello"}))
    assert isinstance(chooser.choose(of_revision(other), SERVING), Unrunnable)


def test_the_files_at_hand_come_before_where_a_function_was_deployed_from(tmp_path: Path) -> None:
    chooser = Chooser("process", {})
    nearer = FunctionProject(folder="/near", name="web", language="python", image="web")
    chooser.sources = Sources(projects=(nearer,))
    assert workload(chooser.choose(of_revision(function_in(tmp_path)), SERVING)) == nearer


def test_a_function_whose_folder_is_gone_says_so(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    found = Chooser("process", {}).choose(of_revision(function_in(gone)), SERVING)
    assert isinstance(found, Unrunnable)
    assert str(gone) in found.message


def test_the_variables_of_a_deployed_function_are_those_of_its_service(tmp_path: Path) -> None:
    (tmp_path / "func.yaml").write_text(
        "specVersion: 0.36.0\nname: web\nruntime: python\nrun:\n  envs:\n"
        "  - {name: A, value: b}\n  - {name: B, value: '{{ env:OF_THE_AUTHOR }}'}\n"
    )
    deployed = function_in(tmp_path)
    project = workload(Chooser("process", {}).choose(of_revision(deployed), SERVING))
    assert isinstance(project, FunctionProject)
    assert project.envs == {}
