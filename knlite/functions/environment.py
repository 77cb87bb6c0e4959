"""Virtual environments for functions, made by ``uv`` once per set of requirements.

An environment is never changed: its folder is named after the interpreter and the requirements,
is filled beside its place and then renamed into it, so a half-made one is never used. After the
first installation nothing needs the network. Two knlites that want the same one wait in line.

Not here: what a function requires (``python.py``).
"""

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio
import uv

from knlite.errors import InstanceFailed
from knlite.functions import cached, unresolved
from knlite.functions.report import Report

OWN_INTERPRETER = (sys.version, sys.base_prefix)


def key(
    requirements: tuple[str, ...], folder: Path, interpreter: tuple[str, str] = OWN_INTERPRETER
) -> str:
    """The name of the environment that holds *requirements*, read relative to *folder*.

    *interpreter* is what they are installed for.
    """
    content = hashlib.sha256("\n".join((*interpreter, "")).encode())
    for line in requirements:
        if line.startswith("-c "):
            # Where it is does not matter: each snapshot of the code has its own.
            content.update(b"-c\n" + Path(line[3:]).read_bytes())
            continue
        content.update(f"{line}\n".encode())
        if line.startswith((".", "-e", "/", "file:")):
            content.update(f"{folder}\n".encode())  # Means another thing in each folder.
    return content.hexdigest()[:24]


async def ensure(
    requirements: tuple[str, ...],
    *,
    folder: Path,
    name: str,
    cache_dir: Path,
    environ: Mapping[str, str],
    report: Report,
) -> Path:
    """The interpreter of an environment with *requirements*; installs them when it is new.

    *name* is the function's, for the report. Raises ``InstanceFailed``.
    """

    async def fill(draft: Path) -> None:
        await _uv(["venv", "--quiet", "--relocatable", "--allow-existing",
                   "--python", sys.executable, str(draft)], "", folder, name, environ)  # fmt: skip
        await _uv(["pip", "install", "--quiet", "--compile-bytecode", "--python",
                   str(draft / "bin" / "python"), "-r", "-"],
                  "\n".join(requirements), folder, name, environ)  # fmt: skip

    place = cache_dir / "environments" / key(requirements, folder)
    await cached.ensure(place, fill, lambda: report(_installing(requirements, name)))
    return place / "bin" / "python"


async def site_packages(
    requirements: tuple[str, ...],
    *,
    python_version: str,
    platform: str,
    folder: Path,
    name: str,
    cache_dir: Path,
    environ: Mapping[str, str],
    report: Report,
) -> Path:
    """A folder with *requirements* for another Python on *platform*, to be copied into an image.

    *platform* is ``uv``'s name of it, such as ``x86_64-manylinux_2_28``. Raises ``InstanceFailed``.
    """

    async def fill(draft: Path) -> None:
        await _uv(["pip", "install", "--quiet", "--target", str(draft),
                   "--python-version", python_version, "--python-platform", platform, "-r", "-"],
                  "\n".join(requirements), folder, name, environ)  # fmt: skip

    identity = key(requirements, folder, (python_version, platform))
    place = cache_dir / "site-packages" / identity
    await cached.ensure(place, fill, lambda: report(_installing(requirements, name)))
    return place


def _installing(requirements: tuple[str, ...], name: str) -> str:
    packages = sum(not line.startswith("-") for line in requirements)
    return f"installing {packages} package{'s'[: packages != 1]} for {name}"


async def _uv(
    arguments: list[str], text: str, folder: Path, name: str, environ: Mapping[str, str]
) -> None:
    inherited = {k: v for k, v in environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = await anyio.run_process(
        [uv.find_uv_bin(), *arguments], input=text.encode(), cwd=folder, env=inherited, check=False
    )
    if done.returncode == 0:
        return
    printed = done.stderr.decode("utf-8", "replace")
    why = unresolved.reason(printed)
    raise InstanceFailed(
        "EnvironmentFailed",
        f"the requirements of function {name} cannot be installed",
        cause=why or f"uv ended with code {done.returncode}",
        fix="connect to the network once; afterwards the environment is cached"
        if unresolved.offline(printed)
        else f"correct {unresolved.place(folder, why)}",
    )
