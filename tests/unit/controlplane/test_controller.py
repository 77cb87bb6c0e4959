"""The loop: a reconciler runs again when what it read changes; one that fails stops no other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import anyio
import msgspec

from knlite.clock import LoopClock
from knlite.controlplane.controller import Controller
from knlite.facts import Fact, Notice, ReconcileFailed
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import ObjectMeta
from knlite.reconcile import Create, Key, Outcome, View, key_of
from tests.flows.cell import STARTED, on_virtual_time
from tests.unit.registry.desk import registry


@asynccontextmanager
async def running(controller: Controller) -> AsyncIterator[None]:
    """While it lasts *controller* takes note of what happens; tests have it ``settle``."""
    async with anyio.create_task_group() as group:
        await group.start(controller.run)
        yield
        group.cancel_scope.cancel()


def config_map(name: str, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace="default"), data=data)


@on_virtual_time
async def test_a_reconciler_depends_on_what_it_read_also_when_it_was_not_there() -> None:
    desk, runs = registry(), []

    def reconcile(key: Key, view: View, now: datetime) -> Outcome:
        runs.append(key.name)
        view.get(Secret, "default", "wanted")
        return Outcome()

    controller = Controller(desk, ((ConfigMap, reconcile),), LoopClock(STARTED), lambda _: None)
    async with running(controller):
        desk.create(config_map("x"), user="test")
        controller.settle()
        assert runs == ["x"]
        desk.create(Secret(metadata=ObjectMeta(name="other", namespace="default")), user="test")
        controller.settle()
        assert runs == ["x"]
        desk.create(Secret(metadata=ObjectMeta(name="wanted", namespace="default")), user="test")
        controller.settle()
        assert runs == ["x", "x"]


@on_virtual_time
async def test_what_a_reconciler_wants_is_written_and_settles() -> None:
    desk = registry()

    def reconcile(key: Key, view: View, now: datetime) -> Outcome:
        if key.name.startswith("child") or view.get(ConfigMap, "default", f"child-{key.name}"):
            return Outcome()
        return Outcome((Create(config_map(f"child-{key.name}")),))

    controller = Controller(desk, ((ConfigMap, reconcile),), LoopClock(STARTED), lambda _: None)
    async with running(controller):
        desk.create(config_map("x"), user="test")
        controller.settle()
    assert [obj.metadata.name for obj in desk.view.listed(ConfigMap, "default")] == ["child-x", "x"]
    assert controller.settled


@on_virtual_time
async def test_a_reconciler_that_raises_is_reported_and_does_not_stop_the_others() -> None:
    desk, facts, done = registry(), list[Fact](), []

    def broken(key: Key, view: View, now: datetime) -> Outcome:
        raise ValueError("a defect")

    def sound(key: Key, view: View, now: datetime) -> Outcome:
        done.append(key.name)
        return Outcome()

    pairs = ((ConfigMap, broken), (ConfigMap, sound))
    controller = Controller(desk, pairs, LoopClock(STARTED), facts.append)
    async with running(controller):
        desk.create(config_map("x"), user="test")
        controller.settle()
    assert done == ["x"]
    failed, notice = facts
    assert isinstance(failed, ReconcileFailed)
    assert (failed.kind, failed.name, failed.why) == ("ConfigMap", "x", "ValueError('a defect')")
    assert isinstance(notice, Notice)
    assert "ConfigMap default/x" in notice.text
    assert "a defect" in notice.text


@on_virtual_time
async def test_what_a_namespace_that_goes_does_not_take_any_more_is_no_failure() -> None:
    desk, facts = registry(), list[Fact]()
    meta = ObjectMeta(name="shop", finalizers=("example.com/waits",))
    desk.create(Namespace(metadata=meta), user="test")

    def reconcile(key: Key, view: View, now: datetime) -> Outcome:
        if view.get(ConfigMap, "shop", "child"):
            return Outcome()
        child = ConfigMap(metadata=ObjectMeta(name="child", namespace="shop"))
        return Outcome((Create(child),))

    controller = Controller(desk, ((Secret, reconcile),), LoopClock(STARTED), facts.append)
    async with running(controller):
        desk.create(
            Secret(metadata=ObjectMeta(name="x", namespace="shop", finalizers=("a.com/b",))),
            user="test",
        )
        controller.settle()
        desk.delete(Key(ConfigMap, "shop", "child"))
        desk.delete(Key(Namespace, "", "shop"))
        controller.settle()
    assert not facts
    assert controller.settled


@on_virtual_time
async def test_a_deleted_object_keeps_no_notes() -> None:
    desk, runs = registry(), []

    def reconcile(key: Key, view: View, now: datetime) -> Outcome:
        runs.append(key.name)
        view.listed(Secret, "default")
        return Outcome()

    controller = Controller(desk, ((ConfigMap, reconcile),), LoopClock(STARTED), lambda _: None)
    async with running(controller):
        stored = desk.create(config_map("x"), user="test")
        controller.settle()
        desk.update(msgspec.structs.replace(stored, data={"a": "b"}), user="test")
        controller.settle()
        desk.delete(key_of(stored))
        controller.settle()
        runs.clear()
        desk.create(Secret(metadata=ObjectMeta(name="s", namespace="default")), user="test")
        controller.settle()
    assert runs == []
