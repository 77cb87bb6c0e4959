"""Whatever a client sends as a patch, it is applied or refused with an error that it can read."""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knlite.errors import KnliteError
from knlite.kinds.catalog import read, tree_of
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.labels import LAST_APPLIED
from knlite.kinds.patch.apply import ApplyPatch
from knlite.kinds.patch.jsonpatch import JsonPatch
from knlite.kinds.patch.merge import MergePatch
from knlite.kinds.patch.strategic import StrategicPatch
from knlite.kinds.serving.service import Service
from knlite.reconcile import Key
from knlite.registry.registry import Patch
from knlite.registry.write import Write
from tests.unit.registry.desk import config_map, registry

NAMES = st.sampled_from(
    [
        *("apiVersion", "kind", "metadata", "name", "namespace", "labels", "annotations"),
        *("managedFields", "finalizers", "ownerReferences", "resourceVersion", "generation"),
        *("spec", "template", "containers", "volumes", "traffic", "status", "data", "image"),
        *("$patch", "$retainKeys", "$setElementOrder/finalizers", "fieldsV1", "f:x", LAST_APPLIED),
        *("$deleteFromPrimitiveList/finalizers", "uid", "deletionTimestamp", "conditions"),
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "v1", "serving.knative.dev/v1", "Service", "ConfigMap", "x", "delete"])
)
TREES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
POINTERS = st.lists(NAMES | st.sampled_from(["0", "-", "01"]), max_size=4).map(
    lambda steps: "".join(f"/{step}" for step in steps)
)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"])},
    optional={"path": POINTERS, "from": POINTERS, "value": TREES},
)
IDENTITY = {
    Service: ("serving.knative.dev/v1", "Service", "hello"),
    ConfigMap: ("v1", "ConfigMap", "x"),
}


HELLO: dict[str, Any] = {
    "apiVersion": "serving.knative.dev/v1",
    "kind": "Service",
    "metadata": {"name": "hello", "namespace": "default", "annotations": {LAST_APPLIED: "{"}},
    "spec": {"template": {"spec": {"containers": [{"image": "app"}]}}},
}


@settings(max_examples=200)
@given(
    data=st.data(),
    kind=st.sampled_from([Service, ConfigMap]),
    manager=st.sampled_from(["", "m", "kubectl"]),
)
def test_no_patch_is_a_surprise(data: st.DataObject, kind: type[Any], manager: str) -> None:
    desk = registry()
    found = read(HELLO).value
    assert found is not None
    desk.create(found, user="a", write=Write(manager="kubectl"))
    desk.create(config_map(k="v"), user="a", write=Write(manager="m"))
    api_version, name_of_kind, name = IDENTITY[kind]
    key = Key(kind, "default", name)

    def patch() -> Patch:
        match data.draw(st.sampled_from(["json", "merge", "strategic", "apply"])):
            case "json":
                return JsonPatch(data.draw(st.lists(OPERATIONS, max_size=4)))
            case "merge":
                return MergePatch(data.draw(TREES))
            case "strategic":
                return StrategicPatch(data.draw(TREES))
            case _:
                tree = data.draw(st.dictionaries(NAMES, TREES, max_size=3))
                named = {"name": name, "namespace": "default"}
                if isinstance(tree.get("metadata"), dict):
                    named = {**tree["metadata"], **named}
                whole = {**tree, "apiVersion": api_version, "kind": name_of_kind, "metadata": named}
                return ApplyPatch(whole, force=data.draw(st.booleans()))

    write = Write(manager=manager, field_validation=data.draw(st.sampled_from(["Strict", "Warn"])))
    for _ in range(2):
        with suppress(KnliteError):
            desk.patch(
                key,
                patch(),
                user="a",
                write=write,
                subresource=data.draw(st.sampled_from(["", "status"])),
            )
        stored = desk.at(key)
        assert stored is None or tree_of(stored)["metadata"]["name"] == name


def test_large_sets_of_fields_take_no_time() -> None:
    desk = registry()
    key = Key(ConfigMap, "default", "x")
    large = {f"k{number}": "" for number in range(20_000)}
    finalizers = [f"example.com/f{number}" for number in range(20_000)]

    def apply(manager: str, data: dict[str, str], held: list[str]) -> None:
        tree = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "x", "namespace": "default", "finalizers": held},
            "data": data,
        }
        desk.patch(key, ApplyPatch(tree), user="a", write=Write(manager=manager))

    for manager in ("one", "two"):
        apply(manager, large, finalizers)
    apply("two", {}, [])
    stored = desk.at(key)
    assert isinstance(stored, ConfigMap)
    assert len(stored.data) == len(stored.metadata.finalizers) == 20_000
    apply("one", {}, [])
    stored = desk.at(key)
    assert isinstance(stored, ConfigMap)
    assert not stored.data
    assert not stored.metadata.finalizers


PLACES = [
    *("metadata", "metadata.annotations", "metadata.labels", "metadata.finalizers"),
    *("metadata.ownerReferences", "metadata.managedFields", "metadata.resourceVersion"),
    *("metadata.uid", "metadata.name", "kind", "apiVersion", "spec", "spec.template", "status"),
    *("spec.template.metadata", "spec.template.spec", "spec.template.spec.volumes"),
    *("spec.template.spec.imagePullSecrets", "spec.traffic", "data", "$patch"),
]
ODD: list[Any] = [
    *(1, "x", True, None),
    *([1], [], [{"a": 1}], [{"name": "a"}, {"name": "a"}]),
    *({"a": 1}, {"a": {"b": [1]}}, {}),
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("manager", ["", "kubectl"])
def test_no_value_in_any_place_is_a_surprise(place: str, manager: str) -> None:
    desk = registry()
    found = read(HELLO).value
    assert found is not None
    desk.create(found, user="a", write=Write(manager="kubectl"))
    desk.create(config_map(k="v"), user="a", write=Write(manager="m"))
    write = Write(manager=manager)
    for value in ODD:
        for key, tree in (
            (Key(Service, "default", "hello"), HELLO),
            (Key(ConfigMap, "default", "x"), {"apiVersion": "v1", "kind": "ConfigMap"}),
        ):
            patches: list[Callable[[Any], Patch]] = [
                MergePatch,
                ApplyPatch,
                lambda odd: ApplyPatch(odd, force=True),
            ]
            if key.kind is ConfigMap:
                patches.append(StrategicPatch)
            for make in patches:
                odd = deepcopy(tree)
                *holders, last = place.split(".")
                spot: Any = odd
                for holder in holders:
                    spot = spot.setdefault(holder, {})
                spot[last] = value
                with suppress(KnliteError):
                    desk.patch(key, make(odd), user="a", write=write)
