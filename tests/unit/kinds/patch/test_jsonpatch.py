"""JSON patches (RFC 6902, appendix A) and what Kubernetes says of those that fail."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.errors import InvalidInput
from knlite.kinds.patch.jsonpatch import JsonPatch
from knlite.kinds.patch.tree import PatchFailed, equal


@pytest.mark.parametrize(
    ("before", "operation", "after"),
    [
        ({"a": 1}, {"op": "add", "path": "/b", "value": 2}, {"a": 1, "b": 2}),
        ({"a": [1, 3]}, {"op": "add", "path": "/a/1", "value": 2}, {"a": [1, 2, 3]}),
        ({"a": [1]}, {"op": "add", "path": "/a/-", "value": 2}, {"a": [1, 2]}),
        ({"a": 1, "b": 2}, {"op": "remove", "path": "/b"}, {"a": 1}),
        ({"a": [1, 2, 3]}, {"op": "remove", "path": "/a/1"}, {"a": [1, 3]}),
        ({"a": {"b": 1}}, {"op": "replace", "path": "/a/b", "value": 2}, {"a": {"b": 2}}),
        ({"a": [{"b": 1}]}, {"op": "replace", "path": "/a/0/b", "value": 2}, {"a": [{"b": 2}]}),
        ({"a": {"b": 1}}, {"op": "move", "from": "/a/b", "path": "/c"}, {"a": {}, "c": 1}),
        ({"a": [1, 2]}, {"op": "move", "from": "/a/0", "path": "/a/1"}, {"a": [2, 1]}),
        (
            {"a": {"b": 1}},
            {"op": "copy", "from": "/a", "path": "/c"},
            {"a": {"b": 1}, "c": {"b": 1}},
        ),
        (
            {"x/y": 1, "m~n": 2},
            {"op": "replace", "path": "/x~1y", "value": 3},
            {"x/y": 3, "m~n": 2},
        ),
        ({"m~n": 2}, {"op": "test", "path": "/m~0n", "value": 2}, {"m~n": 2}),
        ({}, {"op": "test", "path": "/a", "value": None}, {}),
        ({"a": 1}, {"op": "replace", "path": "", "value": {"b": 2}}, {"b": 2}),
    ],
)
def test_applies(before: Any, operation: dict[str, Any], after: Any) -> None:
    assert JsonPatch([operation]).applied_to(before) == after


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "test", "path": "/a", "value": True},
        {"op": "remove", "path": "/zzz"},
        {"op": "replace", "path": "/zzz", "value": 1},
        {"op": "add", "path": "/zzz/x", "value": 1},
        {"op": "add", "path": "/l/5", "value": 1},
        {"op": "remove", "path": "/l/-"},
        {"op": "remove", "path": "/l/01"},
        {"op": "remove", "path": "/l/" + "9" * 5000},
        {"op": "add", "path": "a", "value": 1},
        {"op": "remove", "path": ""},
        {"op": "move", "from": "/a", "path": "/a/b"},
    ],
)
def test_what_cannot_be_applied_fails_as_on_a_cluster(operation: dict[str, Any]) -> None:
    with pytest.raises(PatchFailed, match="the server rejected our request due to an error"):
        JsonPatch([operation]).applied_to({"a": 1, "l": [1]})


def test_neither_the_tree_nor_the_patch_is_changed() -> None:
    tree: Any = {"a": {"b": [1]}}
    patch = JsonPatch(
        [
            {"op": "add", "path": "/a/b/-", "value": {}},
            {"op": "add", "path": "/a/b/1/x", "value": 1},
            {"op": "copy", "from": "/a/b", "path": "/c"},
            {"op": "remove", "path": "/a/b/0"},
        ]
    )
    for _ in range(2):
        assert patch.applied_to(tree) == {"a": {"b": [{"x": 1}]}, "c": [1, {"x": 1}]}
    assert tree == {"a": {"b": [1]}}


@pytest.mark.parametrize("op", ["add", "copy", "move"])
def test_a_patch_cannot_nest_without_end(op: str) -> None:
    operations, path = [], ""
    for _ in range(2_000):
        path += "/a"
        operations.append({"op": "add", "path": path, "value": {}})
    if op == "copy":
        operations = [{"op": "copy", "from": "", "path": "/a"} for _ in range(15)]
        operations += [{"op": "copy", "from": "/a", "path": "/a" * 15} for _ in range(6)]
        operations += [{"op": "copy", "from": "", "path": "/a" * n} for n in range(20, 200, 20)]
    if op == "move":
        operations.append({"op": "move", "from": "/a", "path": "/b"})
    with pytest.raises(PatchFailed):
        JsonPatch(operations).applied_to({})


def test_many_operations_on_a_large_object_take_no_time() -> None:
    tree = {"data": {f"k{number}": "" for number in range(100_000)}}
    each = [{"op": "add", "path": f"/data/k{number}", "value": "x"} for number in range(10_000)]
    assert JsonPatch(each).applied_to(tree)["data"]["k9999"] == "x"


def test_copies_of_copies_do_not_fill_the_memory() -> None:
    grow = [{"op": "copy", "from": "", "path": f"/{n}"} for n in range(60)]
    with pytest.raises(PatchFailed):
        JsonPatch(grow).applied_to({"a": "x"})


@pytest.mark.parametrize(
    "operations",
    [{}, [1], [{"op": "burn", "path": "/a"}], [{"op": "add", "path": "/a"}], [{"op": "copy"}]],
)
def test_what_is_no_patch_is_refused(operations: Any) -> None:
    with pytest.raises(InvalidInput):
        JsonPatch(operations)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(tree=TREES, name=st.text(max_size=3), value=TREES)
def test_adding_then_removing_gives_back_the_tree(tree: Any, name: str, value: Any) -> None:
    before = {"in": tree}
    step = "x" + name.replace("~", "~0").replace("/", "~1")
    patch = JsonPatch(
        [
            {"op": "add", "path": f"/{step}", "value": value},
            {"op": "test", "path": f"/{step}", "value": value},
            {"op": "remove", "path": f"/{step}"},
        ]
    )
    assert equal(patch.applied_to(before), before)
