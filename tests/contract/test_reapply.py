"""Applying manifests again when they change, with a real file system."""

import time
from pathlib import Path

import anyio
import pytest

from knlite.cli.reapply import reapply
from knlite.emulator import open_emulator
from knlite.facts import Fact, Notice
from knlite.kinds.serving.service import Service
from knlite.manifests.project import read_project
from knlite.serving.code import annotations_of, code_of
from knlite.settings import Settings

pytestmark = pytest.mark.anyio

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\ndata: {word: %s}\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_changes_are_applied_mistakes_told_once_and_the_end_is_not_waited_for(
    tmp_path: Path,
) -> None:
    manifest = tmp_path / "words.yaml"
    manifest.write_text(CONFIG % "first")
    said: list[tuple[str, str]] = []
    heard, settled = anyio.Event(), anyio.Event()

    def say(text: str, level: str) -> None:
        said.append((text.splitlines()[0], level))
        heard.set()

    async with open_emulator(Settings(environ={}), []) as emulator:
        emulator.apply(read_project([tmp_path], {}))
        async with anyio.create_task_group() as group:
            group.start_soon(reapply, emulator, [tmp_path], say, settled)
            settled.set()
            for text in (CONFIG % "second", CONFIG % "[1, 2]", CONFIG % "third"):
                heard = anyio.Event()
                with anyio.fail_after(10):
                    while not heard.is_set():
                        # Until the first one, watching may only be about to begin.
                        manifest.write_text(text)
                        with anyio.move_on_after(0.5):
                            await heard.wait()
            began = time.monotonic()
            group.cancel_scope.cancel()
        # A thread that watches looks up from itself every five seconds only.
        assert time.monotonic() - began < 2
    assert said[0] == said[-1] == ("manifests have changed and were applied again", "info")
    assert [level for _, level in said[1:-1]] == ["error", "warning"]


SERVICE = """\
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: web}
spec: {template: {spec: {containers: [{image: web}]}}}
"""
FUNC = "name: %s\nruntime: python\nimage: web\n"


async def test_code_waits_while_the_file_beside_it_has_mistakes(tmp_path: Path) -> None:
    project = tmp_path / "project"
    web = project / "web"
    web.mkdir(parents=True)
    (project / "web.yaml").write_text(SERVICE)
    (web / "func.yaml").write_text(FUNC % "web")
    (web / "func.py").write_text("def main(context):\n    return 'one', 200\n")
    said: list[str] = []
    heard, settled = anyio.Event(), anyio.Event()

    def say(text: str, level: str) -> None:
        said.append(text.splitlines()[0])
        heard.set()

    async def hears(part: str) -> None:
        nonlocal heard
        with anyio.fail_after(20):
            while not any(part in text for text in said):
                heard = anyio.Event()
                await heard.wait()

    def fact(each: Fact) -> None:
        if isinstance(each, Notice):
            say(each.text, each.level)

    def code() -> str:
        found = emulator.registry.view.get(Service, "default", "web")
        assert found is not None
        return code_of(annotations_of(found))

    settings = Settings(
        environ={}, runtime="process", port=0, admin_port=0, cache_dir=tmp_path / "cache"
    )
    async with open_emulator(settings, [fact]) as emulator, anyio.create_task_group() as group:
        await emulator.start()
        emulator.apply(read_project([project], {}))
        group.start_soon(reapply, emulator, [project], say, settled)
        await emulator.settling.wait(20)
        settled.set()
        (web / "func.yaml").write_text(FUNC % "[")
        await hears("nothing has been changed")
        assert code() == ""
        # As many editors do: the file that is written is gone when its name is looked at.
        beside = web / "words"
        beside.write_text("def main(context):\n    return 'two', 200\n")
        beside.rename(web / "func.py")
        await hears("waits until these mistakes are gone")
        assert code() == ""
        assert not any("live" in text for text in said)
        (web / "func.yaml").write_text(FUNC % "web")
        await hears("live as web-00002")
        assert code() != ""
        group.cancel_scope.cancel()
