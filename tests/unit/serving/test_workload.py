"""Where the code of a service comes from, in the order that the README gives."""

from dataclasses import replace

import pytest

from knlite.serving.workload import (
    Choice,
    DockerfileFolder,
    FunctionProject,
    LocalCommand,
    RuntimePolicy,
    Sources,
    StoredImage,
    Unrunnable,
    choose,
)

PROJECT = FunctionProject(folder="/p", name="f", language="python", image="reg.io/f:latest")
COMMAND = {"knlite.dev/command": "python3 app.py"}
SOURCES = Sources(
    projects=(PROJECT,),
    folders={("default", "web"): "/m", ("default", "docker"): "/d"},
    dockerfiles=frozenset(("/d",)),
)


def chosen(
    image: str = "reg.io/other",
    service: str = "web",
    annotations: dict[str, str] | None = None,
    policy: RuntimePolicy = "auto",
    no_engine: str = "",
) -> Choice | Unrunnable:
    return choose(
        image=image,
        pull_policy="",
        annotations=annotations or {},
        namespace="default",
        manifest=service,
        sources=SOURCES,
        policy=policy,
        no_engine=no_engine,
    )


@pytest.mark.parametrize(
    ("found", "workload", "runtime"),
    [
        pytest.param(chosen("reg.io/f"), PROJECT, "docker", id="function, engine"),
        pytest.param(chosen("reg.io/f", no_engine="none"), PROJECT, "process", id="function, none"),
        pytest.param(chosen("reg.io/f", policy="process"), PROJECT, "process", id="forced"),
        pytest.param(chosen("reg.io/f", annotations={"knlite.dev/base-image": "python:3.12"}),
                     replace(PROJECT, base_image="python:3.12"), "docker", id="base image"),
        pytest.param(chosen(service="docker"), DockerfileFolder("/d", "reg.io/other"), "docker",
                     id="Dockerfile"),
        pytest.param(chosen(annotations=COMMAND), LocalCommand("python3 app.py", "/m"), "process",
                     id="command"),
        pytest.param(chosen(annotations={**COMMAND, "knlite.dev/workdir": "sub/.."}),
                     LocalCommand("python3 app.py", "/m"), "process", id="workdir"),
        pytest.param(chosen(), StoredImage("reg.io/other"), "docker", id="image"),
    ],
)  # fmt: skip
def test_the_first_that_is_there_is_taken(
    found: Choice | Unrunnable, workload: object, runtime: str
) -> None:
    assert isinstance(found, Choice)
    assert (found.workload, found.runtime) == (workload, runtime)


@pytest.mark.parametrize(
    ("found", "reason", "words"),
    [
        pytest.param(chosen(no_engine="gone"), "ContainerEngineMissing", "gone", id="image"),
        pytest.param(chosen(service="docker", policy="process"), "ContainerEngineMissing",
                     "Dockerfile", id="Dockerfile"),
        pytest.param(chosen(annotations=COMMAND, policy="docker"), "UnsupportedWorkload",
                     "--runtime auto", id="command in a container"),
    ],
)  # fmt: skip
def test_what_cannot_run_says_what_to_do(
    found: Choice | Unrunnable, reason: str, words: str
) -> None:
    assert isinstance(found, Unrunnable)
    assert found.reason == reason
    assert words in found.message


@pytest.mark.parametrize("image", ["reg.io/f", "reg.io/f:latest"])
def test_a_tag_that_is_not_written_is_latest(image: str) -> None:
    found = chosen(image)
    assert isinstance(found, Choice)
    assert found.workload == PROJECT
    assert isinstance(chosen("reg.io/f:v2"), Choice)
    assert chosen("reg.io/f:v2") != found


def test_of_two_projects_that_build_an_image_the_first_is_its_code() -> None:
    folders = ("/a", "/b")
    sources = Sources(
        projects=tuple(
            FunctionProject(folder=folder, name="web", language="python", image=image)
            for folder, image in zip(folders, ("reg.io/web:1", "reg.io/web:2"), strict=True)
        )
    )
    asked = ("reg.io/web:1", "reg.io/web:2", "reg.io/web@sha256:" + "a" * 64, "reg.io/other")
    found = [sources.project_of(image) for image in asked]
    assert [each.folder if each else "" for each in found] == ["/a", "/b", "/a", ""]
