"""What runs the image that a revision names, and on which runtime.

On a cluster an image is pulled; here it may be a function project beside the manifest, a folder
with a Dockerfile, a plain command, or an image in the local engine's store, looked for in this
order. The choice says why, for ``knlite doctor`` and the revision's status.

Source: knlite's own rule; the README's section "Where the code of a service comes from".
Not here: reading folders (``functions/``), building and starting (``runtime/``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

RuntimeName = Literal["docker", "process"]
RuntimePolicy = Literal["auto", "docker", "process"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionProject:
    """A folder with a ``func.yaml``."""

    folder: str
    name: str
    language: str
    """``runtime`` of func.yaml: python, node, go, …"""
    image: str
    """``image``, else ``registry/name:latest``; empty when func.yaml has neither."""
    invoke: Literal["http", "cloudevent"] = "http"
    envs: Mapping[str, str] = field(default_factory=dict)
    """Literal ``run.envs``; a manifest's variables win over them."""


@dataclass(frozen=True, slots=True)
class DockerfileFolder:
    """A folder with a ``Dockerfile``, and the name its image gets."""

    folder: str
    image: str


@dataclass(frozen=True, slots=True)
class LocalCommand:
    """A command that listens on ``$PORT``, started in *folder*."""

    command: str
    folder: str


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image that the engine holds or pulls."""

    reference: str
    pull_policy: Literal["", "Always", "IfNotPresent", "Never"] = ""


Workload = FunctionProject | DockerfileFolder | LocalCommand | StoredImage


@dataclass(frozen=True, slots=True)
class Sources:
    """The code that the given folders hold."""

    projects: tuple[FunctionProject, ...] = ()
    folders: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(namespace, service) to the folder of its manifest."""
    dockerfiles: frozenset[str] = frozenset()
    """Those of the folders that hold a Dockerfile."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to run, and where; *why* completes "runs as …"."""

    workload: Workload
    runtime: RuntimeName
    why: str


@dataclass(frozen=True, slots=True)
class Unrunnable:
    """Nothing here can run the revision; reason and message go into its conditions."""

    reason: str
    message: str
