"""``GET /knlite/graph``, and the same for the feed: the graph of now, made when somebody asks."""

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from knlite.console.graph.nodes import ROLES
from knlite.console.graph.values import Graph
from knlite.console.graph.whole import graph_of
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.core.job import Job
from knlite.kinds.core.k8sservice import KubernetesService
from knlite.kinds.meta import Object
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.domainmapping import DomainMapping
from knlite.kinds.serving.route import Route as RouteObject
from knlite.registry.registry import Notification, Registry

TOPIC = "graph"
_DRAWN: tuple[type[Object], ...] = (
    *ROLES,
    RouteObject,
    DomainMapping,
    Configuration,
    ConfigMap,
    Deployment,
    Job,
    KubernetesService,
)
"""Kinds that a graph is made of."""


class Graphs:
    """Keeps the last graph, as several ask at once for that of one moment."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._of = -1
        self._last = Graph()

    def now(self) -> Graph:
        """The graph of all objects as they are now."""
        version = self._registry.version
        if version != self._of:
            self._last, self._of = graph_of(self._registry.view), version
        return self._last

    def note(self, changed: Callable[[str], None], notification: Notification) -> None:
        """Tell *changed* that the graph is another one, if it may be."""
        if isinstance(notification.obj, _DRAWN):
            changed(TOPIC)

    def routes(self) -> list[Route]:
        """The route of the graph."""
        return [Route("/knlite/graph", self._graph)]

    async def _graph(self, _request: Request) -> Response:
        return Response(msgspec.json.encode(self.now()), media_type="application/json")
