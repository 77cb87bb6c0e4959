"""How a Python function project is run: its style, its runner, and what must be installed.

Two styles are known. *parliament* is ``def main(context)`` in ``func.py``; *func* is today's
``new()`` or ``handle`` in the package ``function`` (or the module ``func``). Our runners bring the
server, so a function that imports nothing beyond the standard library, and lists no more than
func's template does, installs nothing and needs no network. Otherwise its requirements are
installed as they are written, with ``cloudevents`` kept at the version that its style works with.

Source: Knative Functions reference §2.6, §2.7, §3.3; knative/func pkg/scaffolding.
Not here: the installing (``environment.py``), the runners (``runners/``).
"""

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from knlite.errors import InstanceFailed
from knlite.functions import requirements

RUNNERS = Path(__file__).parent / "runners"
SHARED = tuple(
    RUNNERS / f"knlite_{name}.py"
    for name in ("asgi", "loading", "parliament", "replies", "request", "streams")
)
"""What runners need beside them."""
START = RUNNERS / "knlite_start.py"
"""Starts a runner that lies beside it, by its name."""
SKIPPED = frozenset({"__pycache__", "node_modules", "venv", "tests", "test", "build", "dist"})
TEST_TOOLS = frozenset({"pytest", "pytest-asyncio"})
"""What func's template lists among the runtime's dependencies, for the function's tests."""
TEMPLATE_NAMES = TEST_TOOLS | {"httpx", "cloudevents"}
"""All that func's template lists; for its runner and tests, unless the function imports it."""
PARLIAMENT_NAMES = frozenset({"parliament", "parliament-functions"})

_DEFINED = re.compile(r"^(?:async[ \t]+)?def[ \t]+(main|new|handle)\b", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PROCFILE = re.compile(r"^\s*web:.*python\S*\s+-m\s+parliament\b", re.MULTILINE)

Style = Literal["parliament", "func"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonPlan:
    """How to run one Python function."""

    style: Style
    requirements: tuple[str, ...]
    """Lines for an installer, read relative to the function's folder; empty: nothing to install."""
    runner: Path
    """Started with the function's interpreter, followed by *arguments*."""
    arguments: tuple[str, ...]


def plan(folder: Path, invoke: Literal["http", "cloudevent"] = "http") -> PythonPlan:
    """How to run the Python function in *folder*. Raises ``InstanceFailed``."""
    sources = [*_sources(folder)]
    imported = {name for source in sources for name in _imports(source)}
    if _is_parliament(folder, imported):
        return PythonPlan(
            style="parliament",
            requirements=_parliament_requirements(folder, imported),
            runner=RUNNERS / "parliament_runner.py",
            arguments=(str(folder),),
        )
    if not _is_func(folder):
        raise _styleless(folder)
    return PythonPlan(
        style="func",
        requirements=_func_requirements(folder, invoke, imported),
        runner=RUNNERS / "func_python_runner.py",
        arguments=(str(folder), invoke),
    )


def recognized(folder: Path) -> bool:
    """Whether the function in *folder* has one of the styles. Blocks."""
    imported = {name for source in _sources(folder) for name in _imports(source)}
    return _is_parliament(folder, imported) or _is_func(folder)


def listed(folder: Path) -> tuple[str, ...]:
    """What the project in *folder* lists, for a program of its own. Raises ``InstanceFailed``."""
    lines = requirements.of_file(folder / "requirements.txt")
    if (folder / "pyproject.toml").is_file():
        lines += requirements.of_pyproject(folder / "pyproject.toml")
    constraints = folder / "constraints.txt"
    if lines and constraints.is_file():
        lines.append(f"-c {constraints.resolve()}")
    return tuple(lines)


def _styleless(folder: Path) -> InstanceFailed:
    file = folder / "func.py"
    found = sorted(_defined(file))[:5]
    what = f"it defines {', '.join(found)}" if found else "it defines nothing"
    return InstanceFailed(
        "FunctionNotRecognised",
        f"{file} has no handler: {what}" if file.is_file() else f"{folder} holds no function",
        cause="there is neither def main(context) in func.py, nor new() or handle() in func.py or"
        " in the package function",
        fix="define one of them, write a Procfile with 'web: COMMAND', or annotate the Service with"
        " knlite.dev/command",
    )


def _is_parliament(folder: Path, imported: set[str]) -> bool:
    if "parliament" in imported:
        return (folder / "func.py").is_file()
    procfile = folder / "Procfile"
    if procfile.is_file() and _PROCFILE.search(procfile.read_text("utf-8", "replace")):
        return True
    return "main" in _defined(folder / "func.py")


def _is_func(folder: Path) -> bool:
    package = folder / "function"
    return package.is_dir() or bool({"new", "handle"} & _defined(folder / "func.py"))


def _parliament_requirements(folder: Path, imported: set[str]) -> tuple[str, ...]:
    lines = requirements.of_file(folder / "requirements.txt")
    needed = [line for line in lines if _name(line) not in PARLIAMENT_NAMES]
    if not needed and not _foreign(folder, imported):
        return ()
    constraints = folder / "constraints.txt"
    if constraints.is_file():
        lines.append(f"-c {constraints.resolve()}")
    pinned = [*lines, *requirements.of_file(constraints)]
    if not any(_name(line) == "cloudevents" and _has_version(line) for line in pinned):
        # parliament does not import with cloudevents 2.x.
        lines.append("cloudevents<2")
    return tuple(lines)


def _func_requirements(folder: Path, invoke: str, imported: set[str]) -> tuple[str, ...]:
    lines = requirements.of_file(folder / "requirements.txt")
    project = folder / "pyproject.toml"
    if project.is_file():
        lines += requirements.of_pyproject(project)
    own = [line for line in lines if _name(line) not in TEMPLATE_NAMES]
    lines = [line for line in lines if _name(line) not in TEST_TOOLS]
    if invoke == "http" and not own and not _foreign(folder, imported):
        return ()
    if invoke == "cloudevent" and not any(
        _name(line) == "cloudevents" and _has_version(line) for line in lines
    ):
        lines.append("cloudevents>=2,<3")
    return tuple(lines)


def _name(line: str) -> str:
    found = _NAME.match(line)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


def _has_version(line: str) -> bool:
    return bool(re.search(r"[<>=~!@]", line.partition(";")[0]))


def _sources(folder: Path) -> list[Path]:
    found: list[Path] = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name in SKIPPED:
            continue
        if entry.is_dir() and not entry.is_symlink() and not (entry / "pyvenv.cfg").exists():
            found += _sources(entry)
        elif entry.suffix == ".py" and not entry.name.startswith("test_"):
            found.append(entry)
    return found


def parse(source: Path) -> ast.Module:
    """What is in the file *source*; nothing if that cannot be read."""
    try:
        return ast.parse(source.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError):
        # Two of them for what is nested too deeply. The interpreter will say it better.
        return ast.Module(body=[], type_ignores=[])


def _imports(source: Path) -> set[str]:
    """Top-level names of the modules that *source* imports anywhere."""
    names: set[str] = set()
    for node in ast.walk(parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def _defined(source: Path) -> set[str]:
    if not source.is_file():
        return set()
    parsed = parse(source)
    if not parsed.body:
        # Not valid, then: enough to start it, since the interpreter tells what is wrong.
        return set(_DEFINED.findall(source.read_text(encoding="utf-8", errors="replace")))
    names: set[str] = set()
    for node in parsed.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return names


def _foreign(folder: Path, imported: set[str]) -> set[str]:
    """Those of the imported modules that are neither Python's nor the function's own."""
    own = {entry.stem for entry in folder.iterdir()}
    return imported - own - sys.stdlib_module_names - {"parliament"}
