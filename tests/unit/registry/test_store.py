"""The store's lists: by kind, namespace, label, owner, always sorted."""

from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.secret import Secret
from knlite.kinds.labels import ROUTES
from knlite.kinds.meta import ObjectMeta, OwnerReference
from knlite.reconcile import key_of
from knlite.registry.store import Store


def config_map(name: str, namespace: str = "a", **labels: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace=namespace, labels=labels, uid=name))


def owned_by(owner: ConfigMap, name: str, *, controller: bool = True) -> Secret:
    reference = OwnerReference(
        api_version="v1",
        kind="ConfigMap",
        name=owner.metadata.name,
        uid=owner.metadata.uid,
        controller=controller,
    )
    return Secret(metadata=ObjectMeta(name=name, namespace="a", owner_references=(reference,)))


def names(objects: object) -> list[str]:
    assert isinstance(objects, list)
    return [obj.metadata.name for obj in objects]


def test_lists_are_sorted_and_kept_apart_by_kind_and_namespace() -> None:
    store = Store(Config())
    for obj in (config_map("y"), config_map("x"), config_map("z", "b"), Secret()):
        store.put(obj)
    assert names(store.listed(ConfigMap, "a")) == ["x", "y"]
    assert names(store.listed(ConfigMap, "")) == ["x", "y", "z"]


def test_an_object_leaves_the_lists_of_labels_that_it_loses() -> None:
    store = Store(Config())
    store.put(config_map("x", app="web"))
    assert names(store.labelled(ConfigMap, "a", "app", "web")) == ["x"]
    store.put(config_map("x", app="api"))
    assert names(store.labelled(ConfigMap, "a", "app", "web")) == []
    store.remove(key_of(config_map("x")))
    assert names(store.labelled(ConfigMap, "a", "app", "api")) == []
    assert names(store.everything()) == []


def test_what_was_there_before_anybody_asked_for_a_label_is_found_by_it() -> None:
    store = Store(Config())
    for obj in (config_map("x", app="web"), config_map("y", app="api"), config_map("z")):
        store.put(obj)
    assert names(store.labelled(ConfigMap, "a", "app", "web")) == ["x"]
    store.put(config_map("z", app="web"))
    assert names(store.labelled(ConfigMap, "a", "app", "web")) == ["x", "z"]
    assert names(store.labelled(ConfigMap, "b", "app", "web")) == []


def test_the_controller_is_one_owner_and_deletion_follows_all() -> None:
    store = Store(Config())
    owner = config_map("owner")
    for obj in (owned_by(owner, "s1"), owned_by(owner, "s2", controller=False)):
        store.put(obj)
    assert names(store.owned(Secret, owner)) == ["s1"]
    assert names(store.children("owner")) == ["s1", "s2"]


def test_an_object_stands_in_the_list_of_every_route_that_it_names() -> None:
    store = Store(Config())
    marked = config_map("x")
    meta = replace(marked.metadata, annotations={ROUTES: "blue,green"})
    store.put(replace(marked, metadata=meta))
    store.put(config_map("y"))
    assert names(store.marked(ConfigMap, "a", "blue")) == ["x"]
    assert names(store.marked(ConfigMap, "a", "green")) == ["x"]
    assert names(store.marked(ConfigMap, "b", "green")) == []
    store.put(marked)
    assert names(store.marked(ConfigMap, "a", "blue")) == []
