"""Texts of YAML to documents that know on which line every field stands.

All that is wrong with a text is collected, never raised. A key may stand only once in a map.

Source: YAML 1.1 as sigs.k8s.io/yaml reads it.
Not here: scalars (``scalars.py``), what the documents mean (``kinds/catalog.py``).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from knlite.manifests.scalars import NoValue, value_of

MAX_BYTES = 3 * 1024 * 1024
"""Of one file; what an API server takes in one request."""
MAX_NODES = 200_000
"""Of one document after its aliases are written out: a bound for hostile nesting of aliases."""
MAX_DEPTH = 100

_LAST_STEP = re.compile(r"(\.[^.\[]*|\[[^\]]*\])$")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One line for the person who wrote the file; details follow on indented lines."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        first, *details = self.message.splitlines() or [""]
        return "\n".join(
            [f"{self.file}:{self.line}: {first}", *(f"    {text}" for text in details)]
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """One document of one file."""

    tree: object
    file: str
    line: int
    lines: Mapping[str, int] = field(repr=False)

    def line_of(self, path: str) -> int:
        """The line of the field at *path*, or of the nearest field around it."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = _LAST_STEP.sub("", path) if _LAST_STEP.search(path) else ""
        return self.line

    def complaint(self, message: str, path: str = "") -> Complaint:
        """*message* about the field at *path*."""
        return Complaint(self.file, self.line_of(path), message)


def documents_of(file: Path) -> Iterator[Manifest | Complaint]:
    """The documents of *file*."""
    name = str(file)
    try:
        if file.stat().st_size > MAX_BYTES:
            yield Complaint(name, 1, f"larger than {MAX_BYTES // 1024} KiB; not a manifest")
            return
        text = file.read_text(encoding="utf-8")
    except OSError as exc:
        yield Complaint(name, 1, f"cannot be read: {exc.strerror}")
    except UnicodeDecodeError as exc:
        yield Complaint(name, 1, f"not UTF-8: {exc.reason} at byte {exc.start}")
    else:
        yield from parse(text, name)


def parse(text: str, file: str) -> Iterator[Manifest | Complaint]:
    """The documents of *text*; after a syntax error the rest of a file cannot be read."""
    try:
        for node in yaml.compose_all(text, Loader=_Loader):
            yield from _document(node, file)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        problem = ", ".join(part for part in (exc.context, exc.problem) if part)
        yield Complaint(file, mark.line + 1 if mark else 1, f"not valid YAML: {problem}")
    except yaml.reader.ReaderError as exc:
        line = text.count("\n", 0, exc.position) + 1
        yield Complaint(file, line, f"not valid YAML: {exc.reason}")
    except RecursionError:
        yield Complaint(file, 1, f"nested deeper than {MAX_DEPTH} levels")


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]  # one of two bases
    """Composes nodes; values are made from them here."""


class _Refused(Exception):
    def __init__(self, node: yaml.Node, message: str) -> None:
        super().__init__(message)
        self.line = node.start_mark.line + 1


def _document(node: yaml.Node | None, file: str) -> Iterator[Manifest | Complaint]:
    if node is None:
        return
    reader = _Reader()
    line = node.start_mark.line + 1
    try:
        tree = reader.value(node, "", ())
    except _Refused as refused:
        yield Complaint(file, refused.line, str(refused))
        return
    if tree is None:
        return
    if (
        isinstance(tree, dict)
        and tree.get("kind") == "List"
        and isinstance(tree.get("items"), list)
    ):
        for index, item in enumerate(tree["items"]):
            prefix = f"items[{index}]"
            lines = {
                path.removeprefix(prefix).lstrip("."): number
                for path, number in reader.lines.items()
                if path.startswith(prefix)
            }
            yield Manifest(item, file, lines.get("", line), lines)
    else:
        yield Manifest(tree, file, line, reader.lines)


class _Reader:
    """Makes the JSON tree of one document, noting the line of every field."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self._count = 0

    def value(self, node: yaml.Node, path: str, above: tuple[int, ...]) -> object:
        self._count += 1
        if self._count > MAX_NODES:
            raise _Refused(node, f"more than {MAX_NODES} values once its aliases are written out")
        if id(node) in above:
            raise _Refused(node, "an alias contains itself")
        if len(above) > MAX_DEPTH:
            raise _Refused(node, f"nested deeper than {MAX_DEPTH} levels")
        self.lines.setdefault(path, node.start_mark.line + 1)
        match node:
            case yaml.MappingNode():
                return self._map(node, path, (*above, id(node)))
            case yaml.SequenceNode():
                return [
                    self.value(item, f"{path}[{index}]", (*above, id(node)))
                    for index, item in enumerate(node.value)
                ]
            case _:
                return _scalar(node)

    def _map(self, node: yaml.MappingNode, path: str, above: tuple[int, ...]) -> dict[str, object]:
        tree: dict[str, object] = {}
        merged: dict[str, object] = {}
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == "tag:yaml.org,2002:merge":
                self._merge(value_node, path, above, merged)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise _Refused(key_node, "a key must be text")
            key = str(key_node.value)
            if key in seen:
                raise _Refused(key_node, f'key "{key}" is already set at line {seen[key]}')
            seen[key] = line
            where = f"{path}.{key}" if path else key
            self.lines.setdefault(where, line)
            # Field errors write the keys of free maps in brackets.
            self.lines.setdefault(f"{path}[{key}]", line)
            tree[key] = self.value(value_node, where, above)
        return {**merged, **tree}

    def _merge(
        self, node: yaml.Node, path: str, above: tuple[int, ...], merged: dict[str, object]
    ) -> None:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                raise _Refused(node, "<< needs a map, or a list of maps")
            for key, value in self._map(source, path, above).items():
                merged.setdefault(key, value)


def _scalar(node: yaml.Node) -> object:
    try:
        return value_of(node)
    except NoValue as exc:
        raise _Refused(node, str(exc)) from exc
