"""Which plan a project gets; Knative Functions reference §2.6, §2.7, §4.2."""

from pathlib import Path

import pytest

from knlite.errors import InstanceFailed
from knlite.functions.golang import GoPlan
from knlite.functions.node import NodePlan
from knlite.functions.plan import plan
from knlite.functions.procfile import ProcfilePlan
from knlite.functions.python import PythonPlan
from knlite.serving.workload import FunctionProject

MAIN = "def main(context): return 'x'\n"


def project(language: str, folder: str = "/home/me/f") -> FunctionProject:
    return FunctionProject(folder=folder, name="f", language=language, image="")


@pytest.mark.parametrize(
    ("language", "files", "kind"),
    [
        pytest.param("python", {"func.py": MAIN}, PythonPlan, id="python"),
        pytest.param("node", {"index.js": ""}, NodePlan, id="node"),
        pytest.param(
            "go", {"go.mod": "module f\n", "f.go": "package f\nfunc Handle() {}"}, GoPlan, id="go"
        ),
        pytest.param("ruby", {"Procfile": "web: ruby x.rb"}, ProcfilePlan, id="a Procfile"),
        pytest.param(
            "node", {"index.js": "", "Procfile": "web: npm start"}, ProcfilePlan, id="its own way"
        ),
        pytest.param(
            "python",
            {"func.py": MAIN, "Procfile": "web: python -m parliament ."},
            PythonPlan,
            id="parliament's Procfile",
        ),
    ],
)
def test_the_plan_follows_from_language_and_files(
    tmp_path: Path, language: str, files: dict[str, str], kind: type
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert isinstance(plan(tmp_path, project(language)), kind)


def test_a_python_program_of_its_own_gets_what_it_lists(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import flask\napp = flask.Flask('x')\n")
    (tmp_path / "requirements.txt").write_text("flask\ngunicorn\n")
    (tmp_path / "Procfile").write_text("web: gunicorn app:app --bind 127.0.0.1:$PORT\n")
    planned = plan(tmp_path, project("python"))
    assert planned == ProcfilePlan(
        words=("gunicorn", "app:app", "--bind", "127.0.0.1:$PORT"),
        requirements=("flask", "gunicorn"),
    )


@pytest.mark.parametrize(
    ("language", "files", "said"),
    [
        pytest.param("python", {"func.py": "def mein(): ..."}, "defines mein", id="no handler"),
        pytest.param("python", {"README.md": ""}, "/home/me/f holds no function", id="nothing"),
        pytest.param("cobol", {}, "a cobol function cannot run as a process", id="language"),
    ],
)
def test_errors_name_the_users_own_folder(
    tmp_path: Path, language: str, files: dict[str, str], said: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InstanceFailed, match=said) as failed:
        plan(tmp_path, project(language))
    assert str(tmp_path) not in str(failed.value)
