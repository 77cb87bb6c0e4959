"""Computed objects are read and watched like stored ones (``docs/adr/0020``)."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.errors import AlreadyExists, Forbidden
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.secret import Secret
from knlite.kinds.core.serviceaccount import ServiceAccount
from knlite.kinds.derivedmeta import newest
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.names import child_name
from knlite.reconcile import Key, View
from knlite.registry.derived import ChildOf, Fixed
from knlite.registry.registry import Registry

LONG = "a-name-that-leaves-no-room-for-what-is-put-behind-it-in-a-label"


def made(parent: ConfigMap, view: View) -> ServiceAccount:
    """Carries what its parent says, and how many Secrets belong to that."""
    meta = parent.metadata
    secrets = view.labelled(Secret, meta.namespace, "of", meta.name)
    labels = {"said": parent.data.get("said", ""), "secrets": str(len(secrets))}
    name = child_name(meta.name, "-sa")
    version = newest(parent, *secrets)
    return ServiceAccount(
        metadata=ObjectMeta(
            name=name, namespace=meta.namespace, labels=labels, resource_version=version
        )
    )


@pytest.fixture
def registry() -> Registry:
    return opened()


def opened() -> Registry:
    uids = count(1)
    child = ChildOf(
        kind=ServiceAccount,
        parent=ConfigMap,
        suffix="-sa",
        made=made,
        inputs={Secret: lambda secret: secret.metadata.labels.get("of", "")},
    )
    standing = ServiceAccount(metadata=ObjectMeta(name="always", namespace="shop"))
    registry = Registry(
        wall=lambda: datetime(2026, 1, 2, tzinfo=UTC),
        new_uid=lambda: f"uid-{next(uids)}",
        overrides={},
        external_port=8080,
        derivations=(child, Fixed(ServiceAccount, (standing,))),
    )
    registry.create(Namespace(metadata=ObjectMeta(name="shop")), user="test")
    return registry


def config(registry: Registry, name: str = "a", said: str = "hello") -> None:
    obj = ConfigMap(metadata=ObjectMeta(name=name, namespace="shop"), data={"said": said})
    registry.apply(obj, user="test")


def secret(registry: Registry, name: str, of: str = "a") -> None:
    meta = ObjectMeta(name=name, namespace="shop", labels={"of": of})
    registry.create(Secret(metadata=meta), user="test")


def names(registry: Registry) -> list[str]:
    return [obj.metadata.name for obj in registry.view.listed(ServiceAccount, "shop")]


def account(registry: Registry, name: str = "a-sa") -> ServiceAccount | None:
    return registry.view.get(ServiceAccount, "shop", name)


def test_a_child_is_there_as_long_as_its_parent(registry: Registry) -> None:
    assert names(registry) == ["always"]
    config(registry)
    assert names(registry) == ["a-sa", "always"]
    found = account(registry)
    assert found is not None
    assert found.metadata.labels["said"] == "hello"
    registry.delete(Key(ConfigMap, "shop", "a"))
    assert names(registry) == ["always"]
    assert account(registry) is None


def test_stored_ones_of_the_kind_stand_among_them_and_go_before(registry: Registry) -> None:
    for name in ("a-sa", "b"):
        meta = ObjectMeta(name=name, namespace="shop", labels={"said": "stored"})
        registry.create(ServiceAccount(metadata=meta), user="test")
    config(registry)
    assert names(registry) == ["a-sa", "always", "b"]
    found = account(registry)
    assert found is not None
    assert found.metadata.labels == {"said": "stored"}


def test_the_name_of_a_computed_one_is_taken(registry: Registry) -> None:
    config(registry)
    meta = ObjectMeta(name="a-sa", namespace="shop")
    with pytest.raises(AlreadyExists):
        registry.create(ServiceAccount(metadata=meta), user="test")


def test_a_name_that_was_shortened_is_found(registry: Registry) -> None:
    config(registry, LONG)
    name = child_name(LONG, "-sa")
    assert LONG not in name
    assert account(registry, name) is not None
    assert account(registry, name[:-4] + "x-sa") is None


def test_reconcilers_do_not_see_them_and_nobody_writes_them(registry: Registry) -> None:
    config(registry)
    assert registry.recording_view().listed(ServiceAccount, "shop") == []
    found = account(registry)
    assert found is not None
    with pytest.raises(Forbidden):
        registry.update(found, user="test")


def test_its_version_grows_when_something_it_is_made_of_goes(registry: Registry) -> None:
    config(registry)
    secret(registry, "one")
    before = account(registry)
    registry.delete(Key(Secret, "shop", "one"))
    after = account(registry)
    assert before is not None
    assert after is not None
    assert after.metadata.labels["secrets"] == "0"
    assert int(after.metadata.resource_version) > int(before.metadata.resource_version)
    assert int(after.metadata.resource_version) <= registry.version


def test_a_watch_tells_of_what_changes_and_of_nothing_else(registry: Registry) -> None:
    watch = registry.watch(ServiceAccount, "shop")
    assert [event.obj.metadata.name for event in watch.initial] == ["always"]
    config(registry)
    config(registry, said="again")
    secret(registry, "other", of="nobody")
    config(registry, "b")
    registry.delete(Key(ConfigMap, "shop", "a"))
    told = [(event.type, event.obj.metadata.name) for event in watch.available()]
    assert told == [
        ("ADDED", "a-sa"),
        ("MODIFIED", "a-sa"),
        ("ADDED", "b-sa"),
        ("DELETED", "a-sa"),
    ]


def test_a_watch_after_a_list_misses_nothing_between_the_two(registry: Registry) -> None:
    for name in ("a", "b", "c"):
        config(registry, name)
    listed = registry.version
    config(registry, "a", said="again")
    registry.delete(Key(ConfigMap, "shop", "b"))
    watch = registry.watch(ServiceAccount, "shop", since=listed)
    told = [(event.type, event.obj.metadata.name) for event in watch.initial]
    assert told == [("ADDED", "a-sa"), ("DELETED", "b-sa")]
    assert watch.available() == []


def test_what_changes_without_a_stored_object_is_told_when_its_keeper_says_so() -> None:
    kept: dict[str, ServiceAccount] = {}

    class Keeper:
        kind: type[Object] = ServiceAccount

        def get(self, view: View, namespace: str, name: str) -> Object | None:
            return kept.get(name)

        def listed(self, view: View, namespace: str) -> list[Object]:
            return list(kept.values())

        def following(self, obj: Object) -> tuple[Key, ...]:
            return ()

    registry = Registry(
        wall=lambda: datetime(2026, 1, 2, tzinfo=UTC),
        new_uid=lambda: "uid",
        overrides={},
        external_port=8080,
        derivations=(Keeper(),),
    )
    watch = registry.watch(ServiceAccount, "")
    version = str(registry.next_version())
    meta = ObjectMeta(name="x", namespace="shop", resource_version=version)
    kept["x"] = ServiceAccount(metadata=meta)
    registry.derived_changed(Key(ServiceAccount, "shop", "x"))
    assert [event.type for event in watch.available()] == ["ADDED"]
    kept.clear()
    registry.derived_changed(Key(ServiceAccount, "shop", "x"))
    assert [event.type for event in watch.available()] == ["DELETED"]


def say(registry: Registry, name: str) -> None:
    config(registry, name, said=str(registry.version))


def end(registry: Registry, name: str) -> None:
    key = Key(ConfigMap, "shop", name)
    if registry.at(key) is not None:
        registry.delete(key)


def hide(registry: Registry, name: str) -> None:
    secret(registry, f"s{registry.version}", of=name)


def find(registry: Registry, name: str) -> None:
    for each in registry.view.labelled(Secret, "shop", "of", name)[:1]:
        registry.delete(Key(Secret, "shop", each.metadata.name))


STEPS: tuple[Callable[[Registry, str], None], ...] = (say, end, hide, find)


@given(
    steps=st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from("abc")), max_size=20),
    begin=st.integers(0, 20),
)
def test_a_watcher_knows_in_the_end_what_there_is(
    steps: list[tuple[Callable[[Registry, str], None], str]], begin: int
) -> None:
    registry = opened()
    for step, name in steps[:begin]:
        step(registry, name)
    known = {obj.metadata.name: obj for obj in registry.view.listed(ServiceAccount, "")}
    watch = registry.watch(ServiceAccount, "", since=registry.version)
    for step, name in steps[begin:]:
        step(registry, name)
    versions = []
    for event in (*watch.initial, *watch.available()):
        versions.append(int(event.obj.metadata.resource_version or 0))
        if event.type == "DELETED":
            known.pop(event.obj.metadata.name)
        else:
            assert isinstance(event.obj, ServiceAccount)
            known[event.obj.metadata.name] = event.obj
    assert versions == sorted(versions)
    now = {obj.metadata.name: obj for obj in registry.view.listed(ServiceAccount, "")}
    assert {n: o.metadata.labels for n, o in known.items()} == {
        n: o.metadata.labels for n, o in now.items()
    }
