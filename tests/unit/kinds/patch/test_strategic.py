"""Strategic merge patches, by the directives of the Kubernetes document on them."""

from typing import Any

import pytest

from knlite.errors import InvalidInput
from knlite.kinds.patch.strategic import StrategicPatch


def pod(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "spec": spec}


def patched(before: dict[str, Any], **patch: Any) -> Any:
    return StrategicPatch({"spec": patch}).applied_to(pod(**before))["spec"]


A, B, C = {"name": "a", "image": "1"}, {"name": "b", "image": "1"}, {"name": "c", "image": "1"}


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        pytest.param(
            {"containers": [A, B]},
            {"containers": [{"name": "b", "image": "2"}, C]},
            {"containers": [A, {"name": "b", "image": "2"}, C]},
            id="items are merged by their key",
        ),
        pytest.param(
            {"containers": [A, B]},
            {"containers": [{"name": "a", "$patch": "delete"}]},
            {"containers": [B]},
            id="an item is deleted",
        ),
        pytest.param(
            {"containers": [A, B]},
            {"containers": [{"$patch": "replace"}, C]},
            {"containers": [C]},
            id="a list is replaced",
        ),
        pytest.param(
            {"containers": [A, B]},
            {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]},
            {"containers": [B, A]},
            id="items are ordered",
        ),
        pytest.param(
            {"containers": [A, B, C]},
            {"$setElementOrder/containers": [{"name": "c"}, {"name": "b"}]},
            {"containers": [A, C, B]},
            id="an item that the order leaves out keeps its place",
        ),
        pytest.param(
            {"nodeSelector": {"a": "1", "b": "2"}},
            {"nodeSelector": {"a": None, "c": "3"}},
            {"nodeSelector": {"b": "2", "c": "3"}},
            id="null deletes a member",
        ),
        pytest.param(
            {"nodeSelector": {"a": "1"}},
            {"nodeSelector": {"$patch": "replace", "b": "2"}},
            {"nodeSelector": {"b": "2"}},
            id="a map is replaced",
        ),
        pytest.param(
            {"volumes": [{"name": "v", "emptyDir": {}, "x": 1}]},
            {"volumes": [{"name": "v", "$retainKeys": ["name", "secret"], "secret": {}}]},
            {"volumes": [{"name": "v", "secret": {}}]},
            id="only retained members stay",
        ),
        pytest.param(
            {"containers": [{**A, "args": ["x"]}]},
            {"containers": [{"name": "a", "args": ["y"]}]},
            {"containers": [{**A, "args": ["y"]}]},
            id="a list without a key is replaced",
        ),
        pytest.param(
            {"containers": [{**A, "env": [{"name": "X", "value": "1"}]}]},
            {"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}]}]},
            {
                "containers": [
                    {**A, "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]}
                ]
            },
            id="lists inside of items are merged as well",
        ),
    ],
)
def test_merges(before: dict[str, Any], patch: dict[str, Any], after: dict[str, Any]) -> None:
    assert patched(before, **patch) == after


def test_sets_are_united_and_deleted_from() -> None:
    before = {"apiVersion": "v1", "kind": "Secret", "metadata": {"finalizers": ["a", "b"]}}
    patch = {
        "metadata": {
            "finalizers": ["c"],
            "$deleteFromPrimitiveList/finalizers": ["a"],
            "$setElementOrder/finalizers": ["c", "b"],
        }
    }
    assert StrategicPatch(patch).applied_to(before)["metadata"] == {"finalizers": ["c", "b"]}


@pytest.mark.parametrize(
    "patch", [{"containers": [{"image": "x"}]}, {"containers": {"$patch": "burn"}}]
)
def test_what_makes_no_sense_is_refused(patch: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        patched({"containers": [A]}, **patch)
