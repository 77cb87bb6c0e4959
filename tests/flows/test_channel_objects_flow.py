"""Channels and flows in the whole control plane: in whose name they are written, what is told."""

from knlite.facts import ReadyChanged
from knlite.kinds.core.event import Event
from knlite.kinds.core.k8sservice import KubernetesService
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.users import EVENTING_CONTROLLER
from knlite.reconcile import Key
from tests.flows.cell import Cell, on_virtual_time, opened

MISSING = {"apiVersion": "messaging.knative.dev/v1", "kind": "Channel", "name": "missing"}


def sequence(*steps: object) -> dict[str, object]:
    return {
        "apiVersion": "flows.knative.dev/v1",
        "kind": "Sequence",
        "metadata": {"name": "q", "namespace": "default"},
        "spec": {"steps": list(steps)},
    }


def told(cell: Cell) -> list[tuple[str, str, str]]:
    """Kind, name and status, as people were told of them."""
    return [
        (fact.kind, fact.name, fact.status) for fact in cell.facts if isinstance(fact, ReadyChanged)
    ]


@on_virtual_time
async def test_a_sequence_becomes_ready_without_a_detour() -> None:
    async with opened() as cell:
        cell.apply(sequence({"uri": "http://a.example"}, {"uri": "http://b.example"}))
        await cell.advance(1)
        assert told(cell) == [("Sequence", "q", "True")]
        assert {
            "q-kn-sequence-0-kn-channel.default",
            "q-kn-sequence-0-kn-channel.default.svc.cluster.local",
        } <= set(cell.projector.cluster_hosts())
        channel = cell.registry.view.get(InMemoryChannel, "default", "q-kn-sequence-0")
        assert channel is not None
        assert channel.metadata.annotations["messaging.knative.dev/creator"] == EVENTING_CONTROLLER
        service = cell.registry.view.get(KubernetesService, "default", "q-kn-sequence-0-kn-channel")
        assert service is not None
        assert [
            (event.involved_object.name, event.reason)
            for event in cell.registry.view.listed(Event, "default")
            if event.reason == "SubscriberSync"
        ] == [("q-kn-sequence-0", "SubscriberSync"), ("q-kn-sequence-1", "SubscriberSync")]


@on_virtual_time
async def test_of_the_parts_of_a_sequence_what_is_in_its_way_is_told() -> None:
    async with opened() as cell:
        cell.apply(sequence({"ref": MISSING}))
        await cell.advance(1)
        assert sorted(told(cell)) == [
            ("Sequence", "q", "Unknown"),
            ("Subscription", "q-kn-sequence-0", "False"),
        ]
        cell.registry.delete(Key(Sequence, "default", "q"))
        await cell.advance(1)
        assert cell.registry.view.listed(Subscription, "default") == []
        assert cell.registry.view.listed(InMemoryChannel, "default") == []
