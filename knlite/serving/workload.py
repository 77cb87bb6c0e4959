"""What runs the image that a revision or a pod names, and on which runtime.

On a cluster an image is pulled; here it may be a function project beside the manifest, a folder
with a Dockerfile, a plain command, or an image in the local engine's store, looked for in this
order. The choice says why, for ``knlite doctor`` and the revision's status.

Source: knlite's own rule; the README's section "Where the code of a service comes from".
Not here: reading folders (``functions/``), building and starting (``runtime/``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from posixpath import isabs, join, normpath
from typing import Literal

from knlite.kinds.labels import BASE_IMAGE, COMMAND, WORKDIR
from knlite.serving.imagename import asked_as, names_of, without_digest

RESOLVE_SECONDS = 10.0
"""As ``digest-resolution-timeout`` of config-deployment."""

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
    envs: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Literal ``run.envs``; a manifest's variables win over them."""
    base_image: str = ""
    """``build.baseImage``: what its image is built upon; empty for the runtime's own choice."""
    builder: str = ""
    """``build.builder``: pack, s2i, host; empty if it is not said."""
    build_envs: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables while it is built, not while it runs."""
    health: tuple[str, str] = ("/health/liveness", "/health/readiness")
    """Paths that say whether it lives, and whether it is ready."""
    start_timeout: float = 60.0
    """Seconds until it has to be ready."""
    code: str = ""
    """The digest of the snapshot to run, of what was in the folder; empty for what is there."""


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
    resolve_within: float = RESOLVE_SECONDS
    """Seconds that its registry may take to say what it is, if it has to be asked."""
    auth: Mapping[str, str] | None = field(default=None, repr=False)
    """``username`` and ``password`` for its registry."""


Workload = FunctionProject | DockerfileFolder | LocalCommand | StoredImage


@dataclass(frozen=True, slots=True)
class Sources:
    """The code that the given folders hold."""

    projects: tuple[FunctionProject, ...] = ()
    folders: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(namespace, what ``declared_as`` calls it) to the folder of its manifest."""
    dockerfiles: frozenset[str] = frozenset()
    """Those of the folders that hold a Dockerfile."""
    manifests: frozenset[str] = frozenset()
    """Files that declare objects; in a folder of code they are no part of it."""
    _places: Mapping[str, int] = field(init=False, repr=False, compare=False)
    """What an image may be called to the first of the projects that builds it."""

    def __post_init__(self) -> None:
        # Every Service asks, and there may be a project for each.
        places: dict[str, int] = {}
        for place, project in enumerate(self.projects):
            for name in names_of(project.image):
                places.setdefault(name, place)
        object.__setattr__(self, "_places", places)

    def project_of(self, image: str) -> FunctionProject | None:
        """The first project that builds *image*."""
        found = [self._places[name] for name in asked_as(image) if name in self._places]
        return self.projects[min(found)] if found else None


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


def declared_as(kind: str, name: str) -> str:
    """How ``Sources.folders`` calls the object of *kind* (its class' name) called *name*."""
    return name if kind in {"Service", "Configuration"} else f"{kind}/{name}"


def policy_named(name: str) -> RuntimePolicy:
    """The policy that ``--runtime NAME`` asks for."""
    return "docker" if name == "docker" else "process" if name == "process" else "auto"


def choose(
    *,
    image: str,
    pull_policy: str,
    annotations: Mapping[str, str],
    namespace: str,
    manifest: str,
    sources: Sources,
    policy: RuntimePolicy,
    no_engine: str,
) -> Choice | Unrunnable:
    """What runs *image*, and where.

    *manifest* names what declares it, as in ``Sources.folders``; *no_engine* says why no engine can
    be used, and is empty if one answers.
    """
    containers = policy != "process" and not no_engine
    project = sources.project_of(image)
    folder = sources.folders.get((namespace, manifest), "")
    command = annotations.get(COMMAND, "")
    if project is not None:
        why = f"function project {project.folder} builds {image}"
        base = project.base_image or annotations.get(BASE_IMAGE, "")
        project = replace(project, base_image=base)
        return Choice(project, "docker" if containers else "process", why)
    if folder in sources.dockerfiles and not (command and not containers):
        if not containers:
            return _needs_engine(f"the Dockerfile in {folder}", no_engine)
        built = DockerfileFolder(folder, without_digest(image))
        return Choice(built, "docker", f"Dockerfile in {folder}")
    if command:
        if policy == "docker":
            return Unrunnable(
                "UnsupportedWorkload",
                f"the command of the annotation {COMMAND} cannot run in a container; "
                "use --runtime auto, or put a Dockerfile beside the manifest",
            )
        workdir = annotations.get(WORKDIR, "")
        where = workdir if isabs(workdir) else normpath(join(folder or ".", workdir))
        return Choice(LocalCommand(command, where), "process", f"command {command}")
    if not containers:
        return _needs_engine(f"the image {image}", no_engine)
    policy_of_image = _PULL_POLICIES.get(pull_policy, "")
    return Choice(StoredImage(image, policy_of_image), "docker", f"image {image}")


_PULL_POLICIES: Mapping[str, Literal["", "Always", "IfNotPresent", "Never"]] = {
    "Always": "Always",
    "IfNotPresent": "IfNotPresent",
    "Never": "Never",
}


def _needs_engine(what: str, why: str) -> Unrunnable:
    return Unrunnable(
        "ContainerEngineMissing",
        f"{what} needs a container engine: {why}; start Docker or Podman, make it a function "
        f"project (func.yaml), or annotate the template with {COMMAND}",
    )
