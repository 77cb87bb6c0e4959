"""What a graph consists of; its JSON is what ``GET /knlite/graph`` answers (``docs/console.md``).

Not here: how objects become it (``whole.py``).
"""

from typing import Literal

import msgspec

from knlite.console.standing import Told

NodeRole = Literal[
    "source",
    "broker",
    "trigger",
    "channel",
    "subscription",
    "flow",
    "service",
    "sink",
    "external",
]
EdgeRole = Literal["sends", "subscribes", "delivers", "replies", "dead-letters", "binds"]

EXTERNAL = "URI"
"""The kind of the node of a URL that leads out of here."""


class Node(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An object, or what a destination names and is not there."""

    id: str
    """``KIND/NAMESPACE/NAME``. Kubernetes' own Service is a ``KubernetesService``."""
    kind: str
    api_version: str = ""
    plural: str = ""
    """With *api_version* the way to it in the Kubernetes API; both empty for what has none."""
    namespace: str = ""
    name: str
    role: NodeRole
    ready: Told = ""
    """Its Ready condition; empty for what has none."""
    reason: str = ""
    message: str = ""
    url: str = ""
    """Where a person on this machine reaches it."""
    detail: str = ""
    """What else is to be known at first sight: a schedule, a class, a filter, topics."""
    inbox: str = ""
    """``KIND/NAMESPACE/NAME`` of the resource that takes events for it, as facts name it."""
    missing: bool = False
    """Something refers to it, and it is not there."""


class Edge(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A way of events or requests from one node to another."""

    id: str
    source: str
    target: str
    role: EdgeRole
    label: str = ""
    """In a few words: the filter of a Trigger, the number of a step."""
    via: str = ""
    """The node whose doing it is, where that is neither end: a Trigger of a reply."""
    flows: tuple[str, ...] = ()
    """Keys of the topic ``flow`` that count what goes along it."""
    shared: bool = False
    """Its flows count others, too, who send to the same place without being told apart."""


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """Nodes by namespace, role and name; edges in the order of what makes them."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()


def node_id(kind: str, namespace: str, name: str) -> str:
    """Names a node; kinds and namespaces have no slashes, names of URLs have."""
    return f"{kind}/{namespace}/{name}"
