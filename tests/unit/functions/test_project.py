"""Reading ``func.yaml``; Knative Functions reference §4.1."""

from pathlib import Path

import pytest

from knlite.functions.project import ProjectError, read
from knlite.serving.workload import FunctionProject

CURRENT = """\
# $schema: https://example.com/schema.json
specVersion: 0.36.0
name: hello
runtime: python
registry: docker.io/alice
created: 2024-01-02T03:04:05Z
invoke: cloudevent
build:
  builder: pack
  buildEnvs:
  - name: A
    value: b
run:
  envs:
  - name: GREETING
    value: hello
  - name: USER_NAME
    value: '{{ env:LOCAL_USER }}'
  - name: TOKEN
    value: '{{ secret:tokens:one }}'
  - value: '{{ configMap:settings }}'
deploy:
  namespace: default
  options:
    scale: {min: 0}
"""


def written(folder: Path, text: str) -> FunctionProject | ProjectError:
    (folder / "func.yaml").write_text(text)
    return read(folder, {"LOCAL_USER": "bob"})


def test_a_current_project_is_read_with_its_literal_variables(tmp_path: Path) -> None:
    assert written(tmp_path, CURRENT) == FunctionProject(
        folder=str(tmp_path),
        name="hello",
        language="python",
        image="docker.io/alice/hello:latest",
        invoke="cloudevent",
        envs={"GREETING": "hello", "USER_NAME": "bob"},
        builder="pack",
        build_envs={"A": "b"},
    )


def test_an_old_project_has_its_fields_at_the_top(tmp_path: Path) -> None:
    text = "name: old\nruntime: node\nimage: example.com/old:v1\ninvocation: {format: cloudevent}\n"
    project = written(tmp_path, text + "envs:\n- {name: A, value: 1}\n")
    assert isinstance(project, FunctionProject)
    assert (project.image, project.invoke) == ("example.com/old:v1", "cloudevent")
    assert project.envs == {"A": "1"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("name: a\n", 1, "runtime is missing", id="no runtime"),
        pytest.param("name: a\nruntime: go\ninvoke: grpc\n", 3, "http or cloudevent", id="invoke"),
        pytest.param("a: b\nc: [\n", 3, "not valid YAML", id="syntax"),
        pytest.param("- a\n", 1, "must be a mapping", id="list"),
        pytest.param(
            "runtime: go\nrun:\n  envs:\n  - name: A\n    value: '{{ env:NONE }}'\n",
            4,
            "no variable NONE",
            id="missing variable",
        ),
        pytest.param(
            "runtime: go\nrun:\n  envs:\n  - {name: A, value: b}\n  - {name: A, value: c}\n",
            5,
            'duplicate name "A"',
            id="duplicate",
        ),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    problem = written(tmp_path, text)
    assert isinstance(problem, ProjectError)
    assert problem.line == line
    assert words in problem.message
