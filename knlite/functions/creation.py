"""Makes a new function of a template: its files, ``func.yaml``, ``.funcignore``, ``.gitignore``.

Nothing that is there is touched, but for a line more in ``.gitignore``. ``func.yaml`` comes after
all others, so that a folder with one is a whole function; what was made is removed again if it
cannot be completed.

Source: Knative Functions reference §4.3; knative/func pkg/functions/client.go (Init).
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from knlite.errors import Conflict, InvalidInput, KnliteError
from knlite.functions import funcyaml, gitignore
from knlite.functions.funcproblems import name_problem
from knlite.functions.funcspec import SPEC_VERSION, Build, FuncYaml, Run
from knlite.functions.templaterepository import MANIFEST, Template

MAX_FILES = 5_000
MAX_BYTES = 100 * 1024 * 1024
_MADE_BY_TOOLS = frozenset(("__pycache__", "node_modules", ".git"))
"""What may lie in a template because somebody has run it."""

_FUNCIGNORE = """\
# What is no part of the function: it is in no image, and its changes are none of the function.
#
#   foo      a file or folder of that name, anywhere
#   *.tmp    whatever the pattern fits, anywhere
#   /docs    that of the function's own folder alone
"""


def create(folder: Path, template: Template, *, created: str) -> FuncYaml:
    """A function in *folder*, which is made if need be; its name is the folder's.

    *created* is the time, in RFC 3339. Raises ``InvalidInput`` (the name), ``Conflict`` (something
    is there), ``KnliteError`` (the disk, the template).
    """
    place = Path(os.path.abspath(folder))
    func = _begun(place.name, template, created)
    assert_free(place)
    made: list[Path] = []
    try:
        _make_folder(place, made)
        _copy(template.folder, place, made)
        _complete(place, func, made)
    except BaseException as error:
        _remove(made)
        if not isinstance(error, OSError | KnliteError):
            raise
        raise KnliteError(f"cannot create a function in {place}", cause=str(error)) from error
    return func


def assert_free(folder: Path) -> None:
    """Raises ``Conflict`` unless *folder* can become a function; hidden files may be there.

    Raises ``KnliteError`` if it cannot be looked at.
    """
    try:
        if not folder.exists():
            return
        if not folder.is_dir():
            raise Conflict(f"cannot create a function in {folder}", cause="it is no folder")
        names = sorted(each.name for each in folder.iterdir())
    except OSError as error:
        raise KnliteError(f"cannot create a function in {folder}", cause=str(error)) from error
    if funcyaml.FILE in names:
        raise Conflict(
            f"function at '{folder}' already initialized",
            fix="give another folder, or delete what is there",
        )
    there = [name for name in names if not name.startswith(".")]
    if there:
        raise Conflict(
            "the directory must be empty of visible files and recognized config files before it can"
            " be initialized",
            cause=f"{folder} holds {', '.join(there[:3])}{' …' if len(there) > 3 else ''}",
            fix="give another folder: knlite func create -l LANGUAGE PATH",
        )


def _begun(name: str, template: Template, created: str) -> FuncYaml:
    if problem := name_problem(name):
        raise InvalidInput(problem, fix="the folder's name is the function's; choose another one")
    manifest = template.manifest
    func = FuncYaml(
        spec_version=SPEC_VERSION,
        name=name,
        runtime=template.language,
        created=created,
        invoke="" if manifest.invoke == "http" else manifest.invoke,
        build=Build(
            builder_images=manifest.builder_images,
            buildpacks=manifest.buildpacks,
            build_envs=manifest.build_envs,
        ),
        run=Run(envs=manifest.run_envs),
    )
    return replace(func, deploy=replace(func.deploy, health_endpoints=manifest.health_endpoints))


def _complete(place: Path, func: FuncYaml, made: list[Path]) -> None:
    """Add what every function has; ``func.yaml`` makes it one."""
    if not (place / ".funcignore").exists():
        made.append(place / ".funcignore")
        (place / ".funcignore").write_text(_FUNCIGNORE, encoding="utf-8")
    made.append(place / funcyaml.FILE)
    funcyaml.save(place, func)
    if not (place / gitignore.FILE).exists():
        made.append(place / gitignore.FILE)
    # At the very end, as it may be the author's own and cannot be taken back.
    gitignore.keep_func_out(place)


def _copy(source: Path, target: Path, made: list[Path]) -> None:
    """All files of *source* but links; raises ``OSError``."""
    count = size = 0
    for file in sorted(source.rglob("*")):
        relative = file.relative_to(source)
        if relative == Path(MANIFEST) or _MADE_BY_TOOLS & set(relative.parts):
            continue
        # A link could bring in any file of this machine.
        if file.is_symlink() or not (file.is_dir() or file.is_file()):
            continue
        destination = target / relative
        if file.is_dir():
            _make_folder(destination, made)
            continue
        count += 1
        size += file.stat().st_size
        if count > MAX_FILES or size > MAX_BYTES:
            raise OSError(f"the template {source.name} is too large")
        if not destination.exists():
            made.append(destination)
            shutil.copyfile(file, destination)
            destination.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)


def _make_folder(folder: Path, made: list[Path]) -> None:
    """*folder*, and those around it, if they are not there."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            each.mkdir()
            made.append(each)


def _remove(made: Sequence[Path]) -> None:
    """Take back what was made, the last first; what others have put beside it stays."""
    for each in reversed(made):
        with suppress(OSError):
            if each.is_dir():
                each.rmdir()
            else:
                each.unlink(missing_ok=True)
