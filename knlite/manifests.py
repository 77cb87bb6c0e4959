"""Folders and files of YAML to documents that know on which line every field stands.

All that is wrong with all files is collected, never raised. Scalars are read as Kubernetes clients
read them: a date stays text, ``1:30`` is no number, a key may stand only once in a map.

Source: YAML 1.1 as sigs.k8s.io/yaml reads it; RFC 8259 for what JSON can hold.
Not here: what the documents mean (``kinds/catalog.py``), or reading ``func.yaml``
(``functions/project.py``).
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isinf
from pathlib import Path

import msgspec
import yaml

from knlite.errors import InvalidInput
from knlite.functions.declared import documents_of
from knlite.functions.funcyaml import line_of
from knlite.functions.project import ProjectError
from knlite.functions.project import read as read_function
from knlite.kinds.catalog import info_of, read
from knlite.kinds.core.cronjob import CronJob
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.core.job import Job
from knlite.kinds.meta import Object
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.service import Service
from knlite.kinds.sinks.jobsink import JobSink
from knlite.kinds.sources.container import ContainerSource
from knlite.reconcile import Key, key_of
from knlite.serving.workload import FunctionProject, Sources, declared_as

MAX_BYTES = 3 * 1024 * 1024
"""Of one file; what an API server takes in one request."""
MAX_NODES = 200_000
"""Of one document after its aliases are written out: a bound for hostile nesting of aliases."""
MAX_DEPTH = 100

_SUFFIXES = frozenset((".yaml", ".yml", ".json"))
_OTHERS = re.compile(
    r"func\.ya?ml|(docker-)?compose[\w.-]*\.ya?ml|kustomization\.ya?ml|[\w.-]*lock.*"
    r"|package\.json|tsconfig[\w.-]*\.json"
)
"""Files with these suffixes that are well known for something else."""
_SKIPPED_FOLDERS = frozenset(("node_modules", "__pycache__", "venv", "target", "vendor"))

_RUNNING = (Service, Configuration, Deployment, Job, CronJob, ContainerSource, JobSink)
"""Kinds whose manifest says which code runs."""

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


@dataclass(frozen=True, slots=True)
class Declared:
    """An object and the document that declares it."""

    obj: Object
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Found:
    """The files below some paths that matter to knlite."""

    manifests: tuple[Path, ...]
    functions: tuple[Path, ...]
    """``func.yaml`` files."""
    dockerfiles: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The objects of all files, or what is wrong with them."""

    declared: tuple[Declared, ...]
    complaints: tuple[Complaint, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """Everything below some paths: objects, where their code is, and what is wrong."""

    declared: tuple[Declared, ...]
    sources: Sources
    complaints: tuple[Complaint, ...]


def read_project(paths: Sequence[Path], environ: Mapping[str, str]) -> Project:
    """Read all that lies below *paths*. Raises ``InvalidInput`` if one is missing.

    Function projects may refer to variables of *environ*. Where there is no manifest at all, each
    of them speaks for itself.
    """
    found = find(paths)
    loaded = load(found.manifests)
    declared = list(loaded.declared)
    projects: list[FunctionProject] = []
    speakers: dict[Key, Path] = {}
    complaints = list(loaded.complaints)
    for file in found.functions:
        project = read_function(file.parent, environ)
        if isinstance(project, ProjectError):
            complaints.append(Complaint(project.file, project.line, project.message))
            continue
        if not found.manifests:
            image, alone = _declared_by(file, environ)
            project = replace(project, image=image)
            for each in alone:
                if isinstance(each, Complaint):
                    complaints.append(each)
                elif key_of(each.obj) in speakers:
                    earlier = speakers[key_of(each.obj)]
                    text = f"{key_of(each.obj)} is already what {earlier} is deployed as"
                    complaints.append(each.manifest.complaint(text))
                else:
                    speakers[key_of(each.obj)] = file
                    declared.append(each)
        projects.append(project)
    sources = Sources(
        projects=tuple(projects),
        folders=folders_of(loaded.declared),
        dockerfiles=frozenset(str(file.parent.resolve()) for file in found.dockerfiles),
        manifests=files_of(loaded.declared),
    )
    return Project(tuple(declared), sources, tuple(complaints))


def _declared_by(file: Path, environ: Mapping[str, str]) -> tuple[str, list[Declared | Complaint]]:
    """The image of the function of that ``func.yaml``, and what it is deployed as."""
    results: list[Declared | Complaint] = []
    try:
        image, documents = documents_of(file.parent, environ)
    except InvalidInput as exc:
        return "", [Complaint(str(file), line_of(file.parent, ("name",)), str(exc))]
    for document in documents:
        manifest = Manifest(document, str(file), 1, {})
        found = read(document)
        results += [manifest.complaint(str(each)) for each in found.problems]
        if found.value is not None:
            results.append(Declared(found.value, manifest))
    return image, results


def folders_of(declared: Iterable[Declared]) -> dict[tuple[str, str], str]:
    """The folder of the manifest of everything that runs code, by namespace and ``declared_as``."""
    return {
        (
            each.obj.metadata.namespace,
            declared_as(type(each.obj).__name__, each.obj.metadata.name),
        ): _folder(each.manifest.file)
        for each in declared
        if isinstance(each.obj, _RUNNING)
    }


def files_of(declared: Iterable[Declared]) -> frozenset[str]:
    """The files that declare anything."""
    return frozenset(
        str(Path(file).resolve()) for file in {each.manifest.file for each in declared}
    )


def find(paths: Sequence[Path]) -> Found:
    """The files below *paths*, in a stable order. Raises ``InvalidInput`` if one is missing."""
    manifests: dict[Path, None] = {}
    others: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            for file in _walk(path):
                if is_manifest(file):
                    manifests[file] = None
                else:
                    others[file] = None
        elif path.is_file():
            manifests[path] = None
            # The code of a single manifest lies beside it, or one folder below.
            beside = [*path.parent.glob("*"), *path.parent.glob("*/func.yaml")]
            others.update((file, None) for file in sorted(beside) if file.is_file())
        else:
            raise InvalidInput(
                f"{path} does not exist",
                fix="give a folder with manifests, or a file: knlite up examples/",
            )
    return Found(
        manifests=tuple(manifests),
        functions=tuple(file for file in others if file.name == "func.yaml"),
        dockerfiles=tuple(file for file in others if file.name == "Dockerfile"),
    )


def load(files: Iterable[Path], default_namespace: str = "default") -> Loaded:
    """The objects that *files* declare, and every complaint about them."""
    declared: list[Declared] = []
    complaints: list[Complaint] = []
    first: dict[Key, Manifest] = {}
    for file in files:
        for item in _documents(file):
            if isinstance(item, Complaint):
                complaints.append(item)
                continue
            found = read(item.tree)
            complaints.extend(item.complaint(str(each), each.path) for each in found.problems)
            if found.value is None:
                continue
            obj = _in_namespace(found.value, default_namespace)
            earlier = first.setdefault(key_of(obj), item)
            if earlier is not item:
                text = f"{key_of(obj)} is already defined at {earlier.file}:{earlier.line}"
                complaints.append(item.complaint(text, "metadata.name"))
            else:
                declared.append(Declared(obj, item))
    return Loaded(tuple(declared), tuple(complaints))


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


def _folder(file: str) -> str:
    return str(Path(file).parent.resolve())


def _walk(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return  # Gone since it was found, or not ours to read.
    for entry in entries:
        if not is_searched(entry.name):
            continue
        # A link to a folder is not followed: it may lead in a circle.
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        elif _is_file(entry):
            yield Path(entry.path)


def _is_file(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False  # A link to where we may not look.


def is_searched(name: str) -> bool:
    """Whether a file or folder called *name* may hold something of a project's author."""
    return not name.startswith(".") and name not in _SKIPPED_FOLDERS


def is_manifest(file: Path) -> bool:
    """Whether *file* is called as a manifest may be."""
    return file.suffix in _SUFFIXES and _OTHERS.fullmatch(file.name) is None


def _documents(file: Path) -> Iterator[Manifest | Complaint]:
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


def _in_namespace(obj: Object, default: str) -> Object:
    meta = obj.metadata
    if not info_of(type(obj)).namespaced:
        return msgspec.structs.replace(obj, metadata=msgspec.structs.replace(meta, namespace=""))
    if meta.namespace:
        return obj
    return msgspec.structs.replace(obj, metadata=msgspec.structs.replace(meta, namespace=default))


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
                return _number_or_text(node)

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


_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]*|[1-9][0-9_]*)")
_NUMBER = re.compile(r"[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][-+]?\d+)?")
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")
_TRUE = frozenset(("yes", "true", "on"))


def _number_or_text(node: yaml.Node) -> object:
    """The value of a scalar. Raises ``_Refused`` for numbers that no JSON decoder takes."""
    try:
        value = _scalar(node)
    except ValueError as exc:
        raise _Refused(node, "the number has too many digits") from exc
    if isinstance(value, float) and isinf(value):
        raise _Refused(node, "the number is too large")
    return value


def _scalar(node: yaml.Node) -> object:
    text = str(node.value)
    tag = node.tag.removeprefix(_TAG)
    # A quoted scalar is text; PyYAML gives it that tag unless it carries another one by hand.
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() in _TRUE
    if tag == "int" and _INTEGER.fullmatch(text):
        return _integer(text.replace("_", ""))
    if tag == "float" and _NUMBER.fullmatch(text):
        return float(text.replace("_", ""))
    if tag == "str" and not getattr(node, "style", None):
        # Numbers that YAML 1.1 in Python takes for text: 0o17, 1e3.
        if text.startswith("0o") and _INTEGER.fullmatch(text):
            return _integer(text.replace("_", ""))
        if _EXPONENT.fullmatch(text):
            return float(text)
    return text


def _integer(text: str) -> int:
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.lstrip("+"))
    if len(digits) > 1 and digits[0] == "0" and digits[1] not in "xXbBoO":
        return sign * int(digits, 8)
    return sign * int(digits, 0)
