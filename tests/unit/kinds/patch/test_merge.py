"""JSON merge patches (RFC 7386, appendix A)."""

from typing import Any

import pytest

from knlite.errors import InvalidInput
from knlite.kinds.patch.merge import MergePatch


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ([1], {"a": "b"}, {"a": "b"}),
    ],
)
def test_merges(before: Any, patch: Any, after: Any) -> None:
    assert MergePatch(patch).applied_to(before) == after


def test_only_an_object_is_a_patch() -> None:
    with pytest.raises(InvalidInput):
        MergePatch(["a"])
