"""Which modules importing a Python function imports besides its own: what a zygote can load ahead.

Read from the syntax trees of the function's module and of those of its own that it imports.
Only what runs at import counts: not what stands inside a function or below ``TYPE_CHECKING``.

Not here: loading them (``runners/zygote.py``, to which what cannot be loaded does not matter).
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from knlite.functions.python import PythonPlan, parse

FIRST_REQUEST = ("knlite_streams", "json", "urllib.parse", "uuid", "datetime")
"""What the runners load when they answer, rather than when they start."""
EVENTS = {
    "parliament": ("cloudevents.http",),
    "func": ("cloudevents.core.bindings.http", "cloudevents.core.v1.event"),
}
"""What they read events with, where it is installed."""


def preloads(folder: Path, plan: PythonPlan) -> tuple[str, ...]:
    """Dotted names in the order in which they are imported. Blocks.

    For ``from a import b`` it is ``a`` and ``a.b``, which need not be a module. What *plan*'s
    runner loads for a first request comes last.
    """
    found: dict[str, None] = {}
    entry = "func" if plan.style == "parliament" or not _file(folder, "function") else "function"
    _follow(folder, entry, found, set())
    if plan.style == "parliament":
        # The runner stands in for it.
        found = {name: None for name in found if name.partition(".")[0] != "parliament"}
    takes_events = plan.style == "parliament" or "cloudevent" in plan.arguments
    events = EVENTS[plan.style] if plan.requirements and takes_events else ()
    return tuple(dict.fromkeys((*found, *FIRST_REQUEST, *events)))


def _follow(folder: Path, name: str, found: dict[str, None], seen: set[Path]) -> None:
    """Add what the function's own module *name* imports."""
    file = _file(folder, name)
    if file is None or file in seen:
        return
    seen.add(file)
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for imported in _imported(parse(file).body, package):
        own, _, _ = imported.partition(".")
        if _file(folder, own) is None:
            found[imported] = None
            continue
        # Importing a.b.c runs a, a.b, a.b.c; what is no module is a name in the one before.
        parts = imported.split(".")
        for count in range(1, len(parts) + 1):
            each = ".".join(parts[:count])
            _follow(folder, each, found, seen)


def _file(folder: Path, name: str) -> Path | None:
    """The file of the function's own module *name*."""
    place = folder.joinpath(*name.split("."))
    for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
        if file.is_file():
            return file
    return None


def _imported(body: list[ast.stmt], package: str) -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = _absolute(module or "", level, package)
                if base:
                    yield base
                if base and base.partition(".")[0] not in sys.stdlib_module_names:
                    yield from (f"{base}.{each.name}" for each in names if each.name != "*")
            case ast.If(test=test, body=inner, orelse=other):
                if not _is_type_checking(test):
                    yield from _imported(inner, package)
                yield from _imported(other, package)
            case ast.Try() | ast.TryStar():
                yield from _imported(statement.body, package)
                for handler in statement.handlers:
                    yield from _imported(handler.body, package)
                yield from _imported([*statement.orelse, *statement.finalbody], package)
            case ast.With(body=inner):
                yield from _imported(inner, package)
            case _:
                pass


def _absolute(module: str, level: int, package: str) -> str:
    """The module that a relative import with *level* dots in *package* means."""
    if not level:
        return module
    parts = package.split(".")
    kept = parts[: len(parts) - level + 1]
    return ".".join([*kept, *([module] if module else [])])


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )
