"""Code is live as soon as it is saved, and no request fails meanwhile (docs/adr/0042).

The tests of this module share a run, and each service is of one test.
"""

import os
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.executable import PATIENCE, Knlite, wait_until

pytestmark = pytest.mark.e2e

RELOADS = 20
REQUESTS = 5000
CLIENTS = 4

FUNCTION = "def main(context):\n    return {body!r}, 200\n"
WORDS = "import words\n\n\ndef main(context):\n    return words.WORD, 200\n"
COMMAND = """\
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        with open("state.db", "a") as state:
            state.write("x")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{body}")


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Hello).serve_forever()
"""


class Project:
    """Functions, a command and their manifests in a folder that ``knlite up`` follows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, path: str, text: str) -> None:
        """Save a file as editors do: beside its place, then renamed into it."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f".{file.name}.tmp")
        beside.write_text(text)
        beside.rename(file)

    def function(self, name: str, body: str = "one") -> None:
        self.save(f"{name}/func.py", FUNCTION.format(body=body))
        self.save(f"{name}/func.yaml", f"name: {name}\nruntime: python\nimage: {name}\n")
        self.manifest(name)

    def manifest(self, name: str, env: str = "", **annotations: str) -> None:
        notes = "".join(f"        {key}: {value}\n" for key, value in annotations.items())
        metadata = f"    metadata:\n      annotations:\n{notes}" if notes else ""
        variable = f"          env: [{{name: WORD, value: {env}}}]\n" if env else ""
        self.save(
            f"{name}/service.yaml",
            "apiVersion: serving.knative.dev/v1\nkind: Service\n"
            f"metadata: {{name: {name}}}\n"
            f"spec:\n  template:\n{metadata}    spec:\n      containers:\n"
            f"        - image: {name}\n{variable}",
        )

    def command(self, name: str) -> None:
        self.save(f"{name}/app.py", COMMAND.replace("{body}", "one"))
        self.manifest(name, **{"knlite.dev/command": "python3 app.py"})

    def wheel(self, word: str) -> str:
        """A package that nobody has to download; the requirement that asks for it."""
        file = self.folder.parent / f"words-{word}" / "words-1.0-py3-none-any.whl"
        file.parent.mkdir()
        about = "words-1.0.dist-info"
        with zipfile.ZipFile(file, "w") as wheel:
            wheel.writestr("words.py", f"WORD = {word!r}\n")
            wheel.writestr(
                f"{about}/METADATA", "Metadata-Version: 2.1\nName: words\nVersion: 1.0\n"
            )
            wheel.writestr(
                f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{about}/RECORD", "")
        return f"words @ file://{file}\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("reload") / "project")
    for name in ("saved", "broken", "yaml", "busy"):
        made.function(name)
    made.command("command")
    made.function("needs")
    made.save("needs/requirements.txt", made.wheel("first"))
    made.save("needs/func.py", WORDS)
    return made


@pytest.fixture(scope="module")
def run(project: Project) -> Iterator[Knlite]:
    cache = project.folder.parent / "cache"
    knlite = Knlite(str(project.folder), "--runtime", "process", env={"XDG_CACHE_HOME": str(cache)})
    try:
        yield knlite.settled()
    finally:
        knlite.stop()


def answers(run: Knlite, name: str, body: str) -> None:
    wait_until(lambda: run.get(f"{name}.default").text == body, f"{name} answers {body}")


def service(run: Knlite, name: str) -> dict[str, Any]:
    return run.object(f"/apis/serving.knative.dev/v1/namespaces/default/services/{name}")


def revisions(run: Knlite, name: str) -> list[str]:
    listed = run.object("/apis/serving.knative.dev/v1/namespaces/default/revisions")["items"]
    names = [each["metadata"]["name"] for each in listed]
    return [each for each in names if each.rpartition("-")[0] == name]


def test_a_saved_function_is_live_and_its_manifest_stays_as_it_was(
    run: Knlite, project: Project
) -> None:
    answers(run, "saved", "one")
    assert run.follows_files() is not False
    before = service(run, "saved")["spec"]["template"].get("metadata", {})
    assert "knlite.dev/code" not in before.get("annotations", {})
    project.save("saved/func.py", FUNCTION.format(body="two"))
    answers(run, "saved", "two")
    wait_until(lambda: run.seen("Notice", level="info"), "a notice")
    texts = [fact["text"] for fact in run.seen("Notice")]
    assert "default/saved: func.py has changed" in texts
    # Neither touching nor what is made from the code is a change.
    os.utime(project.folder / "saved" / "func.py")
    project.save("saved/__pycache__/func.pyc", "")
    project.save("saved/func.py", FUNCTION.format(body="three"))
    answers(run, "saved", "three")
    assert revisions(run, "saved") == ["saved-00001", "saved-00002", "saved-00003"]


def test_a_broken_save_leaves_the_old_code_serving_and_says_what_is_wrong(
    run: Knlite, project: Project
) -> None:
    answers(run, "broken", "one")
    project.save("broken/func.py", "def main(context):\n    return ((\n")
    path = "/apis/serving.knative.dev/v1/namespaces/default/services/broken"
    wait_until(lambda: run.ready(path).get("status") == "False", "not ready")
    file = project.folder / "broken" / "func.py"
    conditions = {each["type"]: each for each in service(run, "broken")["status"]["conditions"]}
    assert conditions["ConfigurationsReady"]["reason"] == "RevisionFailed"
    assert f"{file} line 2 is not valid Python" in conditions["ConfigurationsReady"]["message"]
    assert conditions["RoutesReady"]["status"] == "True"
    answers(run, "broken", "one")
    assert f"default/broken: {file} line 2 is not valid Python" in run.shown("get", "ksvc")
    said = "default/broken: broken-00002 does not start; broken-00001 goes on serving"
    wait_until(lambda: run.seen("Notice", text=said), "the notice")
    project.save("broken/func.py", FUNCTION.format(body="two"))
    answers(run, "broken", "two")
    wait_until(lambda: run.ready(path).get("status") == "True", "ready again")
    assert revisions(run, "broken") == ["broken-00001", "broken-00003"]


def test_a_changed_requirement_is_installed_for_the_new_revision(
    run: Knlite, project: Project
) -> None:
    answers(run, "needs", "first")
    project.save("needs/requirements.txt", project.wheel("second"))
    answers(run, "needs", "second")


def test_a_command_is_started_anew_and_what_it_writes_is_no_change(
    run: Knlite, project: Project
) -> None:
    answers(run, "command", "one")
    assert (project.folder / "command" / "state.db").exists()
    project.save("command/app.py", COMMAND.replace("{body}", "two"))
    answers(run, "command", "two")
    assert revisions(run, "command") == ["command-00001", "command-00002"]


def test_a_manifest_and_its_code_change_in_one_step(run: Knlite, project: Project) -> None:
    answers(run, "yaml", "one")
    project.manifest("yaml", env="two")
    source = "import os\n\n\ndef main(context):\n    return os.environ['WORD'], 200\n"
    project.save("yaml/func.py", source)
    answers(run, "yaml", "two")
    # A manifest is no code.
    project.manifest("yaml", env="three")
    answers(run, "yaml", "three")
    assert len(revisions(run, "yaml")) in (3, 4)


def test_no_request_fails_while_code_is_saved_again_and_again(
    run: Knlite, project: Project
) -> None:
    answers(run, "busy", "one")
    seen: Counter[str] = Counter()
    failed: list[str] = []
    over = threading.Event()

    def ask() -> None:
        # A connection that is kept, as of a browser or another service.
        with closing(HTTPConnection("127.0.0.1", run.port, timeout=PATIENCE)) as connection:
            while not over.is_set():
                try:
                    connection.request("GET", "/", headers={"Host": "busy.default.localhost"})
                    answer = connection.getresponse()
                    text = answer.read().decode()
                except (OSError, HTTPException) as error:
                    failed.append(repr(error))
                    return
                if answer.status == 200:
                    seen[text] += 1
                else:
                    failed.append(f"{answer.status} {text}")

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        for number in range(1, RELOADS + 1):
            project.save("busy/func.py", FUNCTION.format(body=f"save {number}"))
            wait_until(lambda body=f"save {number}": seen[body] or failed, "the new code")
            so_far = REQUESTS * number // RELOADS
            wait_until(lambda least=so_far: seen.total() >= least or failed, "enough requests")
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failed == []
    # What newer saves have taken the place of is gone, but for the last few.
    wait_until(lambda: len(revisions(run, "busy")) <= 5, "old revisions are gone")
