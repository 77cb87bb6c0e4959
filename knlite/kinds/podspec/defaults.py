"""What a pod gets that its manifest does not say: names, resources, probes, read-only mounts.

Source: knative/serving ``pkg/apis/serving/v1/revision_defaults.go``; Knative reference §1.7.
Not here: timeouts and concurrency (``serving/revision.py``).
"""

from collections.abc import Mapping
from itertools import count
from typing import TypeVar

from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.config.defaults import DefaultsConfig, container_name
from knlite.kinds.config.features import ENABLED, SECURE_POD_DEFAULTS, FeaturesConfig
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.names import child_name
from knlite.kinds.podspec.fields import (
    Capabilities,
    Container,
    PodSpec,
    Probe,
    Quantity,
    Resources,
    SecurityContext,
    TCPSocketAction,
    VolumeMount,
)

P = TypeVar("P", bound=PodSpec)

_LOWEST_FREE_PORT = 1024


def pod_defaulted(pod: P, config: Config, parent: ObjectMeta) -> P:
    """*pod*, which belongs to *parent*, with its defaults."""
    defaults = config.defaults
    taken = {each.name for each in (*pod.containers, *pod.init_containers)}
    containers = _named(
        pod.containers, taken, container_name(defaults.container_name_template, parent)
    )
    init_containers = _named(
        pod.init_containers, taken, container_name(defaults.init_container_name_template, parent)
    )
    links = pod.enable_service_links
    if links is None:
        links = defaults.enable_service_links
    return replace(
        pod,
        containers=tuple(
            _secured(_container_defaulted(each, pod, defaults), pod, config.features)
            for each in containers
        ),
        init_containers=tuple(_secured(each, pod, config.features) for each in init_containers),
        enable_service_links=links,
    )


def _named(
    containers: tuple[Container, ...], taken: set[str], standard: str
) -> tuple[Container, ...]:
    """*containers*, the unnamed ones called *standard*, with a number where that is not enough."""
    numbers = count()

    def name() -> str:
        if len(containers) == 1 and standard not in taken:
            return standard
        candidates = (child_name(standard, f"-{number}") for number in numbers)
        return next(candidate for candidate in candidates if candidate not in taken)

    return tuple(each if each.name else replace(each, name=name()) for each in containers)


def _container_defaulted(container: Container, pod: PodSpec, defaults: DefaultsConfig) -> Container:
    serving = len(pod.containers) == 1 or bool(container.ports)
    readiness = container.readiness_probe
    if serving:
        readiness = _with_handler(readiness or Probe())
    if readiness is not None:
        readiness = _counted(readiness)
    return replace(
        container,
        resources=_resources_defaulted(container.resources or Resources(), defaults),
        readiness_probe=_with_grpc_service(readiness),
        liveness_probe=_with_grpc_service(container.liveness_probe),
        startup_probe=_with_grpc_service(container.startup_probe),
        volume_mounts=_read_only(container.volume_mounts, pod),
    )


def _with_handler(probe: Probe) -> Probe:
    """*probe*, which tries to connect if it says nothing else."""
    if probe.tcp_socket or probe.http_get or probe.exec_ or probe.grpc:
        return probe
    return replace(probe, tcp_socket=TCPSocketAction())


def _counted(probe: Probe) -> Probe:
    """A readiness *probe* with Kubernetes' numbers, as far as Knative's own probing leaves them."""
    probe = replace(probe, success_threshold=probe.success_threshold or 1)
    if not probe.period_seconds:
        return probe
    return replace(
        probe,
        failure_threshold=probe.failure_threshold or 3,
        timeout_seconds=probe.timeout_seconds or 1,
    )


def _with_grpc_service(probe: Probe | None) -> Probe | None:
    if probe is None or probe.grpc is None or probe.grpc.service is not None:
        return probe
    return replace(probe, grpc=replace(probe.grpc, service=""))


def _resources_defaulted(resources: Resources, defaults: DefaultsConfig) -> Resources:
    requests = {
        "cpu": defaults.revision_cpu_request,
        "memory": defaults.revision_memory_request,
        "ephemeral-storage": defaults.revision_ephemeral_storage_request,
    }
    limits = {
        "cpu": defaults.revision_cpu_limit,
        "memory": defaults.revision_memory_limit,
        "ephemeral-storage": defaults.revision_ephemeral_storage_limit,
    }
    return replace(
        resources,
        requests=_completed(resources.requests, requests),
        limits=_completed(resources.limits, limits),
    )


def _completed(said: Mapping[str, Quantity], standard: Mapping[str, str]) -> Mapping[str, Quantity]:
    return {**{name: text for name, text in standard.items() if text}, **said}


def _read_only(mounts: tuple[VolumeMount, ...], pod: PodSpec) -> tuple[VolumeMount, ...]:
    """*mounts*, read-only for what comes from outside the instance."""
    writable = {
        volume.name
        for volume in pod.volumes
        if volume.empty_dir is not None
        or volume.persistent_volume_claim is not None
        or volume.ephemeral is not None
    }
    return tuple(
        each if each.name in writable else replace(each, read_only=True) for each in mounts
    )


def _secured(container: Container, pod: PodSpec, features: FeaturesConfig) -> Container:
    """*container* with the defaults of Kubernetes' restricted profile, if they are wanted."""
    if not features.secure_pods:
        return container
    of_pod = pod.security_context if isinstance(pod.security_context, Mapping) else {}
    context = container.security_context or SecurityContext()
    if context.allow_privilege_escalation is None:
        context = replace(context, allow_privilege_escalation=False)
    if not _profile_type(of_pod.get("seccompProfile")):
        profile = context.seccomp_profile
        if not _profile_type(profile):
            said = profile if isinstance(profile, Mapping) else {}
            context = replace(context, seccomp_profile={**said, "type": "RuntimeDefault"})
    if context.capabilities is None:
        low = any(port.container_port < _LOWEST_FREE_PORT for port in container.ports)
        capabilities = Capabilities(drop=("ALL",), add=("NET_BIND_SERVICE",) if low else ())
        context = replace(context, capabilities=capabilities)
    if (
        features.flag(SECURE_POD_DEFAULTS) == ENABLED
        and of_pod.get("runAsNonRoot") is None
        and context.run_as_non_root is None
    ):
        context = replace(context, run_as_non_root=True)
    return replace(container, security_context=context)


def _profile_type(profile: object) -> str:
    return str(profile.get("type") or "") if isinstance(profile, Mapping) else ""
