"""What the data plane is told of Brokers, and when."""

import anyio
from msgspec.structs import replace

from knlite.clock import LoopClock
from knlite.controlplane.projector import Projector
from knlite.eventing.topology import ResourceKey, Topology
from knlite.kinds.addressable import Addressable
from knlite.kinds.eventing.broker import Broker, BrokerStatus
from knlite.kinds.meta import ObjectMeta
from knlite.serving.instance import RevisionName, RevisionSettings
from knlite.serving.routing import RoutingTable
from tests.flows.cell import STARTED, on_virtual_time
from tests.unit.registry.desk import registry


class DataPlane:
    """Remembers the brokers of each topology that it is told."""

    def __init__(self) -> None:
        self.told: list[set[ResourceKey]] = []

    def routes_changed(self, table: RoutingTable, listing: tuple[tuple[str, str], ...]) -> None:
        pass

    def settings_changed(self, revision: RevisionName, settings: RevisionSettings | None) -> None:
        pass

    def topology_changed(self, topology: Topology) -> None:
        self.told.append(set(topology.resources))


@on_virtual_time
async def test_who_cannot_wait_is_told_at_once_and_only_then_of_a_change() -> None:
    desk, plane, key = registry(), DataPlane(), ResourceKey("Broker", "default", "b")
    projector = Projector(desk, LoopClock(STARTED))
    projector.report_to(plane, plane, plane)
    async with anyio.create_task_group() as group:
        await group.start(projector.run)
        await anyio.sleep(1)
        plane.told.clear()
        made = desk.create(Broker(metadata=ObjectMeta(name="b", namespace="default")), user="test")
        status = BrokerStatus(address=Addressable(url="http://b.test/"))
        desk.update_status(replace(made, status=status))
        assert plane.told == []
        projector.catch_up()
        assert plane.told == [{key}]
        projector.catch_up()
        await anyio.sleep(1)
        assert plane.told == [{key}]
        group.cancel_scope.cancel()
