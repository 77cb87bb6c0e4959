"""What an image is besides its layers: the configuration, by whose hash it is known.

The configuration is written with a fixed time and sorted keys, so the same layers and settings are
the same image on every machine, and its id is known before any engine has seen it.

Source: OCI image specification, "Image Configuration"; Docker image specification v1.2, "Combined
Image JSON + Filesystem Changeset Format" (manifest.json); Knative Functions reference Part 6.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from knlite.runtime.docker.owner import PREFIX

CREATED = "1970-01-01T00:00:00Z"
"""When every image was made; the true time would make each of them another one."""
INPUTS = f"{PREFIX}/context"
"""Label: the hash of all that the image is made of. An engine that keeps images under ids of its
own is asked for it."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are sought in an image that does not say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseImage:
    """What the layers are put on."""

    id: str
    """Empty for no image at all (``scratch``)."""
    layers: tuple[str, ...]
    """Their diff ids, lowest first."""
    env: tuple[str, ...]
    architecture: str
    os: str = "linux"
    variant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramConfig:
    """How the image starts."""

    command: tuple[str, ...]
    env: Mapping[str, str]
    """Wins over the base's."""
    working_dir: str
    user: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LayerLine:
    """A layer by its diff id, and what holds it for people who read the history."""

    diff_id: str
    made_by: str


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of one image."""

    text: bytes
    inputs: str
    """The value of the label INPUTS."""

    @property
    def id(self) -> str:
        """The image's id, ``sha256:…``."""
        return f"sha256:{hashlib.sha256(self.text).hexdigest()}"


def config_of(base: BaseImage, layers: Sequence[LayerLine], program: ProgramConfig) -> Config:
    """The configuration of *layers*, lowest first, on top of *base*."""
    document = _document(base, layers, program, program.labels)
    inputs = hashlib.sha256(_json(document)).hexdigest()
    labels = {**program.labels, INPUTS: inputs}
    return Config(_json(_document(base, layers, program, labels)), inputs)


def manifest_of(name: str, layers: int) -> bytes:
    """``manifest.json`` of an archive with one image of that many layers, called *name*."""
    entry = {
        "Config": CONFIG_FILE,
        "RepoTags": [name],
        "Layers": [layer_file_name(index) for index in range(layers)],
    }
    return _json([entry])


CONFIG_FILE = "config.json"


def layer_file_name(index: int) -> str:
    """Where the layer of that index, counted from the base's lowest, lies in an archive."""
    return f"{index}.tar"


def _document(
    base: BaseImage,
    layers: Sequence[LayerLine],
    program: ProgramConfig,
    labels: Mapping[str, str],
) -> dict[str, Any]:
    env = dict(each.partition("=")[::2] for each in base.env)
    env.setdefault("PATH", PATH)
    env.update(program.env)
    history = [{"created": CREATED, "created_by": "base image"} for _ in base.layers]
    history += [{"created": CREATED, "created_by": each.made_by} for each in layers]
    return {
        "architecture": base.architecture,
        **({"variant": base.variant} if base.variant else {}),
        "os": base.os,
        "created": CREATED,
        "config": {
            "Cmd": list(program.command),
            "Entrypoint": None,
            "Env": [f"{name}={env[name]}" for name in sorted(env)],
            "ExposedPorts": {"8080/tcp": {}},
            "Labels": dict(labels),
            "StopSignal": "SIGTERM",
            "User": program.user,
            "WorkingDir": program.working_dir,
        },
        "history": history,
        "rootfs": {
            "type": "layers",
            "diff_ids": [*base.layers, *(each.diff_id for each in layers)],
        },
    }


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
