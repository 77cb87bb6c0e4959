"""Functions that cannot run: each says in its condition what is wrong, where, and what to do.

Source of the cases: what goes wrong while a function is written.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.executable import ROOT, Knlite, free_port, wait_until

pytestmark = pytest.mark.e2e

PROJECT = "specVersion: 0.36.0\nname: {name}\nruntime: {runtime}\nimage: example.com/{name}\n"
SERVICE = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {name}}}
spec: {{template: {{spec: {{containers: [{{image: example.com/{name}}}]}}}}}}
"""
MAIN = "\ndef main(context):\n    return 'x'\n"
ELSEWHERE = (
    "import http.server\nhttp.server.HTTPServer(('127.0.0.1', {port}), None).serve_forever()"
)
GOOD = """
def main(context):
    print("asked", context.request.args["what"])
    answers = {"number": 5, "huge": (b"x" * 65536 for _ in range(8192)), "none": None}
    return answers[context.request.args["what"]]
"""

CASES: dict[str, tuple[str, str, str, str]] = {
    # name: (file, its text, what the condition says, what to do)
    "syntax": (
        "func.py",
        "x = 1\ndef main(:\n",
        "/func.py line 2 is not valid",
        "is not valid Python: invalid syntax",
    ),
    "absent": (
        "func.py",
        "import requestz" + MAIN,
        "/func.py line 1 imports requestz, which is not installed",
        "requirements.txt",
    ),
    "broken": (
        "func.py",
        "a = 1 / 0" + MAIN,
        "line 1 raised ZeroDivisionError",
        "division by zero",
    ),
    "leaves": ("func.py", "exit(3)" + MAIN, "line 1 ended the program", "end the program"),
    "missing": ("func.py", "def mein(context): ...", "no handler: it defines mein", "define one"),
    "empty": ("function/__init__.py", "x = 1", "does not define handle", "define it"),
    "text": ("func.py", "main = 'x'", "/func.py is a str, not a function", "define it"),
    "number": ("function/__init__.py", "def new(): return 5", "an int, has no handle", "give its"),
    "starts": (
        "function/__init__.py",
        "class F:\n  def start(self, cfg): cfg['NO_SUCH']\n  async def handle(self, *a): ...\n"
        "def new(): return F()\n",
        "line 2 raised KeyError in start(): 'NO_SUCH'",
        "",
    ),
    "unresolved": (
        "requirements.txt",
        "# first\nno-such-package-for-knlite==9\n",
        "cannot be installed",
        "/requirements.txt line 2",
    ),
    "elsewhere": ("func.py", ELSEWHERE + MAIN, "not on its PORT", "variable PORT names"),
    "cobol": ("main.cob", "x", "a cobol function cannot run as a process", "write a Procfile"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    sources = {name: {file: text} for name, (file, text, _, _) in CASES.items()}
    sources["unresolved"]["func.py"] = "import nothing_such" + MAIN
    sources["good"] = {"func.py": GOOD}
    sources["forever"] = {"func.py": "while True:\n    pass" + MAIN}
    for name, files in sources.items():
        runtime = "cobol" if name == "cobol" else "python"
        made = {"func.yaml": PROJECT.format(name=name, runtime=runtime), **files}
        for file, text in made.items():
            (folder / name / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / file).write_text(text.replace("{port}", str(free_port())))
        (folder / name / "service.yaml").write_text(SERVICE.format(name=name))
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Iterator[Knlite]:
    knlite = Knlite(str(folder), "--runtime", "process", "--debug")
    try:
        yield knlite
    finally:
        knlite.stop()


@pytest.mark.parametrize("name", CASES)
def test_its_condition_says_what_is_wrong_and_what_to_do(
    run: Knlite, folder: Path, name: str
) -> None:
    file, _, said, fix = CASES[name]
    path = f"/apis/serving.knative.dev/v1/namespaces/default/services/{name}"
    wait_until(run.answers, "the API")
    ready = wait_until(
        lambda: run.ready(path).get("status") == "False" and run.ready(path), f"{name} has failed"
    )
    assert said in ready["message"]
    assert fix in ready["message"]
    # The user's own file, not the copy that is run.
    assert "/sources/" not in ready["message"]
    if file.endswith(".py") and name != "elsewhere":
        assert str(folder / name / file) in ready["message"]


def test_what_never_ends_to_be_imported_says_where_it_stands(run: Knlite, folder: Path) -> None:
    lines = wait_until(
        lambda: run.logged("forever", "is still being imported"), "where forever stands"
    )
    assert f"{folder}/forever/func.py line" in lines[0]["text"]


def test_a_wrong_answer_is_a_500_that_the_log_explains(run: Knlite, folder: Path) -> None:
    wait_until(lambda: run.get("good.default", params={"what": "none"}).status_code == 500, "good")
    answer = run.get("good.default", params={"what": "number"})
    assert answer.status_code == 500
    assert "main() returned an int" in answer.text
    raised = run.get("good.default", params={"what": "x"})
    # Shown because of --debug.
    assert f'File "{folder}/good/func.py", line 5, in main' in raised.text
    explained = wait_until(lambda: run.logged("good", "main() returned an int"), "the log")
    asked = run.logged("good", "asked number")
    assert explained[0]["text"].startswith(f"{folder}/good/func.py: ")
    assert asked[0]["request"] == explained[0]["request"] != ""
    short = asked[0]["request"][-6:]
    assert f"[{short}] asked number" in run.shown("logs", "good")


def test_a_huge_answer_passes_through_without_being_held(run: Knlite) -> None:
    with run.http.stream(
        "GET", "/", params={"what": "huge"}, headers={"Host": "good.default.localhost"}
    ) as answer:
        assert answer.status_code == 200
        assert sum(len(part) for part in answer.iter_raw()) == 65536 * 8192
    process = Path(f"/proc/{run.process.pid}/status")
    if process.exists():
        peak = next(line for line in process.read_text().splitlines() if "VmHWM" in line)
        assert int(peak.split()[1]) < 300 * 1024


def test_a_func_yaml_without_a_language_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "func.yaml").write_text("specVersion: 0.36.0\nname: web\n")
    (tmp_path / "service.yaml").write_text(SERVICE.format(name="web"))
    done = subprocess.run(
        [sys.executable, "-m", "knlite", "up", str(tmp_path), "--port", str(free_port())],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=ROOT,
    )
    assert done.returncode == 2
    assert f"{tmp_path}/func.yaml:" in done.stderr
    assert "runtime" in done.stderr
