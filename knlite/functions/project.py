"""Reads ``func.yaml`` into a ``FunctionProject``.

All fields of today's and older ``func`` are accepted; only those that decide how the function runs
here are read. In ``run.envs`` the local environment fills in ``{{ env:NAME }}``, as ``func`` does;
Secrets and ConfigMaps live in a cluster and reach a function through its manifest.

Source: Knative Functions reference §4.1; knative/func pkg/functions/function_envs.go.
Not here: what to install and which runner (``python.py``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from knlite.serving.workload import FunctionProject

FILE = "func.yaml"

_REFERENCE = re.compile(r"\{\{\s*(\w+)\s*:?\s*([^}]*?)\s*\}\}")


@dataclass(frozen=True, slots=True)
class ProjectError:
    """Why a ``func.yaml`` cannot be read; *line* counts from one."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def read(folder: Path, environ: Mapping[str, str]) -> FunctionProject | ProjectError:
    """The function project in *folder*, which holds a ``func.yaml``."""
    file = folder / FILE
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return ProjectError(str(file), 1, f"cannot be read: {error}")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return ProjectError(str(file), line, f"is not valid YAML: {error.problem}")
    except yaml.YAMLError as error:
        return ProjectError(str(file), 1, f"is not valid YAML: {error}")
    if not isinstance(document, dict) or root is None:
        return ProjectError(str(file), 1, "must be a mapping with at least name and runtime")

    def problem(message: str, *path: str | int) -> ProjectError:
        return ProjectError(str(file), _line(root, path), message)

    language = _text(document.get("runtime"))
    if not language:
        return problem("runtime is missing (python, node, go, …)")
    invocation = document.get("invocation")
    invoke = _text(document.get("invoke"))
    if not invoke and isinstance(invocation, dict):
        invoke = _text(invocation.get("format"))  # Before specVersion 0.35.0.
    if invoke not in ("", "http", "cloudevent"):
        return problem(f"invoke must be http or cloudevent, not {invoke!r}", "invoke")
    run = document.get("run")
    nested = isinstance(run, dict) and "envs" in run
    # Before specVersion 0.34.0 envs stood at the top.
    listed = run["envs"] if isinstance(run, dict) and nested else document.get("envs")
    place: tuple[str | int, ...] = ("run", "envs") if nested else ("envs",)
    envs: dict[str, str] = {}
    if listed is not None and not isinstance(listed, list):
        return problem("envs must be a list of name and value", *place)
    for index, entry in enumerate(listed or ()):
        if not isinstance(entry, dict):
            return problem("an entry of envs must have name and value", *place, index)
        name = _text(entry.get("name"))
        value = _resolve(_text(entry.get("value")), environ)
        if isinstance(value, _Missing):
            return problem(
                f"the local environment has no variable {value.name}, which {name} needs",
                *place,
                index,
            )
        if name and value is not None:
            if name in envs:
                return problem(f"the variable {name} is given twice", *place, index)
            envs[name] = value
    name = _text(document.get("name")) or folder.resolve().name
    return FunctionProject(
        folder=str(folder),
        name=name,
        language=language,
        image=_image(document, name),
        invoke="cloudevent" if invoke == "cloudevent" else "http",
        envs=envs,
    )


@dataclass(frozen=True, slots=True)
class _Missing:
    name: str


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _image(document: Mapping[str, object], name: str) -> str:
    image, registry = _text(document.get("image")), _text(document.get("registry"))
    if image or not registry:
        return image
    return f"{registry.rstrip('/')}/{name}:latest"


def _resolve(value: str, environ: Mapping[str, str]) -> str | _Missing | None:
    """*value* with the local environment filled in; None if it refers to an object of a cluster."""
    found = _REFERENCE.fullmatch(value.strip())
    if found is None:
        return value
    kind, name = found[1], found[2]
    if kind != "env":
        return None
    return environ[name] if name in environ else _Missing(name)


def _line(node: yaml.Node, path: tuple[str | int, ...]) -> int:
    """The line of the innermost node on *path* that exists."""
    for step in path:
        inner = None
        if isinstance(node, yaml.MappingNode):
            inner = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            inner = node.value[step] if step < len(node.value) else None
        if inner is None:
            break
        node = inner
    return node.start_mark.line + 1
