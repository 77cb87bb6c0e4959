"""From a revision to what its next instance is started with.

Secrets and ConfigMaps are read at that moment, as on a cluster.
"""

from knlite.controlplane.blueprint import Blueprint, Blueprints
from knlite.controlplane.images import Images
from knlite.errors import InstanceFailed
from knlite.kinds.podspec.fields import serving_container
from knlite.kinds.serving.revision import Revision
from knlite.registry.registry import Registry
from knlite.runtime.port import ContainerLaunch, Launch, Limits, Security
from knlite.serving.contract import contract, progress_deadline, require_supported
from knlite.serving.instance import RevisionName
from knlite.serving.probing import pod_probes
from knlite.serving.scheduling import Node, require_schedulable


def make_blueprints(registry: Registry, images: Images, node: Node) -> Blueprints:
    """Blueprints from the objects of *registry* and the code of *images*, to run on *node*."""

    async def blueprint(name: RevisionName, instance: str) -> Blueprint:
        asked = registry.view.get(Revision, *name)
        if asked is not None:
            require_schedulable(asked.spec, node)
        code = await images.code_of(name)
        revision = registry.view.get(Revision, *name)
        container = serving_container(revision.spec) if revision is not None else None
        if revision is None or container is None:
            raise InstanceFailed("ContainerMissing", f"revision {name.name} has no container")
        require_supported(revision, container)
        terms = contract(revision, container, registry.view, code.runtime.vantage)
        return Blueprint(
            runtime=code.runtime,
            launch=Launch(
                namespace=name.namespace,
                service=terms.env["K_SERVICE"],
                revision=name.name,
                instance=instance,
                port=terms.port,
                serving=ContainerLaunch(
                    name=container.name,
                    prepared=code.prepared,
                    env=terms.env,
                    command=terms.command,
                    args=terms.args,
                    working_dir=terms.working_dir,
                    limits=Limits(cpus=terms.cpus, memory=terms.memory),
                    security=Security(user=terms.user),
                ),
                concurrency=terms.concurrency,
            ),
            probes=pod_probes(revision.spec),
            deadline=progress_deadline(revision.metadata.annotations, registry.config.deployment),
            grace=float(revision.spec.timeout_seconds or 300),
        )

    return blueprint
