"""Watches: what clients are told after a list (Kubernetes API concepts; clients-api Part 5)."""

from datetime import UTC, datetime, timedelta

import anyio
import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from knlite.errors import Expired
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import Object, ObjectMeta
from knlite.reconcile import Key, key_of
from knlite.registry.registry import Registry
from knlite.registry.watch import Change, Predicate, Watch, WatchEvent, Window
from tests.unit.registry.desk import config_map, registry

NAMESPACES = ("default", "knative-serving")


def marked(obj: Object) -> bool:
    return obj.metadata.labels.get("mark") == "yes"


def version_of(obj: Object) -> int:
    return int(obj.metadata.resource_version)


def told(watch: Watch) -> list[tuple[str, str]]:
    return [(event.type, event.obj.metadata.name) for event in watch.available()]


def write(desk: Registry, name: str, namespace: str = "default", **labels: str) -> None:
    """Make the ConfigMap of that name carry *labels*."""
    metadata = ObjectMeta(name=name, namespace=namespace, labels=labels)
    obj = ConfigMap(metadata=metadata)
    if desk.at(key_of(obj)) is None:
        desk.create(obj, user="test")
    else:
        desk.update(obj, user="test")


class Client:
    """Keeps a copy of what it watches, as clients' caches do."""

    def __init__(
        self, desk: Registry, namespace: str, predicate: Predicate | None, *, listed: bool
    ) -> None:
        self.desk, self.namespace, self.predicate = desk, namespace, predicate
        self.copy: dict[Key, Object] = {}
        self.last = desk.version
        if listed:
            self.copy = self.truth()
            self.watch = desk.watch(
                ConfigMap, namespace, since=desk.version or None, predicate=predicate
            )
        else:
            self.watch = desk.watch(ConfigMap, namespace, predicate=predicate)
            for event in self.watch.initial:
                assert event.type == "ADDED"
                self.copy[key_of(event.obj)] = event.obj

    def truth(self) -> dict[Key, Object]:
        found = self.desk.view.listed(ConfigMap, self.namespace)
        wanted = self.predicate or (lambda _obj: True)
        return {key_of(obj): obj for obj in found if wanted(obj)}

    def read(self) -> None:
        for event in self.watch.available():
            self.take(event)

    def take(self, event: WatchEvent) -> None:
        key, version = key_of(event.obj), version_of(event.obj)
        assert version > self.last, "events come in the order of their versions, once"
        self.last = version
        assert (event.type == "ADDED") is (key not in self.copy)
        if event.type == "DELETED":
            del self.copy[key]
        else:
            self.copy[key] = event.obj


class Watching(RuleBasedStateMachine):
    """Any changes, any clients, reading whenever they like: nothing is lost or out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = registry()
        self.clients: list[Client] = []

    @rule(
        name=st.sampled_from("abc"),
        namespace=st.sampled_from(NAMESPACES),
        labels=st.dictionaries(st.just("mark"), st.sampled_from(["yes", "no"])),
    )
    def write(self, name: str, namespace: str, labels: dict[str, str]) -> None:
        write(self.desk, name, namespace, **labels)

    @rule(name=st.sampled_from("abc"), namespace=st.sampled_from(NAMESPACES))
    def delete(self, name: str, namespace: str) -> None:
        key = Key(ConfigMap, namespace, name)
        if self.desk.at(key) is not None:
            self.desk.delete(key)

    @rule()
    def write_another_kind(self) -> None:
        secret = Secret(metadata=ObjectMeta(name="s", namespace="default"))
        if self.desk.at(key_of(secret)) is None:
            self.desk.create(secret, user="test")
        else:
            self.desk.delete(key_of(secret))

    @rule(
        namespace=st.sampled_from(("", *NAMESPACES)),
        predicate=st.sampled_from([None, marked]),
        listed=st.booleans(),
    )
    def watch(self, namespace: str, predicate: Predicate | None, listed: bool) -> None:
        self.clients.append(Client(self.desk, namespace, predicate, listed=listed))

    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        if self.clients:
            data.draw(st.sampled_from(self.clients)).read()

    @invariant()
    def who_has_read_everything_knows_everything(self) -> None:
        for client in self.clients[-2:]:
            client.read()
            assert client.copy == client.truth()
            assert client.watch.version == self.desk.version

    def teardown(self) -> None:
        for client in self.clients:
            client.read()
            assert client.copy == client.truth()


TestWatching = Watching.TestCase
TestWatching.settings = settings(max_examples=40, stateful_step_count=30)


def test_a_watch_from_a_version_tells_what_came_after_it() -> None:
    desk = registry()
    write(desk, "a")
    version = desk.version
    write(desk, "b")
    desk.delete(Key(ConfigMap, "default", "a"))
    watch = desk.watch(ConfigMap, "default", since=version)
    assert watch.initial == ()
    assert told(watch) == [("ADDED", "b"), ("DELETED", "a")]


@pytest.mark.parametrize("since", [None, 0])
def test_a_watch_from_nowhere_begins_with_what_exists(since: int | None) -> None:
    desk = registry()
    write(desk, "a")
    watch = desk.watch(ConfigMap, "", since=since)
    assert [event.obj.metadata.name for event in watch.initial] == ["a"]
    assert told(watch) == []


def test_a_deletion_has_the_last_state_and_a_version_of_its_own() -> None:
    desk = registry()
    stored = desk.create(config_map(k="v"), user="test")
    watch = desk.watch(ConfigMap, "", since=desk.version)
    desk.delete(key_of(stored))
    (event,) = watch.available()
    assert isinstance(event.obj, ConfigMap)
    assert event.obj.data == {"k": "v"}
    assert version_of(event.obj) == desk.version > version_of(stored)


def test_what_ceases_to_be_selected_is_told_as_its_end_in_the_state_before() -> None:
    desk = registry()
    write(desk, "a", mark="yes")
    watch = desk.watch(ConfigMap, "", since=desk.version, predicate=marked)
    write(desk, "a", mark="no")
    write(desk, "a", mark="no", more="1")
    write(desk, "a", mark="yes")
    events = watch.available()
    assert [event.type for event in events] == ["DELETED", "ADDED"]
    assert marked(events[0].obj)
    assert version_of(events[0].obj) < version_of(events[1].obj)


def test_a_version_of_the_future_is_as_bad_as_one_of_long_ago() -> None:
    desk = registry()
    with pytest.raises(Expired, match=r"too old resource version: 999 \(2\)"):
        desk.watch(ConfigMap, "", since=999)


def change(version: int, at: datetime) -> Change:
    meta = ObjectMeta(name="x", namespace="default", resource_version=str(version))
    return Change(version, at, None, ConfigMap(metadata=meta))


def reader(window: Window, since: int, version: int) -> Watch:
    return window.watch(
        ConfigMap, "", since=since, version=lambda: version, predicate=None, present=None
    )


START = datetime(2026, 1, 2, tzinfo=UTC)


def test_the_window_forgets_what_is_old_but_nothing_of_the_last_eleven_minutes() -> None:
    window = Window()
    for minute in range(30):
        window.append(ConfigMap, change(minute + 1, START + timedelta(minutes=minute)))
    assert len(reader(window, 19, 30).available()) == 11
    with pytest.raises(Expired, match=r"too old resource version: 5 \(17\)"):
        reader(window, 5, 30)


def test_a_kind_that_changes_all_the_time_does_not_push_out_the_others() -> None:
    window = Window(kept=100)
    window.append(Secret, change(1, START))
    for version in range(2, 5_000):
        window.append(ConfigMap, change(version, START))
    assert len(reader(window, 4_900, 5_000).available()) == 99
    secrets = window.watch(Secret, "", since=0, version=lambda: 5_000, predicate=None, present=None)
    assert len(secrets.available()) == 1


def test_a_reader_that_falls_too_far_behind_is_told_so() -> None:
    window = Window(kept=10)
    watch = reader(window, 0, 0)
    for version in range(1, 12):
        window.append(ConfigMap, change(version, START))
    with pytest.raises(Expired):
        watch.available()


def test_updates_of_a_thousand_objects_reach_every_waiting_reader() -> None:
    desk = registry()
    names = [f"c{number}" for number in range(1_000)]
    for name in names:
        write(desk, name)
    clients = [Client(desk, "", None, listed=True) for _ in range(5)]

    async def follow(client: Client) -> None:
        async for event in client.watch:
            client.take(event)
            if event.obj.metadata.name == "last":
                return

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for client in clients:
                group.start_soon(follow, client)
            for second in range(10):
                for number in range(100):
                    write(desk, names[(second * 100 + number) % 1_000], mark=str(second))
                # A turn for everybody else; how many changes they find then must not matter.
                await anyio.lowlevel.checkpoint()
            write(desk, "last")

    anyio.run(main)
    for client in clients:
        assert client.copy == client.truth()


def test_a_watcher_is_not_woken_by_other_kinds() -> None:
    desk = registry()
    watch = desk.watch(ConfigMap, "", since=desk.version)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            found: list[WatchEvent] = []

            async def wait() -> None:
                found.extend(await watch.changes())

            group.start_soon(wait)
            await anyio.lowlevel.checkpoint()
            secret = Secret(metadata=ObjectMeta(name="s", namespace="default"))
            desk.create(secret, user="test")
            desk.update(msgspec.structs.replace(secret, data={"k": "dg=="}), user="test")
            await anyio.wait_all_tasks_blocked()
            assert not found
            write(desk, "a")

    anyio.run(main)
