"""All objects to the graph that the map draws.

Linear in the number of objects: every kind is listed once, and what a reference names is looked up.
"""

from knlite.console.graph.brokers import draw_brokers
from knlite.console.graph.channels import draw_channels
from knlite.console.graph.drawing import Drawing
from knlite.console.graph.nodes import ROLES
from knlite.console.graph.sources import draw_sources
from knlite.console.graph.values import Graph
from knlite.kinds.meta import Object
from knlite.kinds.serving.route import Route
from knlite.reconcile import View


def graph_of(view: View) -> Graph:
    """Everything that sends or takes events or requests, and how it hangs together."""
    drawing = Drawing(view)
    kinds: tuple[type[Object], ...] = (*ROLES, Route)
    for kind in kinds:
        for obj in view.listed(kind, ""):
            if drawing.places.whole(obj) is obj:
                drawing.places.of(obj)
    draw_sources(drawing)
    draw_brokers(drawing)
    draw_channels(drawing)
    return drawing.graph()
