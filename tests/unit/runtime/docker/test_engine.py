"""Finding an engine: what the ``docker`` command would use, and sentences when there is none."""

import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from knlite.runtime.docker.engine import Candidate, NoEngine, candidates, find_engine


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def context(home: Path, name: str, url: str) -> None:
    digest = hashlib.sha256(name.encode()).hexdigest()
    folder = home / ".docker/contexts/meta" / digest
    folder.mkdir(parents=True)
    meta = {"Name": name, "Endpoints": {"docker": {"Host": url}}}
    (folder / "meta.json").write_text(json.dumps(meta))


def test_docker_host_wins_over_everything(tmp_path: Path) -> None:
    context(tmp_path, "desktop", "unix:///desktop.sock")
    environ = {
        "HOME": str(tmp_path),
        "DOCKER_HOST": "unix:///chosen.sock",
        "DOCKER_CONTEXT": "desktop",
    }
    assert candidates(environ) == (Candidate("unix:///chosen.sock", "DOCKER_HOST", named=True),)


def test_the_current_context_is_read_from_the_configuration(tmp_path: Path) -> None:
    context(tmp_path, "desktop", "unix:///desktop.sock")
    (tmp_path / ".docker/config.json").write_text('{"currentContext": "desktop"}')
    assert candidates({"HOME": str(tmp_path)}) == (
        Candidate("unix:///desktop.sock", 'context "desktop"', named=True),
    )


def test_a_context_that_does_not_exist_is_not_replaced_by_another_engine(tmp_path: Path) -> None:
    found = candidates({"HOME": str(tmp_path), "DOCKER_CONTEXT": "gone"})
    assert isinstance(found, NoEngine)
    assert '"gone"' in found.why


@pytest.mark.parametrize("config", ["", "[]", "{}", '{"currentContext": "default"}'])
def test_docker_is_tried_before_podman(tmp_path: Path, config: str) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text(config)
    found = candidates({"HOME": str(tmp_path), "XDG_RUNTIME_DIR": "/run/user/7"})
    assert isinstance(found, tuple)
    urls = [place.url for place in found]
    assert urls[0] == "unix:///var/run/docker.sock"
    assert urls.index("unix:///run/user/7/docker.sock") < urls.index(
        "unix:///run/user/7/podman/podman.sock"
    )


async def test_a_socket_that_does_not_exist_is_named(tmp_path: Path) -> None:
    found = await find_engine({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    assert isinstance(found, NoEngine)
    assert f"{tmp_path}/none.sock (DOCKER_HOST) does not exist" in found.why
    assert found.fix


async def test_a_socket_that_nobody_serves_is_named(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    found = await find_engine({"DOCKER_HOST": f"unix://{path}"})
    assert isinstance(found, NoEngine)
    assert "nothing answers" in found.why


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
async def test_a_socket_of_another_user_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "locked.sock"
    with socket.socket(socket.AF_UNIX) as locked:
        locked.bind(str(path))
        path.chmod(0)
        found = await find_engine({"DOCKER_HOST": f"unix://{path}"})
    assert isinstance(found, NoEngine)
    assert "may not open" in found.why
    assert "group" in found.fix


@pytest.mark.parametrize("url", ["tcp://build.example:2375", "ssh://me@build"])
async def test_an_engine_on_another_machine_is_refused(url: str) -> None:
    found = await find_engine({"DOCKER_HOST": url})
    assert isinstance(found, NoEngine)
    assert "another machine" in found.why


def test_importing_the_runtime_does_not_import_the_sdk() -> None:
    program = "import knlite.runtime.docker.runtime, sys; sys.exit('docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
