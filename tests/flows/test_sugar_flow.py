"""Brokers that are made for Namespaces and Triggers (Eventing reference §15)."""

import anyio

from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.meta import ObjectMeta
from tests.flows.cell import Cell, on_virtual_time, opened

TRIGGER = {
    "apiVersion": "eventing.knative.dev/v1",
    "kind": "Trigger",
    "metadata": {"name": "t", "namespace": "default", "labels": {"sweet": "yes"}},
    "spec": {"broker": "mine", "subscriber": {"uri": "http://x.example"}},
}


def sugar(cell: Cell, **data: str) -> None:
    metadata = ObjectMeta(name="config-sugar", namespace="knative-eventing")
    data = {key.replace("_", "-"): value for key, value in data.items()}
    cell.registry.apply(ConfigMap(metadata=metadata, data=data), user="test")


def brokers(cell: Cell) -> list[str]:
    found = cell.registry.view.listed(Broker, "")
    return [f"{each.metadata.namespace}/{each.metadata.name}" for each in found]


@on_virtual_time
async def test_nothing_is_made_unless_said() -> None:
    async with opened() as cell:
        cell.apply(TRIGGER)
        await anyio.sleep(1)
        assert brokers(cell) == []


@on_virtual_time
async def test_selected_namespaces_get_a_broker_when_it_is_switched_on_and_when_they_come() -> None:
    async with opened() as cell:
        labels = {"sweet": "yes"}
        cell.registry.create(Namespace(metadata=ObjectMeta(name="a", labels=labels)), user="test")
        sugar(cell, namespace_selector="matchLabels: {sweet: 'yes'}")
        await anyio.sleep(1)
        assert brokers(cell) == ["a/default"]
        cell.registry.create(Namespace(metadata=ObjectMeta(name="b", labels=labels)), user="test")
        await anyio.sleep(1)
        assert brokers(cell) == ["a/default", "b/default"]
        found = cell.registry.view.get(Broker, "b", "default")
        assert found is not None
        assert found.metadata.labels == {"eventing.knative.dev/injected": "true"}
        sugar(cell, namespace_selector="")
        await anyio.sleep(1)
        assert brokers(cell) == ["a/default", "b/default"]


@on_virtual_time
async def test_an_empty_selector_selects_every_trigger() -> None:
    async with opened() as cell:
        cell.apply(TRIGGER)
        sugar(cell, trigger_selector="{}")
        await anyio.sleep(1)
        assert brokers(cell) == ["default/mine"]
