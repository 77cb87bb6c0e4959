"""What clients may say with a write, and what they are told (Kubernetes API conventions)."""

from typing import Any

import msgspec
import pytest

from knlite.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Invalid,
    InvalidInput,
    KnliteError,
    NotFound,
)
from knlite.kinds.catalog import read
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import Object, ObjectMeta, OwnerReference
from knlite.kinds.patch.jsonpatch import JsonPatch
from knlite.kinds.patch.merge import MergePatch
from knlite.kinds.patch.strategic import StrategicPatch
from knlite.kinds.serving.service import Service
from knlite.reconcile import Key, key_of
from knlite.registry.registry import Notification, Registry
from knlite.registry.write import Write
from tests.unit.registry.desk import config_map, registry

X = Key(ConfigMap, "default", "x")


def with_meta(obj: Object, **changes: Any) -> Any:
    metadata = msgspec.structs.replace(obj.metadata, **changes)
    return msgspec.structs.replace(obj, metadata=metadata)


def owned(name: str, owner: Object, **meta: Any) -> Secret:
    reference = OwnerReference(
        api_version="v1",
        kind=type(owner).__name__,
        name=owner.metadata.name,
        uid=owner.metadata.uid,
        block_owner_deletion=True,
    )
    metadata = ObjectMeta(name=name, namespace="default", owner_references=(reference,), **meta)
    return Secret(metadata=metadata)


def secret(desk: Registry, name: str) -> Secret | None:
    return desk.view.get(Secret, "default", name)


def test_a_dry_run_answers_like_the_real_thing_and_leaves_no_trace() -> None:
    desk = registry()
    told: list[Notification] = []
    before = desk.version
    dry = Write(dry_run=True)
    with desk.listening(told.append):
        made = desk.create(config_map(k="v"), user="a", write=dry)
        assert made.metadata.uid
        assert made.metadata.creation_timestamp
        assert made.metadata.resource_version == ""
        assert desk.at(X) is None
    assert (told, desk.version) == ([], before)

    stored = desk.create(config_map(k="v"), user="a")
    changed = desk.update(config_map(k="w"), user="a", write=dry, exact=True)
    assert changed.data == {"k": "w"}
    assert changed.metadata.resource_version == stored.metadata.resource_version
    assert desk.delete(X, write=dry) == stored
    assert desk.at(X) == stored


def test_a_generated_name_is_short_enough_and_taken_by_nobody() -> None:
    suffixes = iter(["bbbbb", "bbbbb", "ccccc", "ddddd"])
    desk = registry(new_suffix=lambda: next(suffixes))
    generated = ConfigMap(metadata=ObjectMeta(generate_name="x-", namespace="default"))
    names = [desk.create(generated, user="a").metadata.name for _ in range(2)]
    assert names == ["x-bbbbb", "x-ccccc"]
    long = with_meta(generated, generate_name="y" * 80)
    assert desk.create(long, user="a").metadata.name == "y" * 58 + "ddddd"


@pytest.mark.parametrize(
    ("obj", "error", "text"),
    [
        pytest.param(
            config_map(), AlreadyExists, 'configmaps "x" already exists', id="it is there"
        ),
        pytest.param(
            with_meta(config_map("y"), resource_version="1"),
            InvalidInput,
            "resourceVersion should not be set on objects to be created",
            id="it claims to be stored",
        ),
        pytest.param(
            config_map("y", "nowhere"), NotFound, 'namespaces "nowhere" not found', id="nowhere"
        ),
    ],
)
def test_what_cannot_be_created(obj: ConfigMap, error: type[KnliteError], text: str) -> None:
    desk = registry()
    desk.create(config_map(), user="a")
    with pytest.raises(error) as caught:
        desk.create(obj, user="a")
    assert caught.value.what == text


def test_an_update_keeps_what_the_body_does_not_say() -> None:
    desk = registry()
    stored = desk.create(config_map(k="v"), user="a", write=Write(manager="m"))
    changed = desk.update(config_map(k="w"), user="a", exact=True)
    for name in ("uid", "creation_timestamp", "managed_fields"):
        assert getattr(changed.metadata, name) == getattr(stored.metadata, name)
    assert desk.update(config_map(k="w"), user="a", exact=True) == changed


@pytest.mark.parametrize(
    ("meta", "text"),
    [
        (
            {"resource_version": "1"},
            'Operation cannot be fulfilled on configmaps "x": the object has been modified;'
            " please apply your changes to the latest version and try again",
        ),
        (
            {"uid": "other"},
            'Operation cannot be fulfilled on configmaps "x": Precondition failed: UID in'
            " precondition: other, UID in object meta: uid-3",
        ),
    ],
)
def test_an_update_of_another_state_is_a_conflict(meta: dict[str, str], text: str) -> None:
    desk = registry()
    desk.create(config_map(), user="a")
    with pytest.raises(Conflict) as caught:
        desk.update(with_meta(config_map(k="v"), **meta), user="a", exact=True)
    assert caught.value.what == text
    # Reconcilers are run again when what they have read changes; they need no such thing.
    desk.update(with_meta(config_map(k="v"), **meta), user="a")
    with pytest.raises(Conflict, match=r"in the precondition \((1|other)\) does not match"):
        desk.delete(X, **meta)


def test_a_version_in_a_patch_is_a_precondition() -> None:
    desk = registry()
    stored = desk.create(config_map(), user="a")
    version = stored.metadata.resource_version
    patch = MergePatch({"metadata": {"resourceVersion": version}, "data": {"k": "v"}})
    assert desk.patch(X, patch, user="a").metadata.resource_version != version
    with pytest.raises(Conflict, match="the object has been modified"):
        desk.patch(X, patch, user="a")


def test_a_strategic_patch_of_a_core_kind() -> None:
    desk = registry()
    desk.create(config_map(k="v"), user="a")
    changed = desk.patch(X, StrategicPatch({"data": {"$patch": "replace", "n": "1"}}), user="a")
    assert isinstance(changed, ConfigMap)
    assert changed.data == {"n": "1"}


def test_a_patch_cannot_make_another_object() -> None:
    desk = registry()
    desk.create(config_map(), user="a")
    with pytest.raises(InvalidInput, match="the object that results is ConfigMap default/y"):
        desk.patch(X, MergePatch({"metadata": {"name": "y"}}), user="a")


@pytest.mark.parametrize("validation", ["Strict", "Warn", "Ignore"])
def test_unknown_fields_in_a_patch(validation: Any) -> None:
    desk = registry()
    desk.create(config_map(), user="a")
    told: list[str] = []
    write = Write(field_validation=validation, warn=told.append)
    patch = JsonPatch([{"op": "add", "path": "/bogus", "value": 1}])
    if validation == "Strict":
        with pytest.raises(Invalid, match='strict decoding error: unknown field "bogus"'):
            desk.patch(X, patch, user="a", write=write)
    else:
        desk.patch(X, patch, user="a", write=write)
    assert told == (['unknown field "bogus"'] if validation == "Warn" else [])


def test_finalizers_hold_an_object_and_no_new_ones_come() -> None:
    desk = registry()
    stored = desk.create(with_meta(config_map(), finalizers=("a.b/c",)), user="a")
    waiting = desk.delete(X)
    assert waiting.metadata.deletion_timestamp
    with pytest.raises(Invalid, match="no new finalizers can be added") as caught:
        desk.update(with_meta(waiting, finalizers=("a.b/c", "d.e/f")), user="a", exact=True)
    assert caught.value.causes[0].field == "metadata.finalizers"
    desk.patch(X, MergePatch({"metadata": {"finalizers": None}}), user="a")
    assert desk.at(X) is None
    assert stored.metadata.deletion_timestamp is None


def test_orphans_stay_without_an_owner() -> None:
    desk = registry()
    owner = desk.create(config_map(), user="a")
    desk.create(owned("s", owner), user="a")
    desk.delete(X, propagation="Orphan")
    left = secret(desk, "s")
    assert left is not None
    assert left.metadata.owner_references == ()


def test_a_child_of_two_owners_stays_until_both_are_gone() -> None:
    desk = registry()
    one, two = (desk.create(config_map(name), user="a") for name in ("x", "y"))
    both = owned("s", one)
    references = (*both.metadata.owner_references, *owned("s", two).metadata.owner_references)
    desk.create(with_meta(both, owner_references=references), user="a")
    desk.delete(key_of(one))
    assert secret(desk, "s") is not None
    desk.delete(key_of(two))
    assert secret(desk, "s") is None


def test_in_the_foreground_an_owner_waits_for_its_children() -> None:
    desk = registry()
    owner = desk.create(config_map(), user="a")
    desk.create(owned("held", owner, finalizers=("a.b/c",)), user="a")
    desk.create(owned("free", owner), user="a")
    waiting = desk.delete(X, propagation="Foreground")
    assert waiting.metadata.finalizers == ("foregroundDeletion",)
    assert secret(desk, "free") is None
    held = secret(desk, "held")
    assert held is not None
    desk.update(with_meta(held, finalizers=()), user="a")
    assert secret(desk, "held") is None
    assert desk.at(X) is None


@pytest.mark.parametrize("propagation", ["Background", "Foreground", "Orphan"])
def test_an_owner_whose_children_can_go_goes_at_once(propagation: Any) -> None:
    desk = registry()
    owner = desk.create(config_map(), user="a")
    child = desk.create(owned("s", owner), user="a")
    desk.create(owned("t", child), user="a")
    desk.delete(X, propagation=propagation)
    assert desk.at(X) is None
    assert (secret(desk, "t") is None) is (propagation != "Orphan")


def test_a_namespace_waits_for_what_finalizers_hold() -> None:
    desk = registry()
    key = Key(Namespace, "", "shop")
    desk.create(Namespace(metadata=ObjectMeta(name="shop")), user="a")
    desk.create(config_map("free", "shop"), user="a")
    held = desk.create(with_meta(config_map("held", "shop"), finalizers=("a.b/c",)), user="a")
    waiting = desk.delete(key)
    assert isinstance(waiting, Namespace)
    assert waiting.status.phase == "Terminating"
    assert desk.at(Key(ConfigMap, "shop", "free")) is None
    with pytest.raises(Forbidden) as caught:
        desk.create(config_map("new", "shop"), user="a")
    assert caught.value.what == (
        'configmaps "new" is forbidden: unable to create new content in namespace shop because it'
        " is being terminated"
    )
    desk.update(with_meta(held, finalizers=()), user="a")
    assert desk.at(key) is None


@pytest.mark.parametrize("name", ["default", "kube-system"])
def test_some_namespaces_never_go(name: str) -> None:
    desk = registry()
    if name != "default":
        desk.create(Namespace(metadata=ObjectMeta(name=name)), user="a")
    with pytest.raises(Forbidden) as caught:
        desk.delete(Key(Namespace, "", name))
    assert caught.value.what == (
        f'namespaces "{name}" is forbidden: this namespace may not be deleted'
    )


def test_a_collection_is_deleted_as_far_as_it_is_selected() -> None:
    desk = registry()
    for name in ("a", "b", "c"):
        desk.create(config_map(name), user="a")
    gone = desk.delete_collection(
        ConfigMap, "default", predicate=lambda obj: obj.metadata.name != "b"
    )
    assert [obj.metadata.name for obj in gone] == ["a", "c"]
    assert [obj.metadata.name for obj in desk.view.listed(ConfigMap, "default")] == ["b"]


def test_warnings_of_admission_reach_the_author() -> None:
    desk = registry()
    told: list[str] = []
    container = {"image": "app", "securityContext": {"capabilities": {"drop": ["all"]}}}
    tree = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "hello", "namespace": "default"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    found = read(tree).value
    assert isinstance(found, Service)
    desk.create(found, user="a", write=Write(warn=told.append))
    assert any("capabilities.drop" in text for text in told)
