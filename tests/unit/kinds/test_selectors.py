"""Kubernetes' label selectors, as SinkBinding subjects use them (Eventing reference §8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.selectors import (
    LabelSelector,
    LabelSelectorRequirement,
    matches,
    problems,
)

LABELS = {"app": "shop", "tier": "web"}


def expression(key: str, operator: str, *values: str) -> LabelSelector:
    return LabelSelector(
        match_expressions=(LabelSelectorRequirement(key=key, operator=operator, values=values),)
    )


@pytest.mark.parametrize(
    ("selector", "matched"),
    [
        pytest.param(LabelSelector(), True, id="empty"),
        pytest.param(LabelSelector(match_labels={"app": "shop"}), True, id="equal"),
        pytest.param(LabelSelector(match_labels={"app": "till"}), False, id="differs"),
        pytest.param(LabelSelector(match_labels={"app": "shop", "x": "y"}), False, id="and"),
        pytest.param(expression("app", "In", "till", "shop"), True, id="in"),
        pytest.param(expression("x", "In", "y"), False, id="in-absent"),
        pytest.param(expression("app", "NotIn", "shop"), False, id="not-in"),
        pytest.param(expression("x", "NotIn", "y"), True, id="not-in-absent"),
        pytest.param(expression("tier", "Exists"), True, id="exists"),
        pytest.param(expression("x", "Exists"), False, id="exists-absent"),
        pytest.param(expression("x", "DoesNotExist"), True, id="does-not-exist"),
        pytest.param(expression("app", "Is", "shop"), False, id="unknown-operator"),
    ],
)
def test_selects_by_labels(selector: LabelSelector, matched: bool) -> None:
    assert matches(selector, LABELS) is matched


@given(st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz")))
def test_not_in_is_the_opposite_of_in(labels: dict[str, str]) -> None:
    inside = matches(expression("a", "In", "x", "y"), labels)
    assert matches(expression("a", "NotIn", "x", "y"), labels) is not inside


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        pytest.param(
            expression("app", "Is"), '"Is" is not a valid label selector operator', id="operator"
        ),
        pytest.param(
            expression("app", "In"),
            "values: Invalid value: []string{}: for 'in', 'notin' operators, values set can't be"
            " empty",
            id="in-without-values",
        ),
        pytest.param(
            expression("app", "Exists", "x"),
            'values: Invalid value: []string{"x"}: values set must be empty for exists and does'
            " not exist",
            id="exists-with-values",
        ),
    ],
)
def test_says_why_a_selector_cannot_be_evaluated(selector: LabelSelector, text: str) -> None:
    assert problems(selector) == (text,)


def test_keys_and_values_must_be_those_of_labels() -> None:
    (key,) = problems(LabelSelector(match_labels={"-": "x"}))
    (value,) = problems(LabelSelector(match_labels={"app": "-"}))
    assert key.startswith('key: Invalid value: "-": name part must consist of alphanumeric')
    assert value.startswith('values[0][app]: Invalid value: "-": a valid label must be an empty')
