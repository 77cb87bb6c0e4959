"""From a revision and its code to what a runtime is told to start.

Secrets and ConfigMaps are read at that moment, as on a cluster.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

from knlite.errors import InstanceFailed
from knlite.kinds.podspec.fields import Container, serving_container, user_port
from knlite.kinds.serving.revision import Revision
from knlite.reconcile import View
from knlite.runtime.port import ContainerLaunch, Launch, Prepared
from knlite.serving.contents import contents
from knlite.serving.contract import contract, fs_group, identity_of
from knlite.serving.token import service_account_token
from knlite.serving.vantage import Vantage
from knlite.serving.volume import VolumeContent

_KEY = secrets.token_bytes(32)
"""Signs the tokens of this run, which nobody checks."""

Wall = Callable[[], datetime]


def volumes_of(
    revision: Revision, instance: str, view: View, wall: Wall
) -> Mapping[str, VolumeContent]:
    """What the volumes of *instance* hold now. Raises ``InstanceFailed``."""
    identity = identity_of(revision, instance)

    def token(audience: str) -> str:
        return service_account_token(
            identity.namespace,
            identity.service_account,
            instance,
            audience=audience,
            key=_KEY,
            now=wall(),
        )

    return contents(revision.spec, identity, view, token)


def launch_of(
    revision: Revision,
    instance: str,
    prepared: Mapping[str, Prepared],
    view: View,
    vantage: Vantage,
    wall: Wall,
) -> Launch:
    """How *instance* is started; *prepared* has the code of each container by its name.

    Raises ``InstanceFailed``.
    """
    identity = identity_of(revision, instance)

    def launched(container: Container) -> ContainerLaunch:
        terms = contract(revision, container, identity, view, vantage)
        return ContainerLaunch(
            name=container.name,
            prepared=prepared[container.name],
            env=terms.env,
            command=terms.command,
            args=terms.args,
            working_dir=terms.working_dir,
            limits=terms.limits,
            security=terms.security,
            mounts=terms.mounts,
            termination_path=terms.termination_path,
            termination_from_log=terms.termination_from_log,
        )

    spec = revision.spec
    serving = serving_container(spec)
    if serving is None:
        raise InstanceFailed("ContainerMissing", f"revision {revision.metadata.name} serves nobody")
    first = launched(serving)
    return Launch(
        namespace=revision.metadata.namespace,
        service=first.env["K_SERVICE"],
        revision=revision.metadata.name,
        instance=instance,
        port=user_port(serving),
        serving=first,
        sidecars=tuple(launched(each) for each in spec.containers if each is not serving),
        init=tuple(launched(each) for each in spec.init_containers),
        volumes=volumes_of(revision, instance, view, wall) if spec.volumes else {},
        fs_group=fs_group(spec),
        concurrency=spec.container_concurrency or 0,
    )
