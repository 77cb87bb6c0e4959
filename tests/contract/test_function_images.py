"""Images of functions on a real engine: from layers, without a build, the same everywhere.

Pins Knative Functions reference Part 6 (the recipe, its limits and traps) and §4.8 (user, links).
``KNLITE_REQUIRE=docker`` turns a missing engine from a skip into a failure. The base is
python:3.11-slim, which must be in the engine's store.
"""

import io
import os
import re
import shutil
import subprocess
import tarfile
import uuid
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from knlite.errors import InstanceFailed
from knlite.runtime.docker.engine import Engine
from knlite.runtime.docker.function_code import code_in
from knlite.runtime.docker.images import find_image
from knlite.runtime.docker.loading import Loader, Way
from knlite.runtime.docker.runtime import DockerRuntime, open_runtime
from knlite.runtime.port import ContainerLaunch, Launch, Prepared
from knlite.serving.workload import FunctionProject
from tests.contract.test_docker_runtime import anyio_backend, engine
from tests.required import program

__all__ = ["anyio_backend", "engine"]

pytestmark = pytest.mark.docker

SECONDS = 60
FUNC = """
import json, os, sys
import wisdom


async def handle(scope, receive, send):
    open("written", "w").close()
    answer = {"text": wisdom.TEXT, "uid": os.getuid(), "files": sorted(os.listdir("."))}
    answer["compiled"] = os.path.exists(wisdom.__cached__)
    answer["envs"] = [os.environ["COLOUR"], os.environ["SIZE"]]
    body = json.dumps(answer).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""


@pytest.fixture(scope="module")
async def runtime(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[DockerRuntime]:
    async with opened(engine, tmp_path_factory.mktemp("cache")) as runtime:
        yield runtime


@asynccontextmanager
async def opened(
    engine: Engine, folder: Path, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[DockerRuntime]:
    """A runtime on *engine* whose cache is in *folder*, for as long as the context.

    Its client is the engine's, which others use too.
    """
    yield await open_runtime(
        engine,
        gateway_port=80,
        hosts=lambda: (),
        function_code=code_in(folder, {**environ, "UV_OFFLINE": "1"}),
    )


@pytest.fixture
def name(engine: Engine) -> Iterator[str]:
    """A name for a function; its images are removed afterwards."""
    made = f"t{uuid.uuid4().hex[:8]}"
    yield made
    label = f"function.knative.dev/name={made}"
    for image in engine.client.images(filters={"label": label}):
        engine.client.remove_image(image["Id"], force=True)


def project(folder: Path, name: str, **more: Any) -> FunctionProject:
    return FunctionProject(
        **{"folder": str(folder), "name": name, "language": "python", "image": "", **more}
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "function"
    made.mkdir()
    wheel(made)
    (made / "func.py").write_text(FUNC)
    (made / "note.txt").write_text("x")
    (made / ".funcignore").write_text("note.txt\n*.whl\n")
    (made / "requirements.txt").write_text(f"{made}/wisdom-1.0-py3-none-any.whl\n")
    return made


def wheel(folder: Path) -> None:
    with zipfile.ZipFile(folder / "wisdom-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("wisdom.py", "TEXT = 'well done'\n")
        metadata = "Metadata-Version: 2.1\nName: wisdom\nVersion: 1.0\n"
        archive.writestr("wisdom-1.0.dist-info/METADATA", metadata)
        info = "Wheel-Version: 1.0\nTag: py3-none-any\n"
        archive.writestr("wisdom-1.0.dist-info/WHEEL", info)
        points = "[console_scripts]\nwisdom = wisdom:main\n"
        archive.writestr("wisdom-1.0.dist-info/entry_points.txt", points)
        archive.writestr("wisdom-1.0.dist-info/RECORD", "")


class Told:
    """What is reported while something is prepared."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def __call__(self, text: str, share: float | None = None) -> None:
        self.steps.append(text.partition(" ")[0])


async def served(runtime: DockerRuntime, prepared: object) -> dict[str, Any]:
    """What the function answers."""
    container = ContainerLaunch(
        name="user-container",
        prepared=prepared,  # type: ignore[arg-type]
        env={"SIZE": "large"},
    )
    launch = Launch(
        namespace="default",
        service="f",
        revision="f-1",
        instance=f"f-1-{uuid.uuid4().hex[:8]}",
        port=8080,
        serving=container,
    )
    lines: list[str] = []
    instance = await runtime.start(launch, lambda _: lambda stream, text: lines.append(text))
    try:
        with anyio.fail_after(SECONDS):
            while True:
                try:
                    async with httpx.AsyncClient() as client:
                        host, port = instance.address
                        answer = await client.get(f"http://{host}:{port}/")
                except httpx.TransportError:
                    await anyio.sleep(0.02)
                    continue
                assert answer.status_code == 200, lines
                found: dict[str, Any] = answer.json()
                return found
    finally:
        await instance.stop(0)


async def test_a_function_becomes_an_image_with_its_runner_packages_and_variables(
    runtime: DockerRuntime, folder: Path, name: str
) -> None:
    function = project(folder, name, envs={"COLOUR": "red", "SIZE": "small"})
    prepared = await runtime.prepare(function, told := Told())
    assert told.steps[-2:] == ["compiling", "building"]
    assert await served(runtime, prepared) == {
        "text": "well done",
        "uid": 1000,
        "files": ["func.py", "requirements.txt", "written"],
        "compiled": True,
        "envs": ["red", "large"],
    }
    assert (await runtime.prepare(function, again := Told())).digest == prepared.digest
    assert again.steps == []
    (folder / "func.py").write_text(f"{FUNC}\n# edited\n")
    edited = await runtime.prepare(function, told := Told())
    assert edited.digest != prepared.digest
    assert told.steps == ["building"]
    (folder / "func.py").write_text(FUNC)
    assert (await runtime.prepare(function, again := Told())).digest == prepared.digest
    assert again.steps == []


async def test_another_machine_makes_the_same_image(
    engine: Engine, runtime: DockerRuntime, folder: Path, name: str, tmp_path: Path
) -> None:
    here = await runtime.prepare(project(folder, name), print)
    engine.client.remove_image(here.digest, force=True)
    clone = tmp_path / "clone"
    shutil.copytree(folder, clone, copy_function=shutil.copyfile)
    for each in clone.iterdir():
        each.chmod(0o600)
    async with opened(engine, tmp_path / "cache") as other:
        assert (await other.prepare(project(clone, name), print)).digest == here.digest


async def test_the_image_of_what_is_forgotten_goes_unless_somebody_else_uses_it(
    engine: Engine, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "function"
    folder.mkdir()
    function = project(folder, name)

    async def saved(runtime: DockerRuntime, text: str) -> Prepared:
        (folder / "func.py").write_text(f"def main(context):\n    return '{text}', 200\n")
        return await runtime.prepare(function, print)

    def there(prepared: Prepared) -> bool:
        return find_image(engine.client, prepared.digest) is not None

    async with (
        opened(engine, tmp_path / "cache") as mine,
        opened(engine, tmp_path / "cache") as other,
    ):
        first, second = await saved(mine, "first"), await saved(mine, "second")
        shared, newest = await saved(other, "first"), await saved(mine, "newest")
        assert shared.digest == first.digest
        await mine.forget(second, [first, newest])
        assert [there(each) for each in (first, second, newest)] == [True, False, True]
        assert len(list((tmp_path / "cache/sources").iterdir())) == 2
        await mine.forget(first, [newest])
        assert there(first)
        await other.forget(shared, [])
        assert [there(each) for each in (first, newest)] == [False, True]
        # Its name is somebody's wish to keep it.
        await mine.forget(newest, [])
        assert there(newest)


@pytest.mark.parametrize(
    ("refuses", "way"),
    [(1, Way.FULL), (9, Way.DOCKERFILE)],
    ids=["an engine that wants all layers", "an engine that loads nothing"],
)
async def test_what_an_engine_refuses_is_tried_once(
    engine: Engine, folder: Path, name: str, tmp_path: Path, refuses: int, way: Way
) -> None:
    async with opened(engine, tmp_path / "cache") as runtime:
        loader = Refusing(engine, full=refuses > 1)
        runtime._preparing._loader = loader
        function = project(folder, name, envs={"COLOUR": "red"})
        first = await runtime.prepare(function, print)
        assert loader.way is way
        assert (await served(runtime, first))["text"] == "well done"
        asked = loader.refused
        (folder / "func.py").write_text(f"{FUNC}\n# edited\n")
        second = await runtime.prepare(function, print)
        assert second.digest != first.digest
        assert loader.refused == asked
        (folder / "func.py").write_text(FUNC)
        assert (await runtime.prepare(function, again := Told())).digest == first.digest
        assert again.steps == []


class Refusing(Loader):
    """Loads into an engine that wants every layer in the archive, or (*full*) loads nothing."""

    def __init__(self, engine: Engine, *, full: bool) -> None:
        super().__init__(engine.client)
        self._full = full
        self.refused = 0

    def _send(self, name: Any, base: Any, layers: Any, config: Any, lower: Any = ()) -> str | None:
        if not lower or self._full:
            self.refused += 1
            return "open 0.tar: no such file or directory"
        return super()._send(name, base, layers, config, lower)


async def test_links_out_of_the_project_are_refused_with_their_name(
    runtime: DockerRuntime, folder: Path, name: str
) -> None:
    (folder / "secret").symlink_to("/etc/passwd")
    with pytest.raises(InstanceFailed) as failed:
        await runtime.prepare(project(folder, name), print)
    assert "secret leads out of the project" in failed.value.what
    assert "/etc/passwd" in failed.value.cause
    (folder / ".funcignore").write_text("note.txt\n*.whl\nsecret\n")
    assert await runtime.prepare(project(folder, name), print)


async def test_a_base_that_is_not_there_is_named_with_the_ways_out(
    runtime: DockerRuntime, folder: Path, name: str
) -> None:
    absent = "127.0.0.1:1/no-such-base:1"
    with pytest.raises(InstanceFailed) as failed:
        await runtime.prepare(project(folder, name, base_image=absent), told := Told())
    assert told.steps == ["pulling"]
    assert failed.value.reason == "ErrImagePull"
    assert absent in failed.value.what
    for way in ("docker pull", "docker load", "build.baseImage", "--runtime process"):
        assert way in failed.value.fix


async def test_a_base_without_python_is_refused(
    engine: Engine, runtime: DockerRuntime, folder: Path, name: str
) -> None:
    empty = "knlite.local/empty-base:1"
    engine.client.import_image_from_data(
        empty_archive(), repository="knlite.local/empty-base", tag="1"
    )
    try:
        with pytest.raises(InstanceFailed, match="no Python that runs"):
            await runtime.prepare(project(folder, name, base_image=empty), print)
    finally:
        engine.client.remove_image(empty, force=True)


def empty_archive() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("nothing"))
    return file.getvalue()


async def test_any_language_runs_on_the_base_that_it_names_by_its_procfile(
    runtime: DockerRuntime, tmp_path: Path, name: str
) -> None:
    (tmp_path / "Procfile").write_text("web: python3 -S serve.py $PORT\n")
    (tmp_path / "serve.py").write_text(SERVE)
    rust = project(tmp_path, name, language="rust", base_image="python:3.11-slim")
    prepared = await runtime.prepare(rust, print)
    assert await served(runtime, prepared) == {"port": "8080"}
    with pytest.raises(InstanceFailed) as failed:
        await runtime.prepare(project(tmp_path, name, language="rust"), print)
    assert "build.baseImage" in failed.value.fix


SERVE = """
import http.server, json, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"port": sys.argv[1]}).encode())

http.server.HTTPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def node_base(engine: Engine) -> Iterator[str]:
    """A base with this machine's Node.js: where tests run no registry is to be reached."""
    node = program("node")
    name = "knlite.test/node-base:1"
    used = subprocess.run(["ldd", node], capture_output=True, text=True, check=True).stdout
    libraries = re.findall(r"=> (/\S+)", used)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", dereference=True) as archive:
        archive.add(node, "node")
        for library in libraries:
            archive.add(library, f"lib/{Path(library).name}")
        text = b"FROM python:3.11-slim\nCOPY lib /opt/lib\nCOPY node /usr/local/bin/node\n"
        dockerfile = tarfile.TarInfo("Dockerfile")
        dockerfile.size = len(text)
        archive.addfile(dockerfile, io.BytesIO(text))
    file.seek(0)
    for step in engine.client.build(
        fileobj=file, custom_context=True, tag=name, rm=True, decode=True
    ):
        assert "error" not in step, step
    yield name
    engine.client.remove_image(name, force=True)


NPM = """#!/bin/sh
mkdir -p node_modules/faas-js-runtime
cat > node_modules/faas-js-runtime/index.js <<'END'
const http = require('http');
exports.start = (code, options) => http.createServer((request, response) =>
  response.end(JSON.stringify(code.handle()))).listen(options.port);
END
"""


async def test_a_node_function_lies_on_its_modules(
    engine: Engine, node_base: str, tmp_path: Path, name: str
) -> None:
    tools, folder = tmp_path / "tools", tmp_path / "function"
    for made in (tools, folder):
        made.mkdir()
    (tools / "npm").write_text(NPM)
    (tools / "npm").chmod(0o755)
    (folder / "index.js").write_text("exports.handle = () => ({uid: process.getuid()});\n")
    environ = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    async with opened(engine, tmp_path / "cache", environ) as runtime:
        function = project(folder, name, language="node", base_image=node_base)
        prepared = await runtime.prepare(function, print)
        assert await served(runtime, prepared) == {"uid": 1000}
        (folder / "index.js").write_text("exports.handle = () => ({edited: true});\n")
        edited = await runtime.prepare(function, told := Told())
        assert told.steps == ["building"]
        assert await served(runtime, edited) == {"edited": True}


GO = """package function

import (
\t"fmt"
\t"net/http"
\t"os"
)

func Handle(w http.ResponseWriter, r *http.Request) {
\tfmt.Fprintf(w, `{"uid":%d}`, os.Getuid())
}
"""


async def test_a_go_function_needs_nothing_but_itself(
    engine: Engine, tmp_path: Path, name: str
) -> None:
    program("go")
    (tmp_path / "go.mod").write_text("module function\n\ngo 1.21\n")
    (tmp_path / "handle.go").write_text(GO)
    async with opened(engine, tmp_path / "cache") as runtime:
        prepared = await runtime.prepare(project(tmp_path, name, language="go"), print)
        assert await served(runtime, prepared) == {"uid": 1000}
        assert engine.client.inspect_image(prepared.digest)["Size"] < 30_000_000
