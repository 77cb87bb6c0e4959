"""From a revision to what its next instance is started with, and how it is probed."""

from knlite.controlplane.blueprint import Blueprint, Blueprints
from knlite.controlplane.images import Images
from knlite.controlplane.launches import launch_of
from knlite.errors import InstanceFailed
from knlite.issuer import Issuer
from knlite.kinds.podspec.fields import serving_container
from knlite.kinds.serving.revision import Revision
from knlite.registry.registry import Registry
from knlite.serving.contract import progress_deadline
from knlite.serving.instance import RevisionName
from knlite.serving.probing import pod_probes
from knlite.serving.scheduling import Capacity, require_schedulable


def make_blueprints(
    registry: Registry, images: Images, capacity: Capacity, issuer: Issuer
) -> Blueprints:
    """Blueprints from the objects of *registry* and the code of *images*, for a machine with
    *capacity*."""

    async def blueprint(name: RevisionName, instance: str) -> Blueprint:
        asked = registry.view.get(Revision, *name)
        if asked is not None:
            require_schedulable(asked.spec, capacity)
        pod = await images.pod_of(name)
        revision = registry.view.get(Revision, *name)
        container = serving_container(revision.spec) if revision is not None else None
        if revision is None or container is None:
            raise InstanceFailed("ContainerMissing", f"revision {name.name} has no container")
        runtime = pod.serving.runtime
        return Blueprint(
            runtime=runtime,
            launch=launch_of(
                revision, instance, pod.prepared, registry.view, runtime.vantage, issuer
            ),
            probes=pod_probes(revision.spec),
            deadline=progress_deadline(revision.metadata.annotations, registry.config.deployment),
            grace=float(revision.spec.timeout_seconds or 300),
        )

    return blueprint
