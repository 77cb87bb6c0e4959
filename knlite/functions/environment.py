"""Virtual environments for functions, made by ``uv`` once per set of requirements.

An environment is never changed: its folder is named after the interpreter and the requirements,
is filled beside its place and then renamed into it, so a half-made one is never used. After the
first installation nothing needs the network. Two knlites that want the same one wait in line.

Not here: what a function requires (``python.py``).
"""

import hashlib
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE

import anyio
import uv
from anyio.streams.text import TextReceiveStream

from knlite.errors import InstanceFailed
from knlite.functions import cached, toolchain, unresolved, uvprogress
from knlite.functions.report import Report

PRINTED = 64 * 1024
"""Characters that are kept of what ``uv`` printed, of its beginning and of its end."""
OWN_INTERPRETER = (sys.version, sys.base_prefix)


def key(
    requirements: tuple[str, ...], folder: Path, interpreter: tuple[str, str] = OWN_INTERPRETER
) -> str:
    """The name of the environment that holds *requirements*, read relative to *folder*.

    *interpreter* is what they are installed for.
    """
    content = hashlib.sha256("\n".join((*interpreter, "")).encode())
    for line in requirements:
        if line.startswith("-c /"):
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
        await _uv(["pip", "install", "--compile-bytecode", "--python",
                   str(draft / "bin" / "python"), "-r", "-"],
                  "\n".join(requirements), folder, name, environ, tell)  # fmt: skip

    what = _installing(requirements, name)

    def tell(share: float) -> None:
        report(what, share)

    place = cache_dir / "environments" / key(requirements, folder)
    await cached.ensure(place, fill, lambda: report(what))
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
        await _uv(["pip", "install", "--target", str(draft),
                   "--python-version", python_version, "--python-platform", platform, "-r", "-"],
                  "\n".join(requirements), folder, name, environ, tell)  # fmt: skip

    what = _installing(requirements, name)

    def tell(share: float) -> None:
        report(what, share)

    identity = key(requirements, folder, (python_version, platform))
    place = cache_dir / "site-packages" / identity
    await cached.ensure(place, fill, lambda: report(what))
    return place


def _installing(requirements: tuple[str, ...], name: str) -> str:
    packages = sum(not line.startswith("-") for line in requirements)
    return f"installing {packages} package{'s'[: packages != 1]} for {name}"


async def _uv(
    arguments: list[str],
    text: str,
    folder: Path,
    name: str,
    environ: Mapping[str, str],
    tell: Callable[[float], None] | None = None,
) -> None:
    """Run ``uv`` with *text* as its input; *tell* gets to know how much is done."""
    inherited = {k: v for k, v in environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    printed = ""
    words = [uv.find_uv_bin(), *arguments]
    async with toolchain.started(words, folder, inherited, stdin=PIPE, stdout=DEVNULL) as process:
        if process.stdin is None or process.stderr is None:
            raise RuntimeError("started without pipes")
        # It reads all of it before it says anything. One that has failed before reads nothing.
        with suppress(anyio.BrokenResourceError):
            await process.stdin.send(text.encode())
        await process.stdin.aclose()
        async for piece in TextReceiveStream(process.stderr, errors="replace"):
            begun = printed.rpartition("\n")[2]
            printed += piece
            if len(printed) > 2 * PRINTED:
                # Its own words come first, and those of a build that failed last.
                printed = printed[:PRINTED] + printed[-PRINTED:]
            for line in (begun + piece).split("\n")[:-1] if tell else ():
                share = uvprogress.share(line)
                if tell and share is not None:
                    tell(share)
        await process.wait()
    if process.returncode == 0:
        return
    printed = uvprogress.without_progress(printed)
    why = unresolved.reason(printed)
    raise InstanceFailed(
        "EnvironmentFailed",
        f"the requirements of function {name} cannot be installed",
        cause=why or f"uv ended with code {process.returncode}",
        fix="connect to the network once; afterwards the environment is cached"
        if unresolved.offline(printed)
        else f"correct {unresolved.place(folder, why)}",
    )
