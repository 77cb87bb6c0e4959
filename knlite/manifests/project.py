"""All that lies below some paths: what is declared there, and where its code is.

Not here: one file of YAML (``documents.py``), one ``func.yaml`` (``functions/project.py``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from knlite.errors import InvalidInput
from knlite.functions.declared import documents_of
from knlite.functions.funcyaml import line_of
from knlite.functions.project import ProjectError
from knlite.functions.project import read as read_function
from knlite.kinds.catalog import read
from knlite.manifests.declared import Declared, files_of, folders_of, load
from knlite.manifests.documents import Complaint, Manifest
from knlite.manifests.files import find
from knlite.reconcile import Key, key_of
from knlite.serving.workload import FunctionProject, Sources


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
