"""Gives an engine an image that was made here, by the cheapest way that it takes. Blocks.

*Thin*: an archive with only the layers that the engine may lack; it skips those that it holds.
This leans on the store of images that Docker has had for long. Podman and Docker's newer store
(containerd's) want every layer: *full*. What refuses that too gets a *Dockerfile* that adds our
layers one by one. Which way an engine takes is tried once in a run, and remembered.

Source: Knative Functions reference Part 6.
"""

import io
import json
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import IO, TYPE_CHECKING, Any

from knlite.errors import InstanceFailed
from knlite.runtime.docker import images, problems
from knlite.runtime.docker.imageconfig import (
    CONFIG_FILE,
    INPUTS,
    BaseImage,
    Config,
    layer_file_name,
    manifest_of,
)
from knlite.runtime.docker.images import Stored
from knlite.runtime.docker.layer import SPOOL_BYTES, Layer

if TYPE_CHECKING:
    from docker import APIClient


class Way(Enum):
    """How an engine takes an image."""

    THIN = "thin"
    FULL = "full"
    DOCKERFILE = "Dockerfile"


class Loader:
    """Loads images into one engine."""

    def __init__(self, client: "APIClient") -> None:
        self._client = client
        self.way = Way.THIN
        """The cheapest that the engine has not refused."""
        self._taken = False
        """Whether it has taken an image that way."""
        self._same_ids = False
        """Whether it has kept one under the id that was computed here."""

    def load(
        self,
        name: str,
        what: str,
        base: BaseImage,
        layers: Sequence[Layer],
        config: Config,
        say: images.Say,
    ) -> Stored:
        """The image of *config*, called *name*; *what* it is made of, for errors.

        Does nothing but call it *name* if the engine holds it. Raises ``InstanceFailed``.
        """
        known = self._known(name, config)
        if known is not None:
            return known
        say(f"building {name} from {what}")
        refused = ""
        for way in list(Way)[list(Way).index(self.way) :]:
            refused = self._load(way, name, what, base, layers, config) or ""
            found = self._known(name, config) if not refused else None
            if found is not None:
                # One that refuses later what it took before is in trouble, not another engine.
                self.way, self._taken = (self.way if self._taken else way), True
                return found
        raise problems.build_failed(what, refused or "the engine did not keep the image", [])

    def _known(self, name: str, config: Config) -> Stored | None:
        """The image, if the engine holds it; it then has its name."""
        inspected = images.inspect(self._client, config.id)
        self._same_ids = self._same_ids or inspected is not None
        if inspected is None and not self._same_ids:
            # An engine that keeps images under other ids still knows their labels.
            label = f"{INPUTS}={config.inputs}"
            listed = self._client.images(filters={"label": label})
            inspected = images.inspect(self._client, str(listed[0]["Id"])) if listed else None
        if inspected is None:
            return None
        found = str(inspected["Id"])
        if not images.is_called(inspected, name):
            self._client.tag(found, *images.parted(name))
        return images.find_image(self._client, found)

    def _load(
        self,
        way: Way,
        name: str,
        what: str,
        base: BaseImage,
        layers: Sequence[Layer],
        config: Config,
    ) -> str | None:
        """Load it in that *way*; what the engine says if it refuses."""
        match way:
            case Way.THIN:
                # Nearly always only the last one is new.
                newest = [None] * (len(layers) - 1) + list(layers[-1:])
                refused = self._send(name, base, newest, config)
                if refused and len(layers) > 1:
                    return self._send(name, base, layers, config)
                return refused
            case Way.FULL:
                with _saved_layers(self._client, base) as lower:
                    return self._send(name, base, layers, config, lower)
            case Way.DOCKERFILE:
                # What it builds gets an id of its own.
                self._same_ids = False
                return self._build(name, what, base, layers, config)

    def _send(
        self,
        name: str,
        base: BaseImage,
        layers: Sequence[Layer | None],
        config: Config,
        lower: Sequence[IO[bytes]] = (),
    ) -> str | None:
        from docker.errors import APIError, DockerException

        with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
            with tarfile.open(fileobj=spool, mode="w", format=tarfile.USTAR_FORMAT) as archive:
                _add(archive, CONFIG_FILE, io.BytesIO(config.text))
                for index, saved in enumerate(lower):
                    _add(archive, layer_file_name(index), saved)
                for index, layer in enumerate(layers, len(base.layers)):
                    if layer is not None:
                        _add_layer(archive, layer_file_name(index), layer)
                total = len(base.layers) + len(layers)
                _add(archive, "manifest.json", io.BytesIO(manifest_of(name, total)))
            spool.seek(0)
            try:
                # The stubs leave this one method without types.
                for step in self._client.load_image(spool):  # type: ignore[no-untyped-call]
                    if "error" in step:
                        return str(step["error"])
            except APIError as error:
                return problems.engine_says(error)
            except DockerException as error:
                raise problems.build_failed(name, problems.engine_says(error), []) from error
        return None

    def _build(
        self,
        name: str,
        what: str,
        base: BaseImage,
        layers: Sequence[Layer],
        config: Config,
    ) -> str | None:
        with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
            with tarfile.open(fileobj=spool, mode="w", format=tarfile.USTAR_FORMAT) as archive:
                text = dockerfile_of(base, len(layers), config).encode()
                _add(archive, "Dockerfile", io.BytesIO(text))
                for index, layer in enumerate(layers):
                    _add_layer(archive, layer_file_name(index), layer)
            spool.seek(0)
            try:
                for line in images.build_output(self._client, name, what, "Dockerfile", spool, {}):
                    if line.startswith(images.FAILED):
                        return line.removeprefix(images.FAILED)
            except InstanceFailed as failed:
                return failed.cause or failed.what
        return None


def dockerfile_of(base: BaseImage, layers: int, config: Config) -> str:
    """A Dockerfile that makes the same of that many archives beside it."""
    settings = json.loads(config.text)["config"]
    lines = [f"FROM {base.id.removeprefix('sha256:') or 'scratch'}"]
    lines += [f"ADD {layer_file_name(index)} /" for index in range(layers)]
    # On one line each: every line is a step that takes the engine its time.
    env = [pair.partition("=")[::2] for pair in settings["Env"]]
    lines.append(f"ENV {' '.join(f'{name}={_quoted(value)}' for name, value in env)}")
    labels = settings["Labels"].items()
    lines.append(f"LABEL {' '.join(f'{key}={_quoted(value)}' for key, value in labels)}")
    lines += [f"EXPOSE {port}" for port in settings["ExposedPorts"]]
    lines += [f"USER {settings['User']}"] if settings["User"] else []
    lines += [f"WORKDIR {settings['WorkingDir']}", "ENTRYPOINT []"]
    return "\n".join([*lines, f"CMD {json.dumps(settings['Cmd'])}", ""])


def _quoted(text: str) -> str:
    for char in ("\\", '"', "$"):
        text = text.replace(char, f"\\{char}")
    return f'"{text}"'


@contextmanager
def _saved_layers(client: "APIClient", base: BaseImage) -> Iterator[list[IO[bytes]]]:
    """The archives of the base's layers, lowest first, as the engine gives them out."""
    if not base.layers:
        yield []
        return
    with tempfile.TemporaryFile() as saved:
        for chunk in client.get_image(base.id):
            saved.write(chunk)
        saved.seek(0)
        with tarfile.open(fileobj=saved) as archive:
            manifest: list[dict[str, Any]] = json.load(_member(archive, "manifest.json"))
            yield [_member(archive, str(path)) for path in manifest[0]["Layers"]]


def _member(archive: tarfile.TarFile, path: str) -> IO[bytes]:
    found = archive.extractfile(path)
    if found is None:
        raise problems.build_failed(path, "the engine gave out an archive without it", [])
    return found


def _add_layer(archive: tarfile.TarFile, name: str, layer: Layer) -> None:
    with layer.open() as file:
        _add(archive, name, file)


def _add(archive: tarfile.TarFile, name: str, file: IO[bytes]) -> None:
    member = tarfile.TarInfo(name)
    member.mode, member.size = 0o644, file.seek(0, io.SEEK_END)
    file.seek(0)
    archive.addfile(member, file)
