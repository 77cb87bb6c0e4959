"""Who owns which fields, seen from the front desk (Kubernetes "Server-Side Apply")."""

import json
from typing import Any

import pytest

from knlite.errors import Conflict, Invalid, InvalidInput
from knlite.kinds.catalog import read, tree_of
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.labels import LAST_APPLIED
from knlite.kinds.meta import Object
from knlite.kinds.patch.apply import ApplyPatch
from knlite.kinds.patch.jsonpatch import JsonPatch
from knlite.kinds.patch.merge import MergePatch
from knlite.kinds.serving.service import Service
from knlite.reconcile import Key
from knlite.registry.registry import Registry
from knlite.registry.write import Write
from tests.unit.registry.desk import registry

HELLO = Key(Service, "default", "hello")


def service(image: str = "app:1", **template: Any) -> dict[str, Any]:
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "hello", "namespace": "default"},
        "spec": {"template": {**template, "spec": {"containers": [{"image": image}]}}},
    }


def apply(
    desk: Registry, tree: dict[str, Any], manager: str = "kubectl", *, force: bool = False
) -> Object:
    write = Write(manager=manager)
    return desk.patch(HELLO, ApplyPatch(tree, force), user="alice", write=write)


def merge(desk: Registry, tree: dict[str, Any], manager: str) -> Object:
    return desk.patch(HELLO, MergePatch(tree), user="alice", write=Write(manager=manager))


def owners(obj: Object) -> dict[tuple[str, str], Any]:
    return {
        (entry["manager"], entry["operation"]): entry["fieldsV1"]
        for entry in obj.metadata.managed_fields
    }


def test_applying_what_is_absent_creates_it_and_owns_what_was_said() -> None:
    stored = apply(registry(), service())
    assert stored.metadata.generation == 1
    assert owners(stored) == {
        ("kubectl", "Apply"): {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}}
    }


def test_applying_the_same_again_changes_nothing() -> None:
    desk = registry()
    stored = apply(desk, service())
    assert apply(desk, service()) == stored


def test_what_is_applied_no_more_goes_unless_somebody_else_owns_it() -> None:
    desk = registry()
    apply(desk, service(metadata={"annotations": {"a": "1", "b": "2"}}))
    shared = service()
    shared["spec"] = {"template": {"metadata": {"annotations": {"b": "2"}}}}
    apply(desk, shared, "other")
    left = apply(desk, service())
    assert isinstance(left, Service)
    assert left.spec.template.metadata.annotations == {"b": "2"}


def test_a_field_of_somebody_else_is_a_conflict_until_it_is_forced() -> None:
    desk = registry()
    apply(desk, service())
    with pytest.raises(Conflict) as caught:
        apply(desk, service("app:2"), "other")
    field = ".spec.template.spec.containers"
    assert caught.value.what == f'Apply failed with 1 conflict: conflict with "kubectl": {field}'
    (cause,) = caught.value.causes
    assert (cause.reason, cause.message, cause.field) == (
        "FieldManagerConflict",
        'conflict with "kubectl"',
        field,
    )
    forced = apply(desk, service("app:2"), "other", force=True)
    assert set(owners(forced)) == {("other", "Apply")}
    assert forced.metadata.generation == 2


def test_an_update_takes_the_fields_that_it_changes() -> None:
    desk = registry()
    apply(desk, service())
    merge(desk, {"metadata": {"labels": {"x": "y"}}}, "kubectl-label")
    changed = merge(desk, service("app:2"), "kn")
    assert owners(changed) == {
        ("kn", "Update"): {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}},
        ("kubectl-label", "Update"): {"f:metadata": {"f:labels": {"f:x": {}}}},
    }
    with pytest.raises(Conflict, match=r'"kn" using serving.knative.dev/v1 at 2026'):
        apply(desk, service())


def test_what_nobody_kept_a_record_of_is_owned_by_whoever_was_before() -> None:
    desk = registry()
    found = read(service()).value
    assert found is not None
    desk.create(found, user="knlite")
    with pytest.raises(Conflict, match=r'conflict with "before-first-apply" using'):
        apply(desk, service("app:2"))


@pytest.mark.parametrize("value", [[], [{}]])
def test_a_json_patch_can_make_everybody_forgotten(value: list[Any]) -> None:
    desk = registry()
    apply(desk, service())
    patch = JsonPatch([{"op": "replace", "path": "/metadata/managedFields", "value": value}])
    reset = desk.patch(HELLO, patch, user="alice", write=Write(manager="x"))
    assert reset.metadata.managed_fields == ()


def test_a_json_patch_can_rewrite_the_owners() -> None:
    desk = registry()
    stored = apply(desk, service())
    (entry,) = stored.metadata.managed_fields
    patch = JsonPatch(
        [
            {
                "op": "replace",
                "path": "/metadata/managedFields",
                "value": [{**entry, "manager": "renamed"}],
            },
            {
                "op": "replace",
                "path": "/metadata/resourceVersion",
                "value": stored.metadata.resource_version,
            },
        ]
    )
    changed = desk.patch(HELLO, patch, user="alice", write=Write(manager="x"))
    assert set(owners(changed)) == {("renamed", "Apply")}


def test_the_annotation_of_client_side_apply_is_kept_up_to_date() -> None:
    desk = registry()
    tree = service()
    tree["metadata"]["annotations"] = {LAST_APPLIED: "old"}
    found = read(tree).value
    assert found is not None
    desk.create(found, user="alice", write=Write(manager="kubectl-client-side-apply"))
    changed = apply(desk, service("app:2"), force=True)
    assert '"image":"app:2"' in changed.metadata.annotations[LAST_APPLIED]


def test_status_written_by_a_client_is_owned_through_the_subresource() -> None:
    desk = registry()
    apply(desk, service())
    changed = desk.patch(
        HELLO,
        MergePatch({"status": {"url": "http://x"}, "spec": {"template": None}}),
        user="alice",
        write=Write(manager="test"),
        subresource="status",
    )
    assert isinstance(changed, Service)
    assert changed.status.url == "http://x"
    assert changed.spec.template.spec.containers
    entry = next(e for e in changed.metadata.managed_fields if e["manager"] == "test")
    assert entry["subresource"] == "status"
    assert entry["fieldsV1"] == {"f:status": {"f:url": {}}}


@pytest.mark.parametrize(
    ("tree", "error", "text"),
    [
        pytest.param(
            {**service(), "bogus": 1},
            InvalidInput,
            r"failed to create typed patch object \(default/hello; serving.knative.dev/v1,"
            r" Kind=Service\): \.bogus: field not declared in schema",
            id="unknown field",
        ),
        pytest.param(
            {**service(), "apiVersion": "v1"}, InvalidInput, "Incorrect version", id="version"
        ),
        pytest.param(
            {**service(), "spec": {"template": {"spec": {"volumes": [{"name": "a"}] * 2}}}},
            InvalidInput,
            r'\.spec\.template\.spec\.volumes: duplicate entries for key \[name="a"\]',
            id="doubled item",
        ),
        pytest.param(
            {**service(), "spec": {"template": 1}}, Invalid, "must be of type object", id="type"
        ),
    ],
)
def test_what_cannot_be_applied_is_refused(
    tree: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        apply(registry(), tree)


def test_an_apply_must_say_who_applies() -> None:
    with pytest.raises(Invalid, match="fieldManager: Required value"):
        apply(registry(), service(), manager="")


def test_managed_fields_are_part_of_the_document() -> None:
    stored = apply(registry(), service())
    (entry,) = tree_of(stored)["metadata"]["managedFields"]
    assert entry["time"] == "2026-01-02T00:00:00Z"
    assert entry["fieldsType"] == "FieldsV1"


def test_going_over_from_client_side_apply_takes_its_fields_along() -> None:
    desk = registry()
    key = Key(ConfigMap, "default", "c")
    tree: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "namespace": "default"},
        "data": {"a": "1"},
    }
    annotated = {
        **tree,
        "metadata": {**tree["metadata"], "annotations": {LAST_APPLIED: json.dumps(tree)}},
    }
    found = read(annotated).value
    assert found is not None
    desk.create(found, user="alice", write=Write(manager="kubectl-client-side-apply"))
    changed = {**tree, "data": {"a": "2"}}
    with pytest.raises(Conflict):
        desk.patch(key, ApplyPatch(changed), user="a", write=Write(manager="other"))
    applied = desk.patch(key, ApplyPatch(changed), user="a", write=Write(manager="kubectl"))
    assert isinstance(applied, ConfigMap)
    assert applied.data == {"a": "2"}


@pytest.mark.parametrize("manager", ["", "curl"])
@pytest.mark.parametrize("damage", [[1], [{"manager": "x"}], [{"operation": "Apply"}]])
def test_damaged_managed_fields_are_not_stored(damage: list[Any], manager: str) -> None:
    desk = registry()
    stored = apply(desk, service())
    patch = MergePatch({"metadata": {"managedFields": damage, "labels": {"a": "b"}}})
    changed = desk.patch(HELLO, patch, user="a", write=Write(manager=manager))
    assert ("kubectl", "Apply") in owners(changed)
    assert apply(desk, service()).metadata.uid == stored.metadata.uid
