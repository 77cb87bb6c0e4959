"""This machine: what it has, and how it looks as the one Node that clients believe to talk to.

Source: Kubernetes core/v1 Node; the kernel's own words (``uname``, ``sysconf``).
"""

import os
import platform
from datetime import datetime

from knlite import __version__
from knlite.kinds.conditions import Condition, timestamp
from knlite.kinds.core.node import Node, NodeAddress, NodeInfo, NodeStatus
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.names import subdomain_1123_problems
from knlite.serving.scheduling import Capacity

_UNNAMED = "knlite"
_PODS = "250"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def this_capacity() -> Capacity:
    """What this machine has for instances."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Capacity(cpus=float(os.cpu_count() or 1), memory=memory)


def this_node(now: datetime, address: str) -> Node:
    """The Node that everything runs on, reached at *address*, as it is *now*."""
    host = platform.node().lower()
    name = _UNNAMED if subdomain_1123_problems(host) else host
    capacity = this_capacity()
    resources = {
        "cpu": f"{capacity.cpus:g}",
        "memory": f"{capacity.memory // 1024}Ki",
        "pods": _PODS,
    }
    system = platform.system().lower()
    architecture = _MACHINES.get(platform.machine(), platform.machine())
    since = timestamp(now)
    return Node(
        metadata=ObjectMeta(
            name=name,
            uid=f"node-{name}",
            resource_version="1",
            creation_timestamp=since,
            labels={
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": system,
                "kubernetes.io/arch": architecture,
            },
        ),
        status=NodeStatus(
            capacity=resources,
            allocatable=resources,
            addresses=(
                NodeAddress(type="InternalIP", address=address),
                NodeAddress(type="Hostname", address=name),
            ),
            conditions=(
                Condition(
                    type="Ready",
                    status="True",
                    reason="KubeletReady",
                    message="knlite runs here",
                    last_transition_time=since,
                ),
            ),
            node_info=NodeInfo(
                architecture=architecture,
                kernel_version=platform.release(),
                kubelet_version=f"v{__version__}+knlite",
                operating_system=system,
                os_image=platform.platform(terse=True),
            ),
        ),
    )
