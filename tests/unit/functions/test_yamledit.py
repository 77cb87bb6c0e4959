"""Changing a YAML text: it says what it should, and what need not change stays as it is."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.functions.yamledit import edited, same
from knlite.functions.yamltree import parsed

STYLES = """\
# head
a: one   # beside
b: 'two'

list:   # of a list
- x     # first
-   y
# before z
- "z"
indented:
    - name: n1   # of n1
      value: v1
    # before n2
    - name: n2
      value: |
        many
        lines

    - {name: n3, value: v3}   # flow
map:
  deep:
      deeper: 1   # odd indent
      # last in deeper
  flow: {p: q, r: [s, t]}
empty: []
null:
none: ~
folded: >-
  some
  text
after: end
# tail
"""


def tree_of(text: str) -> dict[str, Any]:
    return deepcopy(dict(parsed(text).tree))


def comments(text: str) -> list[str]:
    return [line.partition("#")[2] for line in text.splitlines() if "#" in line]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("a",), "new"),
        (("b",), "new: with colon"),
        (("list",), ["x", "y", "z", "w"]),
        (("list",), ["v", "x", "y", "z"]),
        (("list", 1), "changed"),
        (("indented", 0, "value"), "v9"),
        (("indented", 0, "extra"), {"k": ["l"]}),
        (("indented", 1, "value"), "short"),
        (("indented", 1, "value"), "again\nmany\n"),
        (("indented", 2, "value"), "in flow"),
        (("map", "deep", "deeper"), 2),
        (("map", "deep", "more"), True),
        (("map", "flow", "p"), "x, y"),
        (("map", "flow"), {"p": "q"}),
        (("map", "new"), [{"a": "b"}, {"c": "d"}]),
        (("empty",), [{"k": "v"}]),
        (("empty",), ["a", "b"]),
        (("null",), "something"),
        (("null",), {"a": "b"}),
        (("none",), ["a"]),
        (("folded",), "other"),
        (("after",), ""),
        (("after",), None),
        (("new",), "# no comment"),
        (("new",), "12"),
    ],
)
def test_one_change_is_one_change(place: tuple[str | int, ...], value: object) -> None:
    target = tree_of(STYLES)
    inner: Any = target
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    result = edited(STYLES, target)
    assert same(parsed(result).tree, target)
    assert [each for each in comments(result) if "no comment" not in each] == comments(STYLES)
    untouched = [line for line in STYLES.splitlines() if line in result.splitlines()]
    assert len(untouched) >= len(STYLES.splitlines()) - 3


@pytest.mark.parametrize("key", list(tree_of(STYLES)))
def test_what_goes_takes_only_itself(key: str) -> None:
    target = tree_of(STYLES)
    del target[key]
    result = edited(STYLES, target)
    assert same(parsed(result).tree, target)
    assert result.startswith("# head\n")
    assert result.endswith("# tail\n")


@pytest.mark.parametrize(
    "text",
    [
        "{a: b, c: d}",
        "a: b",
        "---\na: b\n...\n",
        "a: b\r\nc: d\r\n",
        "? a\n: b\n",
        "a: &x b\nc: *x\n",
    ],
)
def test_unusual_documents_say_what_they_should(text: str) -> None:
    target = {**tree_of(text), "new": ["x"], "a": "changed"}
    assert same(parsed(edited(text, target)).tree, target)


_SCALARS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=12)
_TREES = st.recursive(
    _SCALARS | st.booleans() | st.integers(-9, 9) | st.none(),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "name", "list"]), inner, min_size=1)
    ),
    max_leaves=8,
)
_MAPPINGS = st.dictionaries(st.sampled_from([*tree_of(STYLES), "x", "y"]), _TREES, min_size=1)


@given(target=_MAPPINGS)
def test_any_text_becomes_any_other(target: Mapping[str, object]) -> None:
    assert same(parsed(edited(STYLES, target)).tree, target)


@given(first=_MAPPINGS, second=_MAPPINGS)
def test_changes_of_changes(first: Mapping[str, object], second: Mapping[str, object]) -> None:
    text = edited(edited(STYLES, first), second)
    assert same(parsed(text).tree, second)
    assert edited(text, second) == text
