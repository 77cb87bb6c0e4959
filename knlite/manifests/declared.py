"""Manifests to the objects that they declare, each with its place.

Not here: which files are manifests (``files.py``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from knlite.kinds.catalog import info_of, read
from knlite.kinds.core.cronjob import CronJob
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.core.job import Job
from knlite.kinds.meta import Object
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.service import Service
from knlite.kinds.sinks.jobsink import JobSink
from knlite.kinds.sources.container import ContainerSource
from knlite.manifests.documents import Complaint, Manifest, documents_of
from knlite.reconcile import Key, key_of
from knlite.serving.workload import declared_as

_RUNNING = (Service, Configuration, Deployment, Job, CronJob, ContainerSource, JobSink)
"""Kinds whose manifest says which code runs."""


@dataclass(frozen=True, slots=True)
class Declared:
    """An object and the document that declares it."""

    obj: Object
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Loaded:
    """The objects of all files, or what is wrong with them."""

    declared: tuple[Declared, ...]
    complaints: tuple[Complaint, ...]


def load(files: Iterable[Path], default_namespace: str = "default") -> Loaded:
    """The objects that *files* declare, and every complaint about them."""
    items = (item for file in files for item in documents_of(file))
    return declared_in(items, default_namespace)


def declared_in(
    items: Iterable[Manifest | Complaint], default_namespace: str = "default"
) -> Loaded:
    """The objects that *items* declare, and every complaint about them."""
    declared: list[Declared] = []
    complaints: list[Complaint] = []
    first: dict[Key, Manifest] = {}
    for item in items:
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


def _folder(file: str) -> str:
    return str(Path(file).parent.resolve())


def _in_namespace(obj: Object, default: str) -> Object:
    meta = obj.metadata
    if not info_of(type(obj)).namespaced:
        return msgspec.structs.replace(obj, metadata=msgspec.structs.replace(meta, namespace=""))
    if meta.namespace:
        return obj
    return msgspec.structs.replace(obj, metadata=msgspec.structs.replace(meta, namespace=default))
