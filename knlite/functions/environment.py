"""Virtual environments for functions, made by ``uv`` once per set of requirements.

An environment is never changed: its folder is named after the interpreter and the requirements,
is filled beside its place and then renamed into it, so a half-made one is never used. After the
first installation nothing needs the network. Two knlites that want the same one wait in line.

Not here: what a function requires (``python.py``).
"""

import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp

import anyio
import anyio.to_thread
import uv

from knlite.clock import SystemClock
from knlite.errors import InstanceFailed

LOCK_RETRY = 0.1
"""Seconds between two looks at another knlite's lock; only while one installs the same."""


def key(requirements: tuple[str, ...], folder: Path) -> str:
    """The name of the environment that holds *requirements*, read relative to *folder*."""
    content = hashlib.sha256(f"{sys.version}\n{sys.base_prefix}\n".encode())
    for line in requirements:
        content.update(f"{line}\n".encode())
        if line.startswith("-c "):
            content.update(Path(line[3:]).read_bytes())
        elif line.startswith((".", "-e", "/", "file:")):
            content.update(f"{folder}\n".encode())  # Means another thing in each folder.
    return content.hexdigest()[:24]


async def ensure(
    requirements: tuple[str, ...],
    *,
    folder: Path,
    name: str,
    cache_dir: Path,
    environ: Mapping[str, str],
    report: Callable[[str], None],
) -> Path:
    """The interpreter of an environment with *requirements*; installs them when it is new.

    *name* is the function's, for the report. Raises ``InstanceFailed``.
    """
    place = await anyio.to_thread.run_sync(_place, requirements, folder, cache_dir)
    interpreter = anyio.Path(place, "bin", "python")
    if await interpreter.exists():
        return Path(interpreter)
    async with _locked(place.with_suffix(".lock")):
        if not await interpreter.exists():
            packages = sum(not line.startswith("-") for line in requirements)
            report(f"installing {packages} package{'s'[: packages != 1]} for process {name}")
            await _make(place, requirements, folder, name, environ)
    return Path(interpreter)


def _place(requirements: tuple[str, ...], folder: Path, cache_dir: Path) -> Path:
    place = cache_dir / "environments" / key(requirements, folder)
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


async def _make(
    place: Path,
    requirements: tuple[str, ...],
    folder: Path,
    name: str,
    environ: Mapping[str, str],
) -> None:
    draft = Path(mkdtemp(prefix=f"{place.name}.", dir=place.parent))
    try:
        await _uv(["venv", "--quiet", "--relocatable", "--allow-existing",
                   "--python", sys.executable, str(draft)], "", folder, name, environ)  # fmt: skip
        await _uv(["pip", "install", "--quiet", "--compile-bytecode", "--python",
                   str(draft / "bin" / "python"), "-r", "-"],
                  "\n".join(requirements), folder, name, environ)  # fmt: skip
        await anyio.Path(draft).rename(place)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(shutil.rmtree, draft, True)


async def _uv(
    arguments: list[str], text: str, folder: Path, name: str, environ: Mapping[str, str]
) -> None:
    inherited = {k: v for k, v in environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = await anyio.run_process(
        [uv.find_uv_bin(), *arguments], input=text.encode(), cwd=folder, env=inherited, check=False
    )
    if done.returncode == 0:
        return
    said = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines()]
    last = " ".join([line for line in said if line][-6:])
    offline = any(word in last for word in ("error sending request", "dns error", "Network"))
    raise InstanceFailed(
        "EnvironmentFailed",
        f"the requirements of function {name} cannot be installed",
        cause=last or f"uv ended with code {done.returncode}",
        fix="connect to the network once; afterwards the environment is cached"
        if offline
        else f"correct the requirements in {folder}",
    )


@asynccontextmanager
async def _locked(file: Path) -> AsyncIterator[None]:
    clock = SystemClock()
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await clock.sleep_until(clock.now() + LOCK_RETRY)
        yield
    finally:
        os.close(descriptor)
