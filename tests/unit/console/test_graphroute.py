"""The graph as a topic: told whenever an object changes that it is made of, and only then."""

from knlite.console.graphroute import TOPIC, Graphs
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.secret import Secret
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.meta import ObjectMeta
from tests.unit.registry.desk import registry
from tests.unit.telemetry.live.looked import Stage


async def test_who_looks_is_told_of_a_new_broker_and_not_of_a_secret() -> None:
    desk, stage = registry(), Stage()
    desk.create(Namespace(metadata=ObjectMeta(name="shop")), user="someone")
    Graphs(desk).tell(stage.live)
    with stage.looking(TOPIC) as sight:
        desk.create(Secret(metadata=ObjectMeta(name="s", namespace="shop")), user="someone")
        assert await sight.nothing()
        desk.create(Broker(metadata=ObjectMeta(name="b", namespace="shop")), user="someone")
        told = await sight.next()
        assert [node["id"] for node in told["nodes"]] == ["Broker/shop/b"]


def test_a_graph_is_made_once_for_all_who_ask_before_something_changes() -> None:
    desk = registry()
    graphs = Graphs(desk)
    first = graphs.now()
    assert graphs.now() is first
    desk.create(Namespace(metadata=ObjectMeta(name="shop")), user="someone")
    desk.create(Broker(metadata=ObjectMeta(name="b", namespace="shop")), user="someone")
    assert [node.id for node in graphs.now().nodes] == ["Broker/shop/b"]
