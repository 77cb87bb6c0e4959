"""PodSpec as a manifest spells it: every Kubernetes field by name, typed where knlite reads it.

Fields that Knative never accepts are here too (as ``Any``), so that they can be refused by name
instead of being called unknown.

Source: Kubernetes core/v1; Knative reference §1.5, §1.6.
Not here: which of them are accepted (``fieldmask.py``), defaults, checks.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from knlite.kinds.meta import Fields

Quantity = str | int | float
"""A Kubernetes quantity as written: ``500m``, ``128Mi``, ``1``."""

Port = int | str
"""A port number or the name of a container port."""


def shown_zero() -> Any:
    """A field that is 0 unless it is said, and is shown even then, as Go shows it."""
    return msgspec.field(default_factory=int)


class KeySelector(Fields):
    """One key of a ConfigMap or Secret."""

    name: str = ""
    key: str = ""
    optional: bool | None = None


class EnvVarSource(Fields):
    """Where the value of a variable comes from."""

    config_map_key_ref: KeySelector | None = None
    secret_key_ref: KeySelector | None = None
    field_ref: Any = None
    resource_field_ref: Any = None


class EnvVar(Fields):
    """One environment variable; ``$(OTHER)`` in the value refers to earlier ones."""

    name: str = ""
    value: str = ""
    value_from: EnvVarSource | None = None


class ObjectSelector(Fields):
    """A whole ConfigMap or Secret."""

    name: str = ""
    optional: bool | None = None


class EnvFromSource(Fields):
    """All keys of a ConfigMap or Secret as variables."""

    prefix: str = ""
    config_map_ref: ObjectSelector | None = None
    secret_ref: ObjectSelector | None = None


class ContainerPort(Fields):
    """The port on which the container serves. ``container_port`` 0 means the default, 8080."""

    name: str = ""
    container_port: int = shown_zero()
    protocol: str = ""
    host_port: int | None = None
    host_ip: str | None = msgspec.field(default=None, name="hostIP")


class HTTPHeader(Fields):
    """One header of an httpGet probe."""

    name: str = ""
    value: str = ""


class HTTPGetAction(Fields):
    """Success is a status from 200 to 399."""

    path: str = ""
    port: Port = shown_zero()
    host: str = ""
    scheme: str = ""
    http_headers: tuple[HTTPHeader, ...] = ()


class TCPSocketAction(Fields):
    """Success is a connection."""

    port: Port = shown_zero()
    host: str = ""


class ExecAction(Fields):
    """Success is exit code 0."""

    command: tuple[str, ...] = ()


class GRPCAction(Fields):
    """Success is SERVING from the gRPC health service."""

    port: int = shown_zero()
    service: str | None = None


class Probe(Fields):
    """A health probe. ``period_seconds`` 0 asks for Knative's aggressive probing."""

    exec_: ExecAction | None = msgspec.field(default=None, name="exec")
    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    grpc: GRPCAction | None = None
    initial_delay_seconds: int = 0
    timeout_seconds: int = 0
    period_seconds: int = 0
    success_threshold: int = 0
    failure_threshold: int = 0
    termination_grace_period_seconds: int | None = None


class Resources(Fields):
    """Requests and limits by resource name (``cpu``, ``memory``, ``ephemeral-storage``)."""

    requests: Mapping[str, Quantity] = msgspec.field(default_factory=dict)
    limits: Mapping[str, Quantity] = msgspec.field(default_factory=dict)
    claims: tuple[Any, ...] = ()


class Capabilities(Fields):
    """Linux capabilities of a container."""

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


class SecurityContext(Fields):
    """The container's security context; the part Knative accepts is typed."""

    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    read_only_root_filesystem: bool | None = None
    allow_privilege_escalation: bool | None = None
    privileged: bool | None = None
    capabilities: Capabilities | None = None
    seccomp_profile: Any = None
    proc_mount: Any = None
    se_linux_options: Any = None
    windows_options: Any = None
    app_armor_profile: Any = None


class VolumeMount(Fields):
    """A volume at a path of the container."""

    name: str = ""
    mount_path: str = ""
    read_only: bool | None = None
    sub_path: str = ""
    sub_path_expr: str | None = None
    mount_propagation: str | None = None
    recursive_read_only: str | None = None


class KeyToPath(Fields):
    """One key of a source as a file."""

    key: str = ""
    path: str = ""
    mode: int | None = None


class ConfigMapVolume(Fields):
    """A ConfigMap as a folder of files."""

    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    default_mode: int | None = None
    optional: bool | None = None


class SecretVolume(Fields):
    """A Secret as a folder of files."""

    secret_name: str = ""
    items: tuple[KeyToPath, ...] = ()
    default_mode: int | None = None
    optional: bool | None = None


class EmptyDirVolume(Fields):
    """An empty folder that lives as long as the instance."""

    medium: str = ""
    size_limit: Quantity | None = None


class Volume(Fields):
    """A named volume with exactly one source."""

    name: str = ""
    config_map: ConfigMapVolume | None = None
    secret: SecretVolume | None = None
    empty_dir: EmptyDirVolume | None = None
    projected: Any = None
    persistent_volume_claim: Any = None
    host_path: Any = None
    csi: Any = None
    ephemeral: Any = None
    image: Any = None
    downward_api: Any = msgspec.field(default=None, name="downwardAPI")
    nfs: Any = None
    iscsi: Any = None


class LocalObjectReference(Fields):
    """An object of the same namespace."""

    name: str = ""


class Container(Fields):
    """One container of the pod."""

    name: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    ports: tuple[ContainerPort, ...] = ()
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFromSource, ...] = ()
    resources: Resources | None = None
    volume_mounts: tuple[VolumeMount, ...] = ()
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    image_pull_policy: str = ""
    security_context: SecurityContext | None = None
    termination_message_path: str = ""
    termination_message_policy: str = ""
    # Refused by name:
    lifecycle: Any = None
    stdin: bool | None = None
    stdin_once: bool | None = None
    tty: bool | None = None
    volume_devices: tuple[Any, ...] = ()
    resize_policy: tuple[Any, ...] = ()
    restart_policy: str | None = None


class PodSpec(Fields):
    """The pod part of a revision."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    service_account_name: str = ""
    image_pull_secrets: tuple[LocalObjectReference, ...] = ()
    enable_service_links: bool | None = None
    automount_service_account_token: bool | None = None
    # Behind feature flags:
    affinity: Any = None
    topology_spread_constraints: tuple[Any, ...] = ()
    node_selector: Mapping[str, str] = msgspec.field(default_factory=dict)
    tolerations: tuple[Any, ...] = ()
    runtime_class_name: str | None = None
    priority_class_name: str = ""
    scheduler_name: str = ""
    host_aliases: tuple[Any, ...] = ()
    dns_policy: str = ""
    dns_config: Any = None
    share_process_namespace: bool | None = None
    host_ipc: bool | None = msgspec.field(default=None, name="hostIPC")
    host_pid: bool | None = msgspec.field(default=None, name="hostPID")
    host_network: bool | None = None
    security_context: Any = None
    # Refused by name:
    restart_policy: str = ""
    termination_grace_period_seconds: int | None = None
    active_deadline_seconds: int | None = None
    service_account: str = ""
    node_name: str = ""
    hostname: str = ""
    subdomain: str = ""
    set_hostname_as_fqdn: bool | None = msgspec.field(default=None, name="setHostnameAsFQDN")
    priority: int | None = None
    readiness_gates: tuple[Any, ...] = ()
    preemption_policy: str | None = None
    overhead: Any = None
    ephemeral_containers: tuple[Any, ...] = ()
    host_users: bool | None = None
    os: Any = None
    scheduling_gates: tuple[Any, ...] = ()
    resource_claims: tuple[Any, ...] = ()


def serving_container(spec: PodSpec) -> Container | None:
    """The container that answers requests: the sole one, or the one with a port."""
    if len(spec.containers) == 1:
        return spec.containers[0]
    return next((container for container in spec.containers if container.ports), None)


def leading_container(spec: PodSpec) -> Container | None:
    """The one that is meant where one of a pod is: what serves, else the first."""
    return serving_container(spec) or next(iter(spec.containers), None)


def user_port(container: Container) -> int:
    """The port the container serves on; 8080 unless it says otherwise."""
    declared = container.ports[0].container_port if container.ports else 0
    return declared or 8080


def protocol_of(container: Container) -> Literal["http1", "h2c"]:
    """``h2c`` or ``http1``, from the name of the container's port."""
    return "h2c" if container.ports and container.ports[0].name == "h2c" else "http1"
