"""Runs of the executable: one for each test, or one that the tests of a module share."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.clients import Client, client
from tests.e2e.engines import Kept, kept_by
from tests.e2e.eventspace import Space, space_of
from tests.e2e.executable import Knlite, running
from tests.e2e.recorder import Recorder, recording
from tests.required import missing


@pytest.fixture
def up() -> Iterator[Callable[..., Knlite]]:
    """Starts ``knlite up`` with arguments; all that were started are stopped in the end."""
    with ExitStack() as started:

        def start(*arguments: str | Path, **options: Any) -> Knlite:
            knlite = Knlite(*(str(argument) for argument in arguments), **options)
            started.callback(knlite.stop)
            return knlite

        yield start


@pytest.fixture(scope="module")
def knlite(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Knlite]:
    """An empty platform, which the tests of a module share; each uses names of its own.

    It has a data folder where the module says that it is ``DURABLE``.
    """
    durable = getattr(request.module, "DURABLE", False)
    options = ("--data-dir", str(tmp_path_factory.mktemp("data"))) if durable else ()
    with running(*options) as run:
        yield run


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    """Where the sinks of a module's tests are."""
    with recording() as found:
        yield found


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> Kept:
    """What keeps events: memory, or the engine that the test is run for."""
    return kept_by(request, getattr(request, "param", "memory"))


@pytest.fixture
def space(knlite: Knlite, recorder: Recorder, kept: Kept) -> Space:
    """A namespace of the test's own in the run that its module shares."""
    return space_of(knlite, recorder, kept)


@pytest.fixture
def other_space(knlite: Knlite, recorder: Recorder, kept: Kept) -> Space:
    """Another namespace in the same run."""
    return space_of(knlite, recorder, kept)


@pytest.fixture(scope="module")
def kubectl(knlite: Knlite, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """``kubectl`` for the shared platform."""
    return client("kubectl", knlite, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def kn(knlite: Knlite, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """``kn`` for the shared platform."""
    return client("kn", knlite, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def func(knlite: Knlite, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The real ``func`` for the shared platform.

    It reaches the names of Services through the gateway as a proxy: what it is built with may not
    know that names below localhost are this machine.
    """
    found = client("func", knlite, tmp_path_factory.mktemp("home"))
    found.environment["HTTP_PROXY"] = f"http://127.0.0.1:{knlite.port}"
    return found


@pytest.fixture(autouse=True)
def engine_if_needed(request: pytest.FixtureRequest) -> None:
    """Has tests with the mark ``docker`` ask for the engine."""
    if request.node.get_closest_marker("docker") is not None:
        request.getfixturevalue("engine")


@pytest.fixture(scope="session")
def engine() -> None:
    """Skips where no container engine answers; fails where one is required."""
    found = shutil.which("docker") is not None and (
        subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
    )
    if not found:
        missing("docker", "no container engine answers")
