"""A container of a launch as the engine's settings.

Source: Knative reference §4 (runtime contract), §1.6 (securityContext). What a container may do is
the engine's default less what a server has no use for. Differs: a cluster leaves these rights
unless ``secure-pod-defaults`` is on; here the machine is somebody's own. A manifest that asks for
them gets them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from knlite.kinds.names import MAX_LABEL
from knlite.runtime.docker import problems
from knlite.runtime.docker.network import Network
from knlite.runtime.docker.owner import OWNER, PREFIX, RUN, Owner
from knlite.runtime.port import ContainerLaunch, Launch
from knlite.serving.container import Limits, Security

DROPPED_CAPABILITIES = ("AUDIT_WRITE", "MKNOD", "NET_RAW")
"""Of the engine's fourteen. Kept: NET_BIND_SERVICE for ports below 1024, and those with which
images' entrypoints give files and themselves to another user."""
SHARES_PER_CPU = 1024
LEAST_SHARES = 2
LEAST_CPUS = 0.01
"""The kernel gives no less than 1 ms in 100 ms; as the kubelet, who asks for less gets that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What ``prepare`` hands to ``start``."""

    id: str
    name: str
    user: str = ""
    """Of the image's own configuration; empty means root."""
    envs: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The function's own variables; those of the launch win."""
    snapshot: str = ""
    """What the cache calls the sources that it was made of, if they are kept there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Arguments of the SDK's ``create_host_config`` and ``create_container``."""

    host: Mapping[str, Any] = field(repr=False)
    container: Mapping[str, Any] = field(repr=False)


def serving_settings(
    launch: Launch,
    image: Image,
    *,
    network: Network,
    hosts: Mapping[str, str],
    owner: Owner,
    init: bool,
) -> Settings:
    """How the serving container of *launch* is created. Raises ``InstanceFailed``."""
    container = launch.serving
    host = {**_own_network(network, hosts), **_first_process(init)}
    port = {"PORT": str(launch.port)} if launch.port else {}
    settings = _settings(launch, container, image, owner, launch.instance, host, port)
    host, made = dict(settings.host), dict(settings.container)
    if len(launch.instance) <= MAX_LABEL:
        made["hostname"] = launch.instance
    if network.kind == "published" and launch.port:
        host["port_bindings"] = {launch.port: ("127.0.0.1", None)}
        made["ports"] = [launch.port]
    return Settings(host=host, container=made)


def sidecar_settings(
    launch: Launch,
    container: ContainerLaunch,
    image: Image,
    *,
    owner: Owner,
    init: bool,
) -> Settings:
    """How a container is created that shares the network of the serving one."""
    host = {"network_mode": f"container:{launch.instance}", **_first_process(init)}
    return _settings(launch, container, image, owner, _beside(launch, container), host)


def init_settings(
    launch: Launch,
    container: ContainerLaunch,
    image: Image,
    *,
    network: Network,
    hosts: Mapping[str, str],
    owner: Owner,
    init: bool,
) -> Settings:
    """How a container is created that runs before the serving one exists."""
    host = {**_own_network(network, hosts), **_first_process(init)}
    return _settings(launch, container, image, owner, _beside(launch, container), host)


def _beside(launch: Launch, container: ContainerLaunch) -> str:
    """The name of a container that is not the serving one, whose name is the instance's."""
    return f"{launch.instance}-{container.name}"


def _settings(
    launch: Launch,
    container: ContainerLaunch,
    image: Image,
    owner: Owner,
    name: str,
    host: Mapping[str, Any],
    env: Mapping[str, str] = MappingProxyType({}),
) -> Settings:
    """What is alike for all; *host* and *env* are added to it."""
    made: dict[str, Any] = {
        "image": image.id,
        "name": name,
        "environment": {**image.envs, **container.env, **env},
        "labels": {**owner_labels(launch, owner), f"{PREFIX}/container": container.name},
        # The user's proxy settings for builds must not come between a program and its sink.
        "use_config_proxy": False,
    }
    if container.command:
        made["entrypoint"] = list(container.command)
    if container.args:
        made["command"] = list(container.args)
    if container.working_dir:
        made["working_dir"] = container.working_dir
    user = _user(container, image)
    if user:
        made["user"] = user
    allowed = {**_rights(container.security), **_resources(container.limits)}
    return Settings(host={**allowed, **host}, container=made)


def _user(container: ContainerLaunch, image: Image) -> str:
    """What replaces the image's user, if anything does."""
    security = container.security
    if security.non_root and security.user is None:
        name = image.user.partition(":")[0]
        if not name.isdecimal() or int(name) == 0:
            raise problems.runs_as_root(container.name, image.name, name)
    if security.non_root and security.user == 0:
        raise problems.runs_as_root(container.name, image.name, "0")
    if security.group is None:
        return "" if security.user is None else str(security.user)
    user = image.user.partition(":")[0] or "0" if security.user is None else security.user
    return f"{user}:{security.group}"


def _rights(security: Security) -> dict[str, Any]:
    options = [] if security.escalation else ["no-new-privileges"]
    if security.seccomp == "Unconfined":
        options.append("seccomp=unconfined")
    dropped = security.drop or DROPPED_CAPABILITIES
    added = tuple(each.removeprefix("CAP_") for each in security.add)
    if not security.drop:
        dropped = tuple(each for each in dropped if each not in added and "ALL" not in added)
    rights: dict[str, Any] = {"security_opt": options, "cap_drop": list(dropped)}
    if added:
        rights["cap_add"] = list(added)
    if security.read_only_root:
        rights["read_only"] = True
    if security.supplemental_groups:
        rights["group_add"] = [str(group) for group in security.supplemental_groups]
    return rights


def _resources(limits: Limits) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    if limits.cpus is not None:
        resources["nano_cpus"] = round(max(LEAST_CPUS, limits.cpus) * 1_000_000_000)
    if limits.memory is not None:
        # Both equal: no swap, as in Kubernetes.
        resources["mem_limit"] = resources["memswap_limit"] = limits.memory
    request = limits.cpus if limits.cpu_request is None else limits.cpu_request
    if request is not None:
        resources["cpu_shares"] = max(LEAST_SHARES, int(request * SHARES_PER_CPU))
    return resources


def _own_network(network: Network, hosts: Mapping[str, str]) -> dict[str, Any]:
    return {"network_mode": network.mode, "extra_hosts": dict(hosts)}


def _first_process(init: bool) -> dict[str, Any]:
    # As process 1 a program without a handler would ignore SIGTERM, and reap no orphans.
    return {"init": True} if init else {}


def owner_labels(launch: Launch, owner: Owner) -> dict[str, str]:
    """By which a later run knows what was made for an instance."""
    return {
        OWNER: owner.encode(),
        RUN: owner.run,
        f"{PREFIX}/namespace": launch.namespace,
        f"{PREFIX}/service": launch.service,
        f"{PREFIX}/revision": launch.revision,
        f"{PREFIX}/instance": launch.instance,
    }
