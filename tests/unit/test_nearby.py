"""Code that is found below the folder of a run without manifests."""

import os
from pathlib import Path

import pytest

from knlite import nearby
from knlite.nearby import code_below

SERVICE = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: NAME, namespace: shop}
spec: {template: {spec: {containers: [{image: example.com/NAME}]}}}
"""


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_code_is_found_as_for_paths_that_are_given(tmp_path: Path) -> None:
    write(tmp_path / "web" / "service.yaml", SERVICE.replace("NAME", "web"))
    write(tmp_path / "web" / "Dockerfile", "FROM scratch\n")
    write(tmp_path / "greet" / "func.yaml", "{name: greet, runtime: python, image: x/greet}")
    found = code_below(tmp_path, {})
    assert found.folders == {("shop", "web"): str(tmp_path / "web")}
    assert found.dockerfiles == {str(tmp_path / "web")}
    assert [project.image for project in found.projects] == ["x/greet"]


def test_mistakes_are_for_whoever_applies_them(tmp_path: Path) -> None:
    write(tmp_path / "broken.yaml", SERVICE + "  - [")
    write(tmp_path / "func.yaml", "[")
    write(tmp_path / "service.yaml", SERVICE.replace("NAME", "web"))
    assert code_below(tmp_path, {}).folders == {("shop", "web"): str(tmp_path)}


def test_it_does_not_look_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearby, "LOOKED_AT", 2)
    for name in ("a", "b", "c"):
        write(tmp_path / name / "service.yaml", SERVICE.replace("NAME", name))
    assert {name for _, name in code_below(tmp_path, {}).folders} == {"a", "b"}
    assert not code_below(tmp_path / "nowhere", {}).folders


@pytest.mark.parametrize("name", ["pipe.yaml", "func.yaml", "Dockerfile"])
def test_a_pipe_is_no_file(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    assert not code_below(tmp_path, {}).dockerfiles


def test_data_that_is_called_as_a_manifest_is_not_read_into_memory(tmp_path: Path) -> None:
    with (tmp_path / "data.json").open("wb") as file:
        file.truncate(1 << 40)
    assert not code_below(tmp_path, {}).folders
