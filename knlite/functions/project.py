"""What runs of a function project: its ``func.yaml`` as a ``FunctionProject``.

In envs the local environment fills in ``{{ env:NAME }}``, as ``func`` does; Secrets and ConfigMaps
live in a cluster and reach a function through its manifest.

Source: Knative Functions reference §4.1; knative/func pkg/functions/function_envs.go.
Not here: the file (``funcyaml.py``), what to install and which runner (``python.py``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from knlite.functions import funcyaml
from knlite.functions.funcproblems import LOCAL
from knlite.functions.funcspec import Env, FuncYaml
from knlite.functions.funcyaml import FILE, ProjectError, ProjectErrors
from knlite.functions.yamltree import Place
from knlite.serving.workload import FunctionProject

__all__ = ["FILE", "ProjectError", "project_of", "read"]


def read(folder: Path, environ: Mapping[str, str]) -> FunctionProject | ProjectError:
    """The function project in *folder*, which holds a ``func.yaml``.

    Where several things are wrong, the error's message has a line for each.
    """
    func = funcyaml.load(folder, environ)
    if isinstance(func, ProjectErrors):
        first, *others = func.problems
        message = "\n".join([first.message, *map(str, others)])
        return ProjectError(first.file, first.line, message)
    return project_of(folder, func, environ)


def project_of(
    folder: Path, func: FuncYaml, environ: Mapping[str, str]
) -> FunctionProject | ProjectError:
    """The project of *func*, which is what *folder* says, or what somebody wants instead."""
    envs = resolved(func.run.envs, environ)
    if isinstance(envs, MissingVariable):
        return _missing(folder, ("run", "envs", envs.index), envs)
    build_envs = resolved(func.build.build_envs, environ)
    if isinstance(build_envs, MissingVariable):
        return _missing(folder, ("build", "buildEnvs", build_envs.index), build_envs)
    return FunctionProject(
        folder=str(folder),
        name=func.name,
        language=func.runtime,
        image=func.full_image,
        invoke="cloudevent" if func.invoke == "cloudevent" else "http",
        envs=envs,
        base_image=func.build.base_image,
        builder=func.build.builder,
        build_envs=build_envs,
        health=func.health,
        start_timeout=func.start_seconds,
    )


@dataclass(frozen=True, slots=True)
class MissingVariable:
    """An entry of envs refers to a variable that the local environment does not have."""

    name: str
    needed_by: str
    index: int

    def __str__(self) -> str:
        return f"the local environment has no variable {self.name}, which {self.needed_by} needs"


def _missing(folder: Path, place: Place, variable: MissingVariable) -> ProjectError:
    return ProjectError(str(folder / FILE), funcyaml.line_of(folder, place), str(variable))


def resolved(envs: Sequence[Env], environ: Mapping[str, str]) -> dict[str, str] | MissingVariable:
    """*envs* with the local environment filled in, without what refers to objects of a cluster."""
    values: dict[str, str] = {}
    for index, env in enumerate(envs):
        if env.name is None or env.value is None:
            continue
        local = LOCAL.fullmatch(env.value)
        if local is not None:
            if local[1] not in environ:
                return MissingVariable(local[1], env.name, index)
            values[env.name] = environ[local[1]]
        elif not env.value.startswith("{{"):
            values[env.name] = env.value
    return values
