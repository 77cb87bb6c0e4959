"""Functions in Node.js, TypeScript, Go and, by a Procfile, any language, run as processes.

Knative Functions reference §4.2.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.executable import COMPILING, Knlite, running, wait_until
from tests.required import program

pytestmark = pytest.mark.e2e

SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"
PROJECT = "specVersion: 0.36.0\nname: {name}\nruntime: {runtime}\nimage: example.com/{name}\n"
SERVICE = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {name}}}
spec: {{template: {{spec: {{containers: [{{image: example.com/{name}}}]}}}}}}
"""
NODE = """
const handle = async (context, body) => {
  console.log('asked');
  if (context.query.fail) throw new Error('told to');
  return { body: { got: body }, statusCode: 201 };
};
module.exports = { handle };
"""
TYPED = """
export const handle = async (context: { method: string }): Promise<{ body: string }> =>
  ({ body: `typed ${context.method}` });
"""
PACKAGE = """
{"main": "build/index.js", "scripts": {"build": "tsc"},
 "dependencies": {"faas-js-runtime": "3.0.2"}, "devDependencies": {"typescript": "^5"}}
"""
CONFIG = """
{"compilerOptions": {"outDir": "build", "rootDir": "src", "module": "commonjs", "target": "es2022"}}
"""
GO = """package function

import (
	"fmt"
	"net/http"
)

func Handle(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("fail") != "" {
		panic("told to")
	}
	fmt.Fprintf(w, "go %s", r.Method)
}
"""


def write(folder: Path, name: str, runtime: str, **files: str) -> None:
    made = {"func.yaml": PROJECT.format(name=name, runtime=runtime), **files}
    for file, text in made.items():
        (folder / name / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / file).write_text(text)
    (folder / name / "service.yaml").write_text(SERVICE.format(name=name))


def ready(knlite: Knlite, name: str) -> None:
    path = f"{SERVICES}/{name}"
    known = ("True", "False")
    wait_until(
        lambda: knlite.ready(path).get("status") in known,
        f"{name} is ready or not",
        patience=COMPILING,
    )
    assert knlite.ready(path)["status"] == "True", knlite.ready(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Functions of all languages, whether there are tools for them or not."""
    folder = tmp_path_factory.mktemp("languages")
    write(folder, "js", "node", **{"index.js": NODE})
    typed = {"src/index.ts": TYPED, "package.json": PACKAGE, "tsconfig.json": CONFIG}
    write(folder, "ts", "typescript", **typed)
    write(folder, "wrong", "node", **{"index.js": "const x = ;\n"})
    write(folder, "go", "go", **{"go.mod": "module function\n\ngo 1.21\n", "handle.go": GO})
    write(folder, "file", "ruby", Procfile="web: exec python3 -m http.server $PORT\n", page="hi")
    return folder


@pytest.fixture(scope="module")
def knlite(folder: Path) -> Iterator[Knlite]:
    """One run of all of them, with new code in the same revisions."""
    with running(folder, "--reload", "in-place") as run:
        yield run


def test_a_node_function_answers_fails_and_logs(knlite: Knlite) -> None:
    program("npm")
    ready(knlite, "js")
    answer = knlite.http.post("/", json={"a": 1}, headers={"Host": "js.default.localhost"})
    assert (answer.status_code, answer.json()) == (201, {"got": {"a": 1}})
    assert knlite.get("js.default", params={"fail": "1"}).status_code == 500
    lines = wait_until(lambda: knlite.logged("js", "asked")[1:], "what it logs")
    assert lines[0]["request"]


def test_a_typescript_function_is_compiled(knlite: Knlite) -> None:
    program("npm")
    ready(knlite, "ts")
    assert knlite.get("ts.default").text == "typed GET"


def test_a_node_function_that_is_wrong_says_where(knlite: Knlite, folder: Path) -> None:
    program("npm")
    path = f"{SERVICES}/wrong"
    wait_until(lambda: knlite.ready(path).get("status") == "False", "the wrong one has failed")
    said = f"{folder}/wrong/index.js line 1: Unexpected token"
    assert said in knlite.ready(path)["message"]


def test_a_go_function_answers_and_a_panic_is_a_500(knlite: Knlite) -> None:
    program("go")
    ready(knlite, "go")
    assert knlite.get("go.default").text == "go GET"
    assert knlite.get("go.default", params={"fail": "1"}).status_code == 500
    wait_until(lambda: knlite.logged("go", "panic: told to"), "the panic in the log")


def test_any_language_runs_by_its_procfile_and_is_reloaded_in_place(
    knlite: Knlite, folder: Path
) -> None:
    ready(knlite, "file")
    assert knlite.get("file.default", "/page").text == "hi"
    (folder / "file" / "page").write_text("ho")
    wait_until(lambda: knlite.get("file.default", "/page").text == "ho", "what was saved")
    found = knlite.object(f"{SERVICES}/file")["status"]
    assert found["latestCreatedRevisionName"] == "file-00001"
