"""A graph while it is made: nodes as something leads to them, edges once each."""

from collections.abc import Iterable

import msgspec

from knlite.console.graph.places import Places
from knlite.console.graph.values import Edge, EdgeRole, Graph
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.reconcile import View


class Drawing:
    """Ways that are the same become one, which counts what all of them count."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.places = Places(view)
        self._edges: dict[str, Edge] = {}

    def edge(
        self,
        source: str | None,
        target: str | None,
        role: EdgeRole,
        *flows: str,
        label: str = "",
        via: str = "",
        shared: bool = False,
    ) -> None:
        """A way from *source* to *target*, if both are known."""
        if source is None or target is None:
            return
        key = " ".join(each for each in (role, source, target, via) if each)
        known = self._edges.get(key)
        if known is not None:
            merged = tuple(dict.fromkeys((*known.flows, *flows)))
            self._edges[key] = msgspec.structs.replace(known, flows=merged)
            return
        self._edges[key] = Edge(
            id=key,
            source=source,
            target=target,
            role=role,
            label=label,
            via=via,
            flows=flows,
            shared=shared,
        )

    def dead_letters(
        self, source: str, delivery: DeliverySpec | None, namespace: str, egresses: Iterable[str]
    ) -> None:
        """The way of what *egresses* could not deliver, as *delivery* of *source* says."""
        sink = None if delivery is None else delivery.dead_letter_sink
        flows = (f"{each}|dead letter sink" for each in egresses)
        self.edge(source, self.places.led_to(sink, namespace), "dead-letters", *flows)

    def graph(self) -> Graph:
        """What has been drawn."""
        nodes = sorted(
            self.places.nodes.values(),
            key=lambda each: (each.namespace, each.role, each.kind, each.name),
        )
        return Graph(nodes=tuple(nodes), edges=tuple(self._edges.values()))


def has_sink(delivery: DeliverySpec | None) -> bool:
    """Whether *delivery* names a dead letter sink."""
    return delivery is not None and delivery.dead_letter_sink is not None
