"""Sets of fields and their form in managed fields (Kubernetes FieldsV1)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.patch.fieldset import (
    Damaged,
    NotTyped,
    compared,
    decoded,
    encoded,
    leaves,
    merged,
    shown,
    without,
)
from knlite.kinds.patch.shapes import PLAIN, shape_of
from knlite.kinds.patch.tree import equal

POD = shape_of("", "Pod")
TREE = {
    "metadata": {"labels": {"a": "1"}, "finalizers": ["x/y"]},
    "spec": {
        "nodeSelector": {"disk": "ssd"},
        "containers": [
            {
                "name": "c",
                "args": ["1", "2"],
                "ports": [{"containerPort": 80}],
                "env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
            }
        ],
    },
}


def test_a_document_in_the_form_of_managed_fields() -> None:
    item = 'k:{"name":"c"}'
    assert encoded(frozenset(leaves(TREE, POD))) == {
        "f:metadata": {"f:labels": {"f:a": {}}, "f:finalizers": {'v:"x/y"': {}}},
        "f:spec": {
            "f:nodeSelector": {},
            "f:containers": {
                item: {
                    ".": {},
                    "f:name": {},
                    "f:args": {},
                    "f:ports": {
                        'k:{"containerPort":80,"protocol":"TCP"}': {
                            ".": {},
                            "f:containerPort": {},
                        }
                    },
                    "f:env": {
                        'k:{"name":"E"}': {
                            ".": {},
                            "f:name": {},
                            "f:valueFrom": {"f:secretKeyRef": {}},
                        }
                    },
                }
            },
        },
    }


def test_lists_of_custom_kinds_are_one_field() -> None:
    tree = {"spec": {"template": {"spec": TREE["spec"]}, "traffic": [{"percent": 100}]}}
    found = leaves(tree, shape_of("serving.knative.dev", "Service"))
    assert {shown(path) for path in found} == {
        ".spec.template.spec.containers",
        ".spec.template.spec.nodeSelector",
        ".spec.traffic",
    }


def test_paths_are_shown_as_conflicts_name_them() -> None:
    found = {shown(path) for path in leaves(TREE, POD)}
    assert '.spec.containers[name="c"].args' in found
    assert '.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"]' in found
    assert '.metadata.finalizers[="x/y"]' in found


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([{"name": "a"}, {"name": "a"}], r'duplicate entries for key \[name="a"\]'),
        ([{"image": "a"}], "has an element that omits key field"),
        (["a"], "has an element that omits key field"),
    ],
)
def test_items_that_cannot_be_told_apart(items: list[Any], text: str) -> None:
    with pytest.raises(NotTyped, match=text):
        leaves({"spec": {"containers": items}}, POD, strict=True)


def test_stored_items_that_cannot_be_told_apart_are_one_field() -> None:
    twice = {"spec": {"volumes": [{"name": "a"}, {"name": "a"}]}}
    (path,) = leaves(twice, POD)
    assert shown(path) == ".spec.volumes"
    once = {"spec": {"volumes": [{"name": "a"}]}}
    assert merged(twice, once, POD) == once
    assert without(twice, {("f:spec", "f:volumes")}, POD) == {}


@pytest.mark.parametrize(
    "tree", [[], {"x": {}}, {"f:a": 1}, {"f:a": {"f:b": []}}, {"f:" + "a" * 9: {"zz": {}}}]
)
def test_what_is_no_set_of_fields(tree: Any) -> None:
    with pytest.raises(Damaged):
        decoded(tree)


def test_merging_items_keeps_the_order_of_the_newer_document() -> None:
    def pod(*names: str) -> dict[str, Any]:
        return {"spec": {"containers": [{"name": name} for name in names]}}

    assert merged(pod("a", "b"), pod("b", "a"), POD) == pod("b", "a")
    assert merged(pod("a", "b"), pod("c"), POD) == pod("a", "b", "c")


def test_taking_a_field_away_takes_the_empty_rest_along() -> None:
    path = next(each for each in leaves(TREE, POD) if shown(each) == ".metadata.labels.a")
    assert without(TREE, {path}, POD)["metadata"] == {"finalizers": ["x/y"]}


NAMES = st.sampled_from("abc")
DOCUMENTS = st.dictionaries(
    NAMES,
    st.recursive(
        st.integers(0, 2) | st.lists(st.integers(0, 2), max_size=2),
        lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=2),
        max_leaves=5,
    ),
    max_size=3,
)


@given(tree=DOCUMENTS)
def test_a_set_survives_its_form(tree: dict[str, Any]) -> None:
    paths = frozenset(leaves(tree, PLAIN))
    assert decoded(encoded(paths)) == paths


@given(old=DOCUMENTS, new=DOCUMENTS)
def test_after_merging_all_that_the_newer_document_says_holds(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    result = leaves(merged(old, new, PLAIN), PLAIN)
    for path, value in leaves(new, PLAIN).items():
        assert equal(result[path], value)


@given(old=DOCUMENTS, new=DOCUMENTS)
def test_what_was_added_can_be_taken_away_again(old: dict[str, Any], new: dict[str, Any]) -> None:
    both = merged(old, new, PLAIN)
    change = compared(leaves(old, PLAIN), leaves(both, PLAIN))
    if not change.modified and not change.removed:
        assert equal(without(both, change.added, PLAIN), old)
