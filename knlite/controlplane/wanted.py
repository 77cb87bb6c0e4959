"""Whose code is wanted: a revision, or the pod of a Deployment or a Job."""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.kinds.core.pod import Pod
from knlite.kinds.labels import CONFIGURATION, SERVICE
from knlite.kinds.meta import Object
from knlite.kinds.podspec.fields import Container, PodSpec, leading_container
from knlite.kinds.serving.revision import Revision
from knlite.serving.workload import declared_as


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A pod whose containers need code."""

    namespace: str
    service: str
    """Under which people know it; empty where nobody does."""
    revision: str
    """Empty if it is none's."""
    manifest: str
    """What its manifest declares, as ``Sources.folders`` has it."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: PodSpec

    def leads(self, container: Container) -> bool:
        """Whether a command, or a Dockerfile beside the manifest, is meant for *container*."""
        return container is leading_container(self.spec)


def of_revision(revision: Revision) -> Wanted:
    """The code of *revision*."""
    meta = revision.metadata
    service = meta.labels.get(SERVICE, "")
    return Wanted(
        namespace=meta.namespace,
        service=service,
        revision=meta.name,
        manifest=service or meta.labels.get(CONFIGURATION, ""),
        labels=meta.labels,
        annotations=meta.annotations,
        spec=revision.spec,
    )


def of_pod(pod: Pod, root: Object) -> Wanted:
    """The code of *pod*, which in the end somebody has by declaring *root*."""
    return Wanted(
        namespace=pod.metadata.namespace,
        service=root.metadata.name,
        revision="",
        manifest=declared_as(type(root).__name__, root.metadata.name),
        labels=pod.metadata.labels,
        annotations=pod.metadata.annotations,
        spec=pod.spec,
    )
