"""The image that a function's image is put on, and which Python is in it. Everything here blocks.

What Python a base has decides which packages fit it. It is asked in a container, once for each
image, and kept; an image never changes under its id. A base that is not there is pulled, which is
said; without a network the error tells the ways out.

Not here: what is put on it (``function_image.py``).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knlite.errors import InstanceFailed
from knlite.runtime.docker import images, problems
from knlite.runtime.docker.imageconfig import BaseImage
from knlite.runtime.docker.remove import remove_container

if TYPE_CHECKING:
    from docker import APIClient

SCRATCH = "scratch"
"""No image at all."""
PROBE_SECONDS = 60
_ASK = """
import importlib.util, json, platform, sys
print(json.dumps({"version": "%d.%d" % sys.version_info[:2],
                  "bytecode": importlib.util.MAGIC_NUMBER.hex(),
                  "libc": " ".join(platform.libc_ver()), "full": sys.version}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BasePython:
    """The Python of an image."""

    program: str
    """``python3`` or ``python``."""
    version: str
    """``3.11``."""
    bytecode: str
    """Tells which compiled files it reads."""
    libc: str
    """``glibc 2.36``; empty for one that does not say it (musl)."""

    def platform(self, architecture: str) -> str:
        """Of the packages that fit, as ``uv`` names it."""
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(architecture, architecture)
        name, _, release = self.libc.partition(" ")
        if name != "glibc":
            return f"{machine}-unknown-linux-musl"
        numbers = tuple(int(part) for part in release.split(".")[:2] if part.isdecimal())
        return f"{machine}-{'manylinux_2_28' if numbers >= (2, 28) else 'manylinux2014'}"


def find_base(client: "APIClient", reference: str, say: images.Say) -> BaseImage:
    """The image *reference*, pulled if the engine does not hold it. Raises ``InstanceFailed``."""
    if reference == SCRATCH:
        return BaseImage(id="", layers=(), env=(), architecture=_architecture(client))
    found = images.find_image(client, reference)
    if found is None:
        try:
            found = images.pull(client, reference, say)
        except InstanceFailed as failed:
            raise problems.base_missing(reference, failed) from failed
    inspected = images.inspect(client, found.id) or {}
    config = inspected.get("Config") or {}
    return BaseImage(
        id=found.id,
        layers=tuple((inspected.get("RootFS") or {}).get("Layers") or ()),
        env=tuple(config.get("Env") or ()),
        architecture=str(inspected.get("Architecture") or "amd64"),
        os=str(inspected.get("Os") or "linux"),
        variant=str(inspected.get("Variant") or ""),
    )


def python_of(
    client: "APIClient",
    base: BaseImage,
    reference: str,
    cache_dir: Path,
    labels: Mapping[str, str],
) -> BasePython:
    """The Python in *base*, which people call *reference*. Raises ``InstanceFailed``.

    *labels* mark the container that is asked, should this be cut off.
    """
    place = cache_dir / "bases" / f"{base.id.removeprefix('sha256:')[:32]}.json"
    try:
        return BasePython(**json.loads(place.read_text()))
    except (OSError, ValueError, TypeError):
        pass
    said = ""
    for program in ("python3", "python"):
        code, said = run(client, base.id, [program, "-S", "-c", _ASK], labels)
        if code == 0:
            found = _read(program, said)
            place.parent.mkdir(parents=True, exist_ok=True)
            draft = place.with_suffix(".draft")
            draft.write_text(json.dumps(asdict(found)))
            draft.replace(place)
            return found
    raise InstanceFailed(
        "BuildFailed",
        f"the base image {reference} has no Python that runs",
        cause=said.strip()[-500:],
        fix="name a base image with Python in func.yaml: build.baseImage: python:3.12-slim",
    )


def run(
    client: "APIClient", image: str, command: list[str], labels: Mapping[str, str]
) -> tuple[int, str]:
    """Run *command* in a container of *image*, without network; its exit code and its output."""
    from docker.errors import APIError

    host = client.create_host_config(network_mode="none")
    made = client.create_container(
        image, command[1:], entrypoint=command[:1], labels=dict(labels), host_config=host
    )
    container = str(made["Id"])
    try:
        client.start(container)
        ended = client.wait(container, timeout=PROBE_SECONDS)
        logs: bytes = client.logs(container)
        return int(ended.get("StatusCode", 1)), logs.decode("utf-8", "replace")
    except APIError as error:
        return 127, problems.engine_says(error)
    finally:
        remove_container(client, container)


def _read(program: str, said: str) -> BasePython:
    answer: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return BasePython(
        program=program,
        version=str(answer["version"]),
        bytecode=f"{answer['bytecode']} {answer['full']}",
        libc=str(answer["libc"]),
    )


def _architecture(client: "APIClient") -> str:
    return str(client.version(api_version=False).get("Arch") or "amd64")
