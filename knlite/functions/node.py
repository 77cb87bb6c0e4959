"""How a Node.js or TypeScript function is run: by ``faas-js-runtime``, with modules made once.

Modules are installed by npm into a folder of the cache that is named after what ``package.json``
and its lock file ask for; the function runs from a copy of its sources beside a link to them, since
ES modules are only found above the files that import them. TypeScript is compiled in that copy, by
the project's own ``build`` script. After the first time nothing needs the network.

Source: Knative Functions reference §4.2; knative/func templates/node, templates/typescript.
Not here: loading the function in its process (``runners/node_runner.cjs``).
"""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from knlite.errors import InstanceFailed
from knlite.functions import cached, contents, toolchain
from knlite.functions.making import Making
from knlite.functions.toolchain import Tool

RUNTIME = "faas-js-runtime"
RUNTIME_VERSION = "3.0.2"
"""Where ``package.json`` names none."""
RUNNER = Path(__file__).parent / "runners" / "node_runner.cjs"
NODE = Tool("node", "Node.js", "install Node.js 20 or later (https://nodejs.org)")
NPM = Tool("npm", "Node.js", "install npm, which comes with Node.js")
OFFLINE = ("ENOTFOUND", "ENOTCACHED", "EAI_AGAIN", "ECONNREFUSED")
"""What npm says where there is no network, or it is told to do without."""
LOCKS = ("package-lock.json", "npm-shrinkwrap.json")

_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "overrides")
_LOCAL = ("file:", "link:", "workspace:", "portal:")
_NO_INTERFERENCE = frozenset({"NODE_OPTIONS", "NODE_PATH", "NODE_ENV"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """How to run one Node.js function."""

    entry: str
    """The module that exports ``handle``, relative to the folder."""
    builds: bool
    """Whether the ``build`` script makes it first."""
    wanted: Mapping[str, Any]
    """The parts of ``package.json`` that decide what is installed."""
    lock: str
    """The name of the lock file; empty without one."""


@dataclass(frozen=True, slots=True)
class MadeNode:
    """A Node.js function that can be started."""

    folder: Path
    """Its sources beside ``node_modules``."""
    words: tuple[str, ...]


def plan(folder: Path, language: str) -> NodePlan:
    """How to run the function in *folder*. Blocks. Raises ``InstanceFailed``."""
    file = folder / "package.json"
    package = _package(file) if file.is_file() else {}
    scripts = package.get("scripts")
    builds = language == "typescript"
    entry = str(package.get("main") or ("build/index.js" if builds else "index.js"))
    if builds and not (isinstance(scripts, dict) and "build" in scripts):
        raise _unlike(
            f"the TypeScript function in {folder} is not compiled by anything",
            f"{file} has no script 'build'",
            f'write "build": "tsc" among the scripts of {file}',
        )
    if not builds and not _exists(folder, entry):
        raise _unlike(
            f"the Node.js function in {folder} cannot be found",
            f"there is no {entry}",
            f'write it (module.exports = {{ handle }}), or name another file as "main" in {file}',
        )
    wanted = {key: package[key] for key in _DEPENDENCIES if package.get(key)}
    for key in _DEPENDENCIES[:3]:
        for name, version in _items(wanted.get(key)):
            if version.startswith(_LOCAL):
                raise _unlike(
                    f"{name} of the function in {folder} cannot be installed",
                    f"{file} wants it from {version}, which is beside the function's own files",
                    "publish or pack it, or start the function by a Procfile",
                )
    lock = next((name for name in LOCKS if (folder / name).is_file()), "")
    return NodePlan(entry=entry, builds=builds, wanted=wanted, lock=lock)


async def make(
    planned: NodePlan,
    making: Making,
) -> MadeNode:
    """Install modules and compile, where that is new. Raises ``InstanceFailed``."""
    name, folder, origin = making.name, making.folder, making.origin
    node = toolchain.find(NODE, name, making.environ)
    environ = {k: v for k, v in making.environ.items() if k not in _NO_INTERFERENCE}
    version = (await toolchain.run([node, "--version"], folder, environ)).printed.strip()
    modules = await install(planned, version, replace(making, environ=environ))
    code = await anyio.to_thread.run_sync(contents.digest, folder, str(modules))

    async def fill(draft: Path) -> None:
        await anyio.to_thread.run_sync(_copy, folder, draft, modules)
        if planned.builds:
            npm = toolchain.find(NPM, name, environ)
            done = await toolchain.run([npm, "run", "--silent", "build"], draft, environ)
            if done.code:
                raise _not_compiled(name, done.printed.replace(str(draft), str(origin)), origin)

    place = making.cache_dir / "node-functions" / code.removeprefix("sha256:")[:24]
    await cached.ensure(
        place, fill, lambda: making.report(f"compiling {name}") if planned.builds else None
    )
    flags = ("--enable-source-maps",) if planned.builds else ()
    return MadeNode(place, (node, *flags, str(RUNNER), str(place), planned.entry))


async def install(
    planned: NodePlan,
    version: str,
    making: Making,
) -> Path:
    """The folder ``node_modules`` for Node.js *version*, installed if it is new.

    Raises ``InstanceFailed``.
    """
    name, origin, environ = making.name, making.origin, making.environ
    lock = (making.folder / planned.lock).read_bytes() if planned.lock else b""
    asked = json.dumps([version, RUNTIME_VERSION, planned.builds, planned.wanted], sort_keys=True)
    key = hashlib.sha256(asked.encode() + b"\0" + lock).hexdigest()[:24]

    async def fill(draft: Path) -> None:
        npm = toolchain.find(NPM, name, environ)
        # Without its scripts, which want the function's other files.
        package = json.dumps({"name": "function", "version": "0.0.0", **planned.wanted})
        await anyio.Path(draft, "package.json").write_text(package, encoding="utf-8")
        if lock:
            await anyio.Path(draft, planned.lock).write_bytes(lock)
        settings = anyio.Path(origin, ".npmrc")
        if await settings.is_file():
            # For a private registry; it may hold a secret, of which no copy is to be left.
            await anyio.Path(draft, ".npmrc").symlink_to(await settings.absolute())
        quiet = ["--no-audit", "--no-fund", "--no-update-notifier"]
        which = [*quiet] if planned.builds else [*quiet, "--omit=dev"]
        steps = [["ci", *which]] if lock else []
        if not any(RUNTIME in dict(_items(planned.wanted.get(key))) for key in _DEPENDENCIES):
            runtime = f"{RUNTIME}@{RUNTIME_VERSION}"
            steps.append(["install", "--no-save", "--no-package-lock", *which, runtime])
        elif not lock:
            steps.append(["install", "--no-package-lock", *which])
        for step in steps:
            done = await toolchain.run([npm, *step], draft, environ)
            if done.code:
                raise _not_installed(name, done.printed, origin)
        await anyio.Path(draft, ".npmrc").unlink(missing_ok=True)

    packages = sum(len(_items(planned.wanted.get(key))) for key in _DEPENDENCIES[:3])
    what = f"{packages} package{'s'[: packages != 1]}" if packages else RUNTIME
    place = making.cache_dir / "node-modules" / key
    await cached.ensure(
        place, fill, lambda: making.report(f"installing {what} for {name}"), public=True
    )
    return place / "node_modules"


def _package(file: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise _unlike(f"{file} line {line} is not valid JSON", str(error), "correct it") from error
    if not isinstance(document, dict):
        raise _unlike(f"{file} is not a JSON object", "it holds something else", "correct it")
    return document


def _items(listed: object) -> list[tuple[str, str]]:
    return [(str(k), str(v)) for k, v in listed.items()] if isinstance(listed, dict) else []


def _exists(folder: Path, entry: str) -> bool:
    path = folder / entry
    return any(each.is_file() for each in (path, folder / f"{entry}.js", path / "index.js"))


def _copy(folder: Path, draft: Path, modules: Path) -> None:
    shutil.copytree(
        folder,
        draft,
        symlinks=True,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("node_modules"),
    )
    (draft / "node_modules").symlink_to(modules, target_is_directory=True)


def _unlike(what: str, cause: str, fix: str) -> InstanceFailed:
    return InstanceFailed("FunctionNotRecognised", what, cause=cause, fix=fix)


def _not_installed(name: str, printed: str, origin: Path) -> InstanceFailed:
    said = [line.removeprefix("npm error").strip() for line in printed.splitlines()]
    said = [line for line in said if line and not line.startswith(("A complete log", "code "))]
    why = "; ".join(dict.fromkeys(re.sub(r"^4\d\d\s*", "", line) for line in said[:3]))
    offline = any(word in printed for word in OFFLINE)
    return InstanceFailed(
        "EnvironmentFailed",
        f"the packages of function {name} cannot be installed",
        cause=why[:600],
        fix="connect to the network once; afterwards they are cached"
        if offline
        else f"correct {origin / 'package.json'}",
    )


def _not_compiled(name: str, printed: str, origin: Path) -> InstanceFailed:
    lines = [line.rstrip() for line in printed.splitlines() if line.strip()]
    return InstanceFailed(
        "BuildFailed",
        f"function {name} cannot be compiled: {lines[0] if lines else 'build printed nothing'}",
        cause="; ".join(lines[1:5])[:600],
        fix=f"correct what it says in {origin}",
    )
