"""Environments are made once, whole or not at all, and used without the network.

Pins Knative Functions reference §3.3 (what a cached environment saves).
"""

import os
import zipfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest

from knlite.errors import InstanceFailed
from knlite.functions.environment import ensure

METADATA = "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def wheel(folder: Path) -> str:
    """A requirement that needs no index."""
    file = folder / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("thing.py", "ANSWER = 42\n")
        archive.writestr("thing-1.0.dist-info/METADATA", METADATA)
        archive.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("thing-1.0.dist-info/RECORD", "")
    return str(file)


async def made(folder: Path, requirement: str, reports: list[str]) -> Path:
    return await ensure(
        (requirement,),
        folder=folder,
        name="f",
        cache_dir=folder / "cache",
        environ={**os.environ, "UV_OFFLINE": "1"},
        report=lambda text, share=None: reports.append(text if share is None else f"{share:.0%}"),
    )


async def test_two_who_want_the_same_environment_share_one_installation(tmp_path: Path) -> None:
    requirement = wheel(tmp_path)
    reports: list[str] = []
    async with anyio.create_task_group() as group:
        group.start_soon(made, tmp_path, requirement, reports)
        group.start_soon(made, tmp_path, requirement, reports)
    interpreter = await made(tmp_path, requirement, reports)
    assert reports == ["installing 1 package for f", "10%", "70%", "90%", "100%"]
    done = await anyio.run_process([str(interpreter), "-c", "import thing; print(thing.ANSWER)"])
    assert done.stdout == b"42\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a process to another user")
async def test_another_user_can_use_it(tmp_path: Path) -> None:
    """``runAsUser`` of a manifest, where knlite runs as root."""
    with TemporaryDirectory() as open_to_all:
        os.chmod(open_to_all, 0o755)
        interpreter = await made(Path(open_to_all), wheel(Path(open_to_all)), [])
        done = await anyio.run_process(
            ["cat", str(interpreter.parent.parent / "pyvenv.cfg")],
            user=65534,
            group=65534,
            check=False,
        )
    assert done.returncode == 0


async def test_a_failed_installation_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InstanceFailed) as failed:
        await made(tmp_path, "no-such-thing==99", [])
    assert failed.value.reason == "EnvironmentFailed"
    assert "no-such-thing" in failed.value.cause
    left = [entry.name for entry in (tmp_path / "cache" / "environments").iterdir()]
    assert all(name.endswith(".lock") for name in left)


BACKEND = """
import time
def build_wheel(*_, **__):
    pipe = open({pipe!r}, "w")
    print("begun", file=pipe, flush=True)
    time.sleep(60)
"""


async def test_a_cancelled_installation_leaves_no_build_running(tmp_path: Path) -> None:
    """Killing uv alone would leave what a package's build has started."""
    package, pipe = tmp_path / "package", tmp_path / "pipe"
    package.mkdir()
    (package / "pyproject.toml").write_text(
        '[project]\nname = "slow"\nversion = "1"\n[build-system]\nrequires = []\n'
        'build-backend = "backend"\nbackend-path = ["."]\n'
    )
    (package / "backend.py").write_text(BACKEND.format(pipe=str(pipe)))
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                group.start_soon(made, tmp_path, str(package), [])
                await until_read(held)
                group.cancel_scope.cancel()
            # At the end of the file nobody holds it any more.
            while await until_read(held):
                pass
    finally:
        os.close(held)
    assert not [each for each in (tmp_path / "cache" / "environments").iterdir() if each.is_dir()]


async def until_read(descriptor: int) -> bytes:
    while True:
        await anyio.wait_readable(descriptor)
        with suppress(BlockingIOError):
            return os.read(descriptor, 100)
