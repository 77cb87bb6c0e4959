"""How a Python function is run; Knative Functions reference §2.6, §2.7, §3.3."""

from pathlib import Path

import pytest

from knlite.errors import InstanceFailed
from knlite.functions.python import RUNNERS, SHARED, plan

PARLIAMENT = "from parliament import Context\ndef main(context: Context): return 'ok'\n"


def project(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_parliament_function_of_the_template_installs_nothing(tmp_path: Path) -> None:
    folder = project(
        tmp_path, {"func.py": PARLIAMENT, "requirements.txt": "parliament-functions==0.1.0\n"}
    )
    made = plan(folder)
    assert (made.style, made.requirements) == ("parliament", ())
    assert made.runner.is_file()


def test_what_a_function_imports_from_parliaments_dependencies_is_installed(tmp_path: Path) -> None:
    code = PARLIAMENT + "from cloudevents.http import CloudEvent\n"
    folder = project(
        tmp_path, {"func.py": code, "requirements.txt": "parliament-functions==0.1.0 # x\n"}
    )
    assert plan(folder).requirements == ("parliament-functions==0.1.0", "cloudevents<2")


def test_a_version_of_cloudevents_that_the_user_chose_stays(tmp_path: Path) -> None:
    text = "parliament-functions\n-r more.txt\n"
    folder = project(
        tmp_path,
        {
            "func.py": PARLIAMENT,
            "requirements.txt": text,
            "more.txt": "cloudevents==1.9\nrequests",
        },
    )
    assert plan(folder).requirements == ("parliament-functions", "cloudevents==1.9", "requests")


def test_a_func_project_without_foreign_imports_installs_nothing(tmp_path: Path) -> None:
    toml = "[project]\nname='function'\ndependencies=['httpx', 'pytest', 'pytest-asyncio']\n"
    folder = project(
        tmp_path,
        {
            "function/__init__.py": "import json\ndef new(): ...\n",
            "tests/test_func.py": "import pytest\n",
            "pyproject.toml": toml,
        },
    )
    made = plan(folder)
    assert (made.style, made.requirements, made.arguments[1]) == ("func", (), "http")


@pytest.mark.parametrize("style", ["new", "main"])
def test_what_is_listed_is_installed_though_nothing_imports_it_by_name(
    tmp_path: Path, style: str
) -> None:
    code = f"import importlib\ndef {style}(context): importlib.import_module('humanize')\n"
    listed = "parliament-functions\nhumanize\ncloudevents==1.9\n"
    folder = project(tmp_path, {"func.py": code, "requirements.txt": listed})
    assert "humanize" in plan(folder).requirements


def test_a_func_project_for_events_gets_the_sdk_and_no_test_tools(tmp_path: Path) -> None:
    toml = "[project]\nname='function'\ndependencies=['httpx', 'pytest']\n"
    code = "import httpx\ndef new(): ...\n"
    folder = project(tmp_path, {"function/__init__.py": code, "pyproject.toml": toml})
    assert plan(folder, "cloudevent").requirements == ("httpx", "cloudevents>=2,<3")


def test_a_function_of_neither_style_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(InstanceFailed) as failed:
        plan(project(tmp_path, {"app.py": "import flask\n"}))
    assert "knlite.dev/command" in failed.value.fix


@pytest.mark.parametrize("code", ["-" * 100_000 + "1", "1" + "+1" * 50_000], ids=["signs", "sums"])
def test_code_that_is_nested_too_deeply_is_the_interpreters_to_judge(
    tmp_path: Path, code: str
) -> None:
    folder = project(tmp_path, {"func.py": f"{PARLIAMENT}X = {code}\n", "Procfile": "web: x"})
    assert plan(folder).style == "parliament"


def test_a_procfile_may_be_anything(tmp_path: Path) -> None:
    folder = project(tmp_path, {"func.py": "def main(context): ...\n"})
    (folder / "Procfile").write_bytes(b"web: \xff\n")
    assert plan(folder).style == "parliament"


def test_all_that_runners_share_goes_into_images() -> None:
    # A zygote's own and the launcher are of processes.
    own = {"knlite_preloading.py", "knlite_start.py"}
    assert {each.name for each in RUNNERS.glob("knlite_*.py")} - own == {
        each.name for each in SHARED
    }
