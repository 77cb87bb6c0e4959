"""Applying manifests again when they change, with a real file system."""

import time
from pathlib import Path

import anyio
import pytest

from knlite.cli.reapply import reapply
from knlite.emulator import open_emulator
from knlite.manifests import read_project
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
