"""``GET /knlite/graph``, and the same for the feed: the graph of now, made when somebody asks."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from knlite.apiserver.ownjson import own_json
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
from knlite.telemetry.live.hub import Hub

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

    def tell(self, hub: Hub) -> None:
        """Make the graph a topic of *hub*, told whenever an object changes that it is made of."""

        def note(notification: Notification) -> None:
            if isinstance(notification.obj, _DRAWN):
                hub.changed(TOPIC)

        hub.topic(TOPIC, self.now)
        hub.while_watched(TOPIC, lambda: self._registry.listening(note))

    def routes(self) -> list[Route]:
        """The route of the graph."""
        return [Route("/knlite/graph", self._graph)]

    async def _graph(self, _request: Request) -> Response:
        return own_json(self.now())
