"""The layer with the packages of a Python function, made once for each set of them. Blocks.

Packages are installed on the host, by ``uv`` for the Python of the base, and compiled in a
container of the base: without compiled files each cold start would compile them anew, and only its
own interpreter writes files that it reads. What tells of the host is left out or made neutral, so
that two machines make the same layer.

Source: knlite's own; Knative Functions reference Part 6.
Not here: the installing (``functions/environment.py``).
"""

import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from knlite.errors import InstanceFailed
from knlite.runtime.docker import problems
from knlite.runtime.docker.base import PROBE_SECONDS, BasePython
from knlite.runtime.docker.imageconfig import BaseImage
from knlite.runtime.docker.layer import KEPT, Entry, File, Layer, kept_layer, write
from knlite.runtime.docker.remove import remove_container
from knlite.runtime.docker.sourcetree import entries

if TYPE_CHECKING:
    from docker import APIClient

SITE_PACKAGES = "/opt/knlite/site-packages"
MADE_BY = "packages"
"""Not their name: it may depend on where the function lies on this machine."""
_FORM = "1"
"""Changes when the same packages make another layer than before."""
_OF_THE_HOST = frozenset({".lock", "direct_url.json", "uv_cache.json", "uv_build.json"})
"""Files that say where or when something was installed."""
_SCRIPT = re.compile(rb"^(?:\.\./)*bin/([^,\n]+),[^\n]*$", re.MULTILINE)
"""A program in a RECORD, with the hash of one that names the host's interpreter."""
# Not by `compileall`, which names files by the order in which a folder lists them.
_COMPILE = f"""
import os, py_compile
for folder, folders, names in os.walk("{SITE_PACKAGES}"):
    folders.sort()
    for name in sorted(names):
        if name.endswith(".py"):
            try:
                py_compile.compile(os.path.join(folder, name), doraise=True, quiet=2,
                    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
            except (py_compile.PyCompileError, ValueError):
                pass
"""


def layer_place(cache_dir: Path, site_packages: Path, base: BaseImage) -> Path:
    """Where the layer of *site_packages* for *base* is kept."""
    return cache_dir / KEPT / f"{site_packages.name}-{_FORM}-{base.id[7:31]}.tar"


def dependencies_layer(
    client: "APIClient",
    site_packages: Path,
    base: BaseImage,
    python: BasePython,
    cache_dir: Path,
    labels: Mapping[str, str],
    announce: Callable[[], None],
) -> Layer:
    """The layer of what is in *site_packages*, whose name is its content's.

    *labels* mark the container that compiles, should this be cut off; *announce* is called before,
    if it has to. Raises ``InstanceFailed`` and ``OSError``.
    """

    def found() -> Iterator[tuple[str, Entry]]:
        announce()
        yield from _compiled(client, site_packages, base, python, labels)

    return kept_layer(layer_place(cache_dir, site_packages, base), MADE_BY, found)


def _compiled(
    client: "APIClient",
    site_packages: Path,
    base: BaseImage,
    python: BasePython,
    labels: Mapping[str, str],
) -> Iterator[tuple[str, Entry]]:
    """The packages, and what the base's Python compiles from them."""
    from docker.errors import DockerException

    sources = dict(_packages(site_packages, python))
    yield from sources.items()
    host = client.create_host_config(network_mode="none")
    with tempfile.TemporaryFile() as sent, tempfile.TemporaryFile() as got:
        write(sent, sources.items())
        sent.seek(0)
        try:
            made = client.create_container(
                base.id,
                ["-S", "-c", _COMPILE],
                entrypoint=[python.program],
                environment={"PYTHONHASHSEED": "0"},
                labels=dict(labels),
                host_config=host,
            )
            container = str(made["Id"])
            try:
                client.put_archive(container, "/", sent)
                client.start(container)
                client.wait(container, timeout=10 * PROBE_SECONDS)
                chunks, _ = client.get_archive(container, SITE_PACKAGES)
                for chunk in chunks:
                    got.write(chunk)
            finally:
                remove_container(client, container)
        except DockerException as error:
            raise _failed(site_packages, problems.engine_says(error)) from error
        yield from _bytecode(got)


def _bytecode(got: IO[bytes]) -> Iterator[tuple[str, Entry]]:
    above = SITE_PACKAGES.strip("/").rpartition("/")[0]
    got.seek(0)
    with tarfile.open(fileobj=got) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".pyc") else None
            if file is not None:
                yield f"{above}/{member.name}", File(file.read())


def _packages(site_packages: Path, python: BasePython) -> Iterator[tuple[str, Entry]]:
    below = SITE_PACKAGES.strip("/")
    for path, entry in entries(site_packages, _left_out, below=below):
        inside = path.removeprefix(f"{below}/")
        if inside.endswith(".dist-info/RECORD"):
            yield path, File(_record((site_packages / inside).read_bytes()))
        elif inside.startswith("bin/") and isinstance(entry, File):
            yield path, _program(entry, site_packages / inside, python)
        else:
            yield path, entry


def _record(content: bytes) -> bytes:
    """A list of a package's files without those that differ from host to host, and their hashes."""
    lines = [
        line
        for line in content.splitlines()
        if line.partition(b",")[0].rpartition(b"/")[2].decode("utf-8", "replace")
        not in _OF_THE_HOST
    ]
    return _SCRIPT.sub(rb"bin/\1,,", b"\n".join(sorted(lines)) + b"\n")


def _program(entry: File, path: Path, python: BasePython) -> File:
    """A program of a package, which is to be run by the base's Python, not by the host's."""
    content = path.read_bytes()
    first, newline, rest = content.partition(b"\n")
    if not first.startswith(b"#!") or b"python" not in first:
        return entry
    return File(f"#!/usr/bin/env {python.program}".encode() + newline + rest, executable=True)


def _left_out(path: str, is_folder: bool) -> bool:
    name = path.rpartition("/")[2]
    return name == "__pycache__" if is_folder else name in _OF_THE_HOST or name.endswith(".pyc")


def _failed(site_packages: Path, cause: str) -> InstanceFailed:
    return problems.build_failed(str(site_packages), cause, [])
