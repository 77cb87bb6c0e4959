"""How a Go function is run: compiled once for its content, together with a server of ours.

The function's module is copied, a package that serves it is put beside it, and ``go build`` makes
one program of both; what func's template leaves to ``knative.dev/func-go`` is in that package. A
module whose package is ``main`` serves itself, and is compiled as it is.

Source: Knative Functions reference §4.2; knative/func pkg/scaffolding (detection of signatures).
Not here: the server (``runners/go``).
"""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio.to_thread

from knlite.errors import InstanceFailed
from knlite.functions import cached, contents, toolchain
from knlite.functions.making import Making
from knlite.functions.toolchain import Tool

GO = Tool("go", "Go", "install Go 1.21 or later (https://go.dev/dl)")
SERVER = Path(__file__).parent / "runners" / "go"
PACKAGE = "knlite_serves"
"""The folder of the package that serves, in the copy of the module."""
SDK = "github.com/cloudevents/sdk-go/v2"

_MODULE = re.compile(r'^\s*module\s+"?([^\s"]+)"?', re.MULTILINE)
_CLAUSE = re.compile(r"^package\s+(\w+)", re.MULTILINE)
_FUNCTION = re.compile(r"^func\s+(New|Handle)\s*\(", re.MULTILINE)
_PROGRESS = ("#", "go: downloading", "go: finding", "go: found")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoPlan:
    """How to compile one Go function."""

    module: str
    """Its import path; empty if it is a program of its own."""
    symbol: Literal["New", "Handle", ""]
    events: bool
    """Whether it may be given events."""


def plan(folder: Path, invoke: Literal["http", "cloudevent"]) -> GoPlan:
    """How to compile the function in *folder*. Blocks. Raises ``InstanceFailed``."""
    file = folder / "go.mod"
    if not file.is_file():
        raise _unlike(
            f"the Go function in {folder} has no go.mod", "write one: go mod init function"
        )
    written = file.read_text(encoding="utf-8", errors="replace")
    module = _MODULE.search(_COMMENT.sub("", written))
    if module is None:
        raise _unlike(f"{file} names no module", "begin it with: module function")
    if (folder / PACKAGE).exists():
        raise _unlike(
            f"{folder / PACKAGE} has the name of what knlite puts there", "call it another name"
        )
    sources = [
        _COMMENT.sub("", source.read_text(encoding="utf-8", errors="replace"))
        for source in sorted(folder.glob("*.go"))
        if not source.name.endswith("_test.go")
    ]
    if not sources:
        raise _unlike(f"there is no .go file in {folder}", "write handle.go with func Handle")
    if any(clause == "main" for source in sources for clause in _CLAUSE.findall(source)):
        return GoPlan(module="", symbol="", events=False)
    found = {name for source in sources for name in _FUNCTION.findall(source)}
    if len(found) != 1:
        said = "defines both New and Handle" if found else "defines neither New nor Handle"
        raise _unlike(
            f"the Go function in {folder} {said}",
            "define one of them: func Handle(w http.ResponseWriter, r *http.Request), or func New()"
            " for an instance with that method",
        )
    return GoPlan(
        module=module[1],
        symbol="New" if "New" in found else "Handle",
        events=invoke == "cloudevent" and SDK in written,
    )


async def make(
    planned: GoPlan,
    making: Making,
    *,
    static: bool = False,
) -> Path:
    """The compiled program; *static* for images without a C library. Raises ``InstanceFailed``."""
    name, folder = making.name, making.folder
    go = toolchain.find(GO, name, making.environ)
    environ = {**making.environ, "GOWORK": "off", **({"CGO_ENABLED": "0"} if static else {})}
    version = (await toolchain.run([go, "version"], folder, environ)).printed.strip()
    serving = _serving(planned)
    code = await anyio.to_thread.run_sync(
        contents.digest, folder, version, str(static), *serving.values()
    )

    async def fill(draft: Path) -> None:
        sources = draft / "sources"
        await anyio.to_thread.run_sync(_copy, folder, sources, serving)
        # Paths of the function's files are the same in every copy, so what has not changed is not
        # compiled again.
        words = [go, "build", "-trimpath", "-buildvcs=false", "-o", str(draft / "function")]
        if not (folder / "vendor").is_dir():
            words.append("-mod=mod")
        words.append(f"./{PACKAGE}" if planned.module else ".")
        # One at a time: each uses all processors, and the first ones all compile the same library.
        async with cached.locked(place.parent / "build.lock"):
            done = await toolchain.run(words, sources, environ)
        if done.code:
            raise _not_compiled(name, done.printed, making.origin)
        await anyio.to_thread.run_sync(shutil.rmtree, sources)

    place = making.cache_dir / "go-functions" / code.removeprefix("sha256:")[:24]
    await cached.ensure(place, fill, lambda: making.report(f"compiling {name}"))
    return place / "function"


def _serving(planned: GoPlan) -> Mapping[str, str]:
    """The files of the package that serves the function, by name."""
    if not planned.module:
        return {}
    call = "f.New()" if planned.symbol == "New" else "f.Handle"
    events = "events" if planned.events else "noevents"
    return {
        "main.go": (SERVER / "main.go.txt").read_text(encoding="utf-8"),
        "events.go": (SERVER / f"{events}.go.txt").read_text(encoding="utf-8"),
        "function.go": f'package main\n\nimport f "{planned.module}"\n\n'
        f"func function() any {{ return {call} }}\n",
    }


def _copy(folder: Path, sources: Path, serving: Mapping[str, str]) -> None:
    shutil.copytree(folder, sources, symlinks=True)
    if serving:
        (sources / PACKAGE).mkdir()
    for name, text in serving.items():
        (sources / PACKAGE / name).write_text(text, encoding="utf-8")


def _unlike(what: str, fix: str) -> InstanceFailed:
    return InstanceFailed("FunctionNotRecognised", what, fix=fix)


def _not_compiled(name: str, printed: str, origin: Path) -> InstanceFailed:
    # "./handle.go:5:2: undefined: x", or without the dot.
    said = [
        re.sub(r"^(?:\./)?(?=\w[^\s:]*\.go:\d)", f"{origin}/", line)
        for line in printed.splitlines()
        if line.strip() and not line.startswith(_PROGRESS)
    ]
    offline = any(word in printed for word in ("dial tcp", "no such host", "i/o timeout"))
    return InstanceFailed(
        "BuildFailed",
        f"function {name} cannot be compiled: {said[0] if said else 'go build printed nothing'}",
        cause="; ".join(said[1:5])[:600],
        fix="connect to the network once; afterwards the modules are cached"
        if offline
        else f"correct it in {origin}",
    )
