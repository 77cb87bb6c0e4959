"""From a revision or a pod and its code to what a runtime is told to start.

Secrets and ConfigMaps are read at that moment, as on a cluster.
"""

from collections.abc import Mapping

from knlite.errors import InstanceFailed
from knlite.issuer import Issuer
from knlite.kinds.core.pod import Pod
from knlite.kinds.podspec.fields import (
    Container,
    PodSpec,
    leading_container,
    serving_container,
    user_port,
)
from knlite.kinds.serving.revision import Revision
from knlite.reconcile import View
from knlite.runtime.port import ContainerLaunch, Launch, Prepared
from knlite.serving.contents import contents
from knlite.serving.contract import contract, fs_group, identity_of, identity_of_pod, told_to
from knlite.serving.downward import Identity
from knlite.serving.vantage import Vantage
from knlite.serving.volume import VolumeContent

TOKEN_LIFETIME = 365 * 86400
"""Seconds. Differs: the token of an instance is valid for a year, since it is not rotated."""


def volumes_of(
    revision: Revision, instance: str, view: View, issuer: Issuer
) -> Mapping[str, VolumeContent]:
    """What the volumes of *instance* hold now. Raises ``InstanceFailed``."""
    return _volumes(revision.spec, identity_of(revision, instance), view, issuer)


def volumes_of_pod(pod: Pod, view: View, issuer: Issuer) -> Mapping[str, VolumeContent]:
    """What the volumes of *pod* hold now. Raises ``InstanceFailed``."""
    return _volumes(pod.spec, identity_of_pod(pod), view, issuer)


def launch_of(
    revision: Revision,
    instance: str,
    prepared: Mapping[str, Prepared],
    view: View,
    vantage: Vantage,
    issuer: Issuer,
) -> Launch:
    """How *instance* is started; *prepared* has the code of each container by its name.

    Raises ``InstanceFailed``.
    """
    identity, spec = identity_of(revision, instance), revision.spec

    def launched(container: Container) -> ContainerLaunch:
        told = told_to(revision, container)
        return _launched(spec, container, identity, prepared, view, vantage, told)

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
        volumes=_volumes(spec, identity, view, issuer),
        fs_group=fs_group(spec),
        concurrency=spec.container_concurrency or 0,
    )


def launch_of_pod(
    pod: Pod,
    service: str,
    prepared: Mapping[str, Prepared],
    view: View,
    vantage: Vantage,
    issuer: Issuer,
) -> Launch:
    """How *pod* is started, which people know as *service*; the rest as in ``launch_of``."""
    identity, spec = identity_of_pod(pod), pod.spec

    def launched(container: Container) -> ContainerLaunch:
        return _launched(spec, container, identity, prepared, view, vantage, {})

    leading = leading_container(spec)
    if leading is None:
        raise InstanceFailed("ContainerMissing", f"pod {pod.metadata.name} has no container")
    return Launch(
        namespace=pod.metadata.namespace,
        service=service,
        revision="",
        instance=pod.metadata.name,
        port=leading.ports[0].container_port if leading.ports else 0,
        serving=launched(leading),
        sidecars=tuple(launched(each) for each in spec.containers if each is not leading),
        init=tuple(launched(each) for each in spec.init_containers),
        volumes=_volumes(spec, identity, view, issuer),
        fs_group=fs_group(spec),
    )


def _launched(
    spec: PodSpec,
    container: Container,
    identity: Identity,
    prepared: Mapping[str, Prepared],
    view: View,
    vantage: Vantage,
    told: Mapping[str, str],
) -> ContainerLaunch:
    terms = contract(spec, container, identity, view, vantage, told)
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


def _volumes(
    spec: PodSpec, identity: Identity, view: View, issuer: Issuer
) -> Mapping[str, VolumeContent]:
    if not spec.volumes:
        return {}

    def token(audience: str) -> str:
        return issuer.issue(
            identity.namespace,
            identity.service_account,
            [audience] if audience else [],
            TOKEN_LIFETIME,
            {"pod": {"name": identity.name}},
        )

    return contents(spec, identity, view, token)
