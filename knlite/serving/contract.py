"""What the containers of an instance are told, from their revision or pod.

Source: Knative reference §4.1 (environment), §4.2 (process), §1.6 (fields).
Not here: ``PORT``, which the runtime sets; volumes (``contents.py``); what cannot be had here
(``support.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.kinds.config.deployment import DeploymentConfig
from knlite.kinds.core.pod import Pod
from knlite.kinds.durations import InvalidDuration, parse_go
from knlite.kinds.labels import CONFIGURATION, PROGRESS_DEADLINE, SERVICE
from knlite.kinds.podspec.fields import Container, PodSpec, Quantity
from knlite.kinds.quantities import parse as parse_quantity
from knlite.kinds.serving.revision import Revision
from knlite.reconcile import View
from knlite.serving.container import TERMINATION_LOG, Limits, Mount, Security
from knlite.serving.downward import Identity
from knlite.serving.environment import environment, expanded
from knlite.serving.vantage import Vantage


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What one container is started with."""

    env: Mapping[str, str]
    command: tuple[str, ...]
    args: tuple[str, ...]
    working_dir: str
    limits: Limits
    security: Security
    mounts: tuple[Mount, ...]
    termination_path: str
    termination_from_log: bool


def identity_of(revision: Revision, instance: str) -> Identity:
    """The pod of *instance* before its start."""
    meta = revision.metadata
    return Identity(
        namespace=meta.namespace,
        name=instance,
        labels=meta.labels,
        annotations=meta.annotations,
        service_account=revision.spec.service_account_name or "default",
    )


def identity_of_pod(pod: Pod) -> Identity:
    """*pod*, which is there before its programs."""
    meta = pod.metadata
    return Identity(
        namespace=meta.namespace,
        name=meta.name,
        labels=meta.labels,
        annotations=meta.annotations,
        service_account=pod.spec.service_account_name or "default",
    )


def told_to(revision: Revision, container: Container) -> Mapping[str, str]:
    """The variables by which one of the *revision*'s containers learns what it belongs to."""
    if container in revision.spec.init_containers:
        return {}
    meta = revision.metadata
    return {
        "K_SERVICE": meta.labels.get(SERVICE, ""),
        "K_CONFIGURATION": meta.labels.get(CONFIGURATION, ""),
        "K_REVISION": meta.name,
    }


def contract(
    spec: PodSpec,
    container: Container,
    identity: Identity,
    view: View,
    vantage: Vantage,
    told: Mapping[str, str],
) -> Contract:
    """The contract of one of the containers of a pod, which reaches the gateway from *vantage*.

    *told* are variables beside its author's. Raises ``InstanceFailed``
    (``CreateContainerConfigError``) where a ConfigMap, a Secret or a key of it is missing.
    """
    env = {**environment(container, identity, view, vantage), **told}
    return Contract(
        env=env,
        command=tuple(expanded(word, env) for word in container.command),
        args=tuple(expanded(word, env) for word in container.args),
        working_dir=container.working_dir,
        limits=_limits(container),
        security=_security(container, spec),
        mounts=tuple(
            Mount(
                volume=mount.name,
                path=mount.mount_path,
                sub_path=mount.sub_path,
                read_only=bool(mount.read_only),
            )
            for mount in container.volume_mounts
        ),
        termination_path=container.termination_message_path or TERMINATION_LOG,
        # Upstream's deployments fall back to the log unless the manifest says otherwise.
        termination_from_log=container.termination_message_policy != "File",
    )


def fs_group(spec: PodSpec) -> int | None:
    """The group that owns the files of volumes."""
    return _number(_of_pod(spec).get("fsGroup"))


def progress_deadline(annotations: Mapping[str, str], config: DeploymentConfig) -> float:
    """Seconds that the first instance of a revision may take."""
    text = annotations.get(PROGRESS_DEADLINE, "")
    if not text:
        return config.progress_deadline
    try:
        return parse_go(text)
    except InvalidDuration:
        return config.progress_deadline


def _limits(container: Container) -> Limits:
    resources = container.resources
    if resources is None:
        return Limits()
    return Limits(
        cpus=_quantity(resources.limits, "cpu"),
        memory=int(parse_quantity(resources.limits["memory"]))
        if "memory" in resources.limits
        else None,
        cpu_request=_quantity(resources.requests, "cpu"),
    )


def _quantity(quantities: Mapping[str, Quantity], name: str) -> float | None:
    return float(parse_quantity(quantities[name])) if name in quantities else None


def _security(container: Container, spec: PodSpec) -> Security:
    """The container's own fields, else the pod's."""
    own, of_pod = container.security_context, _of_pod(spec)
    groups = of_pod.get("supplementalGroups")
    supplemental = [_number(group) for group in groups] if isinstance(groups, list | tuple) else []
    supplemental.append(fs_group(spec))
    user = own.run_as_user if own is not None else None
    group = own.run_as_group if own is not None else None
    non_root = own.run_as_non_root if own is not None else None
    profile = own.seccomp_profile if own is not None else None
    capabilities = own.capabilities if own is not None else None
    return Security(
        user=user if user is not None else _number(of_pod.get("runAsUser")),
        group=group if group is not None else _number(of_pod.get("runAsGroup")),
        supplemental_groups=tuple(each for each in supplemental if each is not None),
        non_root=bool(of_pod.get("runAsNonRoot") if non_root is None else non_root),
        read_only_root=bool(own and own.read_only_root_filesystem),
        escalation=own.allow_privilege_escalation if own is not None else None,
        add=capabilities.add if capabilities is not None else (),
        drop=capabilities.drop if capabilities is not None else (),
        seccomp=_unconfined(profile if profile is not None else of_pod.get("seccompProfile")),
    )


def _of_pod(spec: PodSpec) -> Mapping[str, object]:
    return spec.security_context if isinstance(spec.security_context, Mapping) else {}


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _unconfined(profile: object) -> str:
    named = profile.get("type") if isinstance(profile, Mapping) else None
    return "Unconfined" if named == "Unconfined" else ""
