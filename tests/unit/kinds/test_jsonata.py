"""What is said of JSONata expressions that are none."""

import sys

import pytest

from knlite.kinds.jsonata import LONGEST, problem


@pytest.mark.parametrize(
    "expression", ["$", "data.name", '{"type": "a", "data": $uppercase(data)}']
)
def test_nothing_is_wrong_with_an_expression(expression: str) -> None:
    assert problem(expression) == ""


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        pytest.param("{ 'a': ", "Expected } before end of expression (S0203, at character", id="}"),
        pytest.param("", "Unexpected end of expression (S0207, at character 0)", id="empty"),
        pytest.param("(" * 20_000, "its parts are nested too deeply", id="deep"),
        pytest.param("1 " * LONGEST, f"it is longer than {LONGEST} characters", id="long"),
        pytest.param("a/" * 9, "it cannot be parsed: ", id="a slip of the parser"),
    ],
)
def test_the_problem_is_told_in_the_parsers_words(expression: str, text: str) -> None:
    assert problem(expression).startswith(text)


def test_the_parser_does_not_change_how_deep_others_may_go() -> None:
    limit = sys.getrecursionlimit()
    problem("data.other")
    assert sys.getrecursionlimit() == limit
