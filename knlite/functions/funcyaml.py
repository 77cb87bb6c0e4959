"""Reads ``func.yaml`` as a whole and writes back only what changed.

The file is a document that people and other programs write, too: comments, order and fields that
are not known here stay where they are. Older layouts are read as today's, and stay as they are on
disk until something is changed.

Source: Knative Functions reference §4.1; knative/func pkg/functions/function.go.
Differs: fields that are not known are kept when the file is written; func drops them.
Not here: the function that runs (``project.py``), the fields (``funcspec.py``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from knlite.errors import InvalidInput, KnliteError
from knlite.functions import yamledit
from knlite.functions.funcfields import typed, unknown
from knlite.functions.funcmigrations import Tree, migrated, version_of
from knlite.functions.funcproblems import problems
from knlite.functions.funcspec import SPEC_VERSION, FuncYaml
from knlite.functions.yamledit import Timestamp, dumped
from knlite.functions.yamltree import Place, Unreadable, YamlTree, parsed, printable, text_of

FILE = "func.yaml"
_SCHEMA = "https://raw.githubusercontent.com/knative/func/main/schema/func_yaml-schema.json"
_HEADER = f"# $schema: {_SCHEMA}\n# yaml-language-server: $schema={_SCHEMA}\n"
_GROUPS = (("build", "git"), ("deploy", "options"), ("deploy", "healthEndpoints"))
"""Those in a group that are left out when they are empty, as the groups themselves are."""
_AT = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class ProjectError:
    """Why a ``func.yaml`` cannot be read; *line* counts from one."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class ProjectErrors:
    """All that is wrong with a ``func.yaml``; at least one."""

    problems: tuple[ProjectError, ...]

    def __str__(self) -> str:
        return "\n".join([f"'{FILE}' contains errors:", *map(str, self.problems)])


@dataclass(frozen=True, slots=True)
class FuncFile:
    """A ``func.yaml`` as it was found."""

    func: FuncYaml
    text: str
    tree: Mapping[str, object]
    """In today's layout, scalars as text."""
    warnings: tuple[ProjectError, ...]
    """Fields that are not known."""


def load(folder: Path, environ: Mapping[str, str] | None = None) -> FuncYaml | ProjectErrors:
    """The function in *folder*; its labels may refer to variables of *environ*.

    Without a name it has its folder's, which is not written for that.
    """
    found = opened(folder, environ)
    return found.func if isinstance(found, FuncFile) else found


def opened(folder: Path, environ: Mapping[str, str] | None = None) -> FuncFile | ProjectErrors:
    """The same with the text it stands in, and with warnings."""
    file = folder / FILE
    try:
        text = text_of(file)
        document = parsed(text)
    except Unreadable as error:
        return ProjectErrors((ProjectError(str(file), error.line, str(error)),))
    tree = migrated(document.tree)
    old = tree.keys() != document.tree.keys()
    found = _decoded(tree)

    def problem(place: Place, message: str) -> ProjectError:
        line = document.line_of(_place_in(document, place))
        return ProjectError(str(file), line, printable(message))

    if isinstance(found, FuncYaml):
        wrong = tuple(problem(*each) for each in problems(found, environ or {}))
        if not wrong:
            if not found.name:
                found = msgspec.structs.replace(found, name=folder.resolve().name)
            places = unknown(tree) if not old else []
            warnings = (problem(place, f'unknown field "{place[-1]}"') for place in places)
            return FuncFile(found, text, tree, tuple(warnings))
        return ProjectErrors(wrong)
    return ProjectErrors((problem(*found),))


def required(folder: Path, environ: Mapping[str, str] | None = None) -> FuncYaml:
    """The same as ``load``; raises ``InvalidInput`` if it cannot be read."""
    found = load(folder, environ)
    if isinstance(found, ProjectErrors):
        raise InvalidInput(str(found), fix=f"correct {folder / FILE}")
    return found


def line_of(folder: Path, place: Place) -> int:
    """The line on which *place* stands in the file of *folder*; 1 if it does not."""
    try:
        document = parsed(text_of(folder / FILE))
    except Unreadable:
        return 1
    return document.line_of(_place_in(document, place))


def save(folder: Path, changed: FuncYaml) -> bool:
    """Write *changed* into *folder*, if it is not what stands there; says whether it was written.

    Raises ``InvalidInput`` if it cannot be what it is, ``KnliteError`` if it cannot be written.
    """
    if wrong := [text for _, text in problems(changed, {})]:
        raise InvalidInput("\n".join([f"'{FILE}' contains errors:", *wrong]))
    if not (folder / FILE).exists():
        write(folder, (_HEADER + dumped(_encoded(changed))).encode())
        return True
    found = opened(folder)
    if isinstance(found, ProjectErrors):
        raise InvalidInput(str(found))
    if found.func == changed:
        return False
    target = _merged(found.tree, _encoded(found.func), _encoded(changed))
    if changed.created:
        target["created"] = Timestamp(changed.created)
    write(folder, yamledit.edited(found.text, target).encode())
    return True


def write(folder: Path, content: bytes) -> None:
    """Put *content* into the file of *folder*: all or nothing, and through a link to where it is.

    Raises ``KnliteError``.
    """
    file = folder / FILE
    try:
        place = file.resolve()
        mode = place.stat().st_mode & 0o777 if place.exists() else 0o644
        with TemporaryDirectory(dir=place.parent, prefix=f".{FILE}.") as beside:
            made = Path(beside) / FILE
            made.write_bytes(content)
            made.chmod(mode)
            made.replace(place)
    except OSError as error:
        raise KnliteError(f"{file} cannot be written", cause=str(error)) from error


def _decoded(tree: Mapping[str, object]) -> FuncYaml | tuple[Place, str]:
    version = str(tree.get("specVersion", SPEC_VERSION))
    if version_of(version) is None:
        return ("specVersion",), f"specVersion must be a version such as {SPEC_VERSION}"
    try:
        return msgspec.convert(typed(tree), FuncYaml, strict=False)
    except msgspec.ValidationError as error:
        found = _AT.search(str(error))
        # [...] is whatever key of a map that holds anything.
        steps = _STEP.findall(found[1].replace("[...]", "")) if found else []
        place = tuple(int(index) if index else word for word, index in steps)
        text = str(error)[: found.start()] if found else str(error)
        where = ".".join(map(str, place))
        return place, f"is not valid: {where}: {text}"


def _encoded(func: FuncYaml) -> Tree:
    # Through JSON, so that there is one kind of list.
    tree: Tree = msgspec.json.decode(msgspec.json.encode(func))
    for group, name in _GROUPS:
        inner = tree.get(group)
        if isinstance(inner, dict) and inner.get(name) == {}:
            del inner[name]
    for group in ("build", "run", "deploy"):
        if tree.get(group) == {}:
            del tree[group]
    if func.created:
        tree["created"] = Timestamp(func.created)
    return tree


def _merged(
    given: Mapping[str, object], old: Mapping[str, object], new: Mapping[str, object]
) -> Tree:
    """*given*, with what differs between *old* and *new* put into it."""
    tree = dict(given)
    for key in [*old, *(key for key in new if key not in old)]:
        here = tree.get(key)
        before, after = old.get(key), new.get(key)
        if key in old and key in new and before == after:
            continue
        if isinstance(here, Mapping) and (isinstance(after, Mapping) or key not in new):
            inner = _merged(here, _mapping(before), _mapping(after))
            if inner or key in new:
                tree[key] = inner
            else:
                del tree[key]
        elif key not in new:
            tree.pop(key, None)
        elif isinstance(here, list) and isinstance(after, list) and isinstance(before, list):
            tree[key] = _merged_list(here, before, after)
        else:
            tree[key] = after
    return tree


def _merged_list(given: list[object], old: list[object], new: list[object]) -> list[object]:
    """Items that stay keep all that stood in them; the others are paired in their order."""
    begin = 0
    while begin < min(len(old), len(new)) and old[begin] == new[begin]:
        begin += 1
    tail = 0
    while tail < min(len(old), len(new)) - begin and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    middle = [
        _merged(here, before, after)
        if isinstance(here, Mapping) and isinstance(before, Mapping) and isinstance(after, Mapping)
        else after
        for here, before, after in zip(
            given[begin : len(given) - tail],
            old[begin : len(old) - tail],
            new[begin : len(new) - tail],
            strict=False,
        )
    ]
    middle += new[begin + len(middle) : len(new) - tail]
    return [*given[:begin], *middle, *given[len(given) - tail :]]


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _place_in(document: YamlTree, place: Place) -> Place:
    """*place* of today's layout where *document*, perhaps an older one, has it."""
    inner = document.tree.get(str(place[0])) if place else None
    if len(place) > 1 and not isinstance(inner, Mapping):
        return place[1:]
    return place
