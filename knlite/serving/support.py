"""Fields of a pod that cannot be had here, and fields that have no effect here.

Where leaving a field out would make the program behave otherwise than on a cluster, the revision is
refused by condition; where it only protects or places the program, it runs and the person is told.

Source: knlite's own rule; the fields are those of Knative reference §1.5, §1.6.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from knlite.errors import InstanceFailed
from knlite.kinds.podspec.fields import Container, PodSpec, SecurityContext, Volume
from knlite.kinds.podspec.problems import pod_problems
from knlite.serving.workload import RuntimeName

_SOURCES = (
    ("hostPath", "host_path"),
    ("csi", "csi"),
    ("ephemeral", "ephemeral"),
    ("image", "image"),
    ("downwardAPI", "downward_api"),
    ("nfs", "nfs"),
    ("iscsi", "iscsi"),
)
_PLACING = (
    ("affinity", "affinity"),
    ("topologySpreadConstraints", "topology_spread_constraints"),
    ("nodeSelector", "node_selector"),
    ("tolerations", "tolerations"),
    ("priorityClassName", "priority_class_name"),
    ("schedulerName", "scheduler_name"),
)
_OF_A_NODE = (
    ("runtimeClassName", "runtime_class_name"),
    ("hostAliases", "host_aliases"),
    ("dnsConfig", "dns_config"),
    ("shareProcessNamespace", "share_process_namespace"),
    ("hostIPC", "host_ipc"),
    ("hostPID", "host_pid"),
    ("hostNetwork", "host_network"),
)
_USUAL_DNS = ("", "ClusterFirst", "Default")
CONTAINERS = "run it with --runtime docker, where a container engine gives it one"


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A field that cannot be had; *what* completes "the revision asks for"."""

    field: str
    what: str
    fix: str


def require_supported(spec: PodSpec, runtime: RuntimeName, uid: int | None) -> None:
    """Refuse what a cluster would run and this machine does not, rather than run half of it.

    What a cluster would not run either is refused in its words. *uid* is the user that processes
    run as, None if they may be anybody's (root). Raises ``InstanceFailed`` (``FailedCreate``,
    ``UnsupportedPod``).
    """
    for problem in pod_problems(spec):
        raise InstanceFailed("FailedCreate", f"no cluster would take this pod: {problem}")
    for found in shortfalls(spec, runtime, uid):
        raise InstanceFailed(
            "UnsupportedPod",
            f"the revision asks for {found.what} ({found.field}), which it cannot have here",
            fix=found.fix,
        )


def shortfalls(spec: PodSpec, runtime: RuntimeName, uid: int | None) -> Iterator[Shortfall]:
    """Everything in *spec* that cannot be had, worst first."""
    yield from _of_volumes(spec)
    for field, attribute in _OF_A_NODE:
        if getattr(spec, attribute):
            yield _left_out(field, f"the pod field {field}")
    if spec.dns_policy not in _USUAL_DNS:
        yield _left_out("dnsPolicy", f"the DNS policy {spec.dns_policy}")
    for path, context in _contexts(spec):
        if _type_of(context.seccomp_profile) == "Localhost":
            yield _left_out(f"{path}.seccompProfile", "a seccomp profile of a node")
    if runtime == "process":
        yield from _of_processes(spec, uid)


def without_effect(spec: PodSpec, runtime: RuntimeName) -> tuple[str, ...]:
    """Fields of *spec* that are accepted and change nothing on *runtime*."""
    found = [field for field, attribute in _PLACING if getattr(spec, attribute)]
    if spec.service_account_name:
        found.append("serviceAccountName")
    if spec.enable_service_links:
        found.append("enableServiceLinks")
    if runtime == "process":
        found += _protecting(spec)
    return tuple(dict.fromkeys(found))


def _of_volumes(spec: PodSpec) -> Iterator[Shortfall]:
    for index, volume in enumerate(spec.volumes):
        for field, attribute in _SOURCES:
            if getattr(volume, attribute) is not None:
                what = f"the volume {volume.name} of type {field}"
                yield Shortfall(
                    f"volumes[{index}].{field}",
                    what,
                    "use an emptyDir, a persistentVolumeClaim, a configMap, a secret or a "
                    "projected volume here, and keep this one in the manifest for the cluster",
                )


def _of_processes(spec: PodSpec, uid: int | None) -> Iterator[Shortfall]:
    if len(spec.containers) > 1:
        yield Shortfall("containers", f"{len(spec.containers)} containers", CONTAINERS)
    if spec.init_containers:
        yield Shortfall("initContainers", "init containers", CONTAINERS)
    volumes = {volume.name: volume for volume in spec.volumes}
    for container in spec.containers:
        for mount in container.volume_mounts:
            volume = volumes.get(mount.name, Volume())
            # Files can lie elsewhere for a program that is told where by a variable.
            told = any(each.value == mount.mount_path for each in container.env)
            if volume.empty_dir is None and not (told and _is_of_files(volume)):
                what = f"the volume {mount.name} at {mount.mount_path}"
                yield Shortfall("volumeMounts", what, CONTAINERS)
    for path, context in _contexts(spec):
        user = context.run_as_user
        if user is not None and uid is not None and user != uid:
            yield Shortfall(f"{path}.runAsUser", f"the user id {user}", CONTAINERS)


def _is_of_files(volume: Volume) -> bool:
    sources = (volume.secret, volume.config_map, volume.projected)
    return any(each is not None for each in sources)


def _protecting(spec: PodSpec) -> Iterator[str]:
    for container in spec.containers:
        resources = container.resources
        if resources is not None and resources.limits:
            yield "resources.limits"
        if resources is not None and resources.requests:
            yield "resources.requests"
        yield from _of_files(container, spec)
    for _, context in _contexts(spec):
        for field, value in (
            ("readOnlyRootFilesystem", context.read_only_root_filesystem),
            ("capabilities", context.capabilities),
            ("seccompProfile", context.seccomp_profile),
            ("runAsNonRoot", context.run_as_non_root),
            ("runAsGroup", context.run_as_group is not None),
        ):
            if value:
                yield f"securityContext.{field}"


def _of_files(container: Container, spec: PodSpec) -> Iterator[str]:
    if container.command:
        yield "command"
    if container.working_dir:
        yield "workingDir"
    empty = {volume.name for volume in spec.volumes if volume.empty_dir is not None}
    for mount in container.volume_mounts:
        if mount.name in empty:
            yield f"emptyDir at {mount.mount_path}"
    if container.termination_message_path:
        yield "terminationMessagePath"


def _contexts(spec: PodSpec) -> Iterator[tuple[str, SecurityContext]]:
    if isinstance(spec.security_context, Mapping):
        of_pod = spec.security_context
        user = of_pod.get("runAsUser")
        yield (
            "securityContext",
            SecurityContext(
                run_as_user=user if isinstance(user, int) else None,
                seccomp_profile=of_pod.get("seccompProfile"),
            ),
        )
    for index, container in enumerate(spec.containers):
        if container.security_context is not None:
            yield f"containers[{index}].securityContext", container.security_context


def _left_out(field: str, what: str) -> Shortfall:
    return Shortfall(field, what, "leave it out here, and keep it in the manifest for the cluster")


def _type_of(profile: object) -> str:
    return str(profile.get("type") or "") if isinstance(profile, Mapping) else ""
