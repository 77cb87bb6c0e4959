"""Node: the machine that everything runs on. There is one.

Source: Kubernetes core/v1 Node.
"""

from collections.abc import Mapping

import msgspec

from knlite.kinds.conditions import Conditions, find
from knlite.kinds.meta import Fields, Object


class NodeAddress(Fields):
    type: str
    address: str


class NodeInfo(Fields):
    architecture: str = ""
    kernel_version: str = ""
    kubelet_version: str = ""
    operating_system: str = ""
    os_image: str = ""


class NodeStatus(Fields):
    capacity: Mapping[str, str] = msgspec.field(default_factory=dict)
    allocatable: Mapping[str, str] = msgspec.field(default_factory=dict)
    addresses: tuple[NodeAddress, ...] = ()
    conditions: Conditions = ()
    node_info: NodeInfo = NodeInfo()


class Node(Object):
    """This machine."""

    spec: Fields = Fields()
    status: NodeStatus = NodeStatus()


def status_column(node: Node) -> str:
    """``Ready`` or ``NotReady``."""
    condition = find(node.status.conditions)
    return "Ready" if condition is not None and condition.status == "True" else "NotReady"
