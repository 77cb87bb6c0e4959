"""A launch as the engine's container settings.

Source: Knative reference §4 (runtime contract). What the container may do is the engine's default
less what a server has no use for. Differs: a cluster leaves these rights unless
``secure-pod-defaults`` is on; here the machine is somebody's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from knlite.runtime.docker.network import Network
from knlite.runtime.docker.owner import OWNER, PREFIX, RUN, Owner
from knlite.runtime.port import ContainerLaunch, Launch

DROPPED_CAPABILITIES = ("AUDIT_WRITE", "MKNOD", "NET_RAW")
"""Of the engine's fourteen. Kept: NET_BIND_SERVICE for ports below 1024, and those with which
images' entrypoints give files and themselves to another user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Arguments of the SDK's ``create_host_config`` and ``create_container``."""

    host: Mapping[str, Any]
    container: Mapping[str, Any]


def container_settings(
    launch: Launch,
    container: ContainerLaunch,
    *,
    image: str,
    network: Network,
    hosts: Mapping[str, str],
    owner: Owner,
    init: bool,
) -> Settings:
    """How *container* of *launch*, which serves, is created."""
    host: dict[str, Any] = {
        "network_mode": network.mode,
        "extra_hosts": dict(hosts),
        "security_opt": ["no-new-privileges"],
        "cap_drop": list(DROPPED_CAPABILITIES),
    }
    if init:
        # As process 1 a program without a handler would ignore SIGTERM, and reap no orphans.
        host["init"] = True
    if container.limits.cpus is not None:
        host["nano_cpus"] = round(container.limits.cpus * 1_000_000_000)
    if container.limits.memory is not None:
        # Both equal: no swap, as in Kubernetes.
        host["mem_limit"] = host["memswap_limit"] = container.limits.memory
    made: dict[str, Any] = {
        "image": image,
        "name": launch.instance,
        "environment": {**container.env, "PORT": str(launch.port)},
        "labels": _labels(launch, owner),
        # The user's proxy settings for builds must not come between a program and its sink.
        "use_config_proxy": False,
    }
    if len(launch.instance) <= 63:
        made["hostname"] = launch.instance
    if network.kind == "published":
        host["port_bindings"] = {launch.port: ("127.0.0.1", None)}
        made["ports"] = [launch.port]
    if container.command:
        made["entrypoint"] = list(container.command)
    if container.args:
        made["command"] = list(container.args)
    if container.working_dir:
        made["working_dir"] = container.working_dir
    if container.security.user is not None:
        made["user"] = str(container.security.user)
    return Settings(host=host, container=made)


def _labels(launch: Launch, owner: Owner) -> dict[str, str]:
    return {
        OWNER: owner.encode(),
        RUN: owner.run,
        f"{PREFIX}/namespace": launch.namespace,
        f"{PREFIX}/service": launch.service,
        f"{PREFIX}/revision": launch.revision,
        f"{PREFIX}/instance": launch.instance,
    }
