"""LIKE (Eventing data plane reference §6.5, §6.8)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.cesql.like import pattern_of


@pytest.mark.parametrize(
    ("text", "pattern", "matches"),
    [
        ("", "", True),
        ("a", "", False),
        ("", "%", True),
        ("", "_", False),
        ("order.paid", "order.%", True),
        ("order", "order.%", False),
        ("aXXb", "a%b", True),
        ("ab", "a%b", True),
        ("ab", "ab%ab", False),
        ("aba", "ab%ba", False),
        ("ORDER", "order", False),
        ("xay", "_a_", True),
        ("ä🙂", "__", True),
        ("a%b", "a\\%b", True),
        ("axb", "a\\%b", False),
        ("a_b", "a\\_b", True),
        ("a\\b", "a\\b", True),
        ("a\\", "a\\", True),
        ("a.b", "a.b", True),
        ("axb", "a.b", False),
        ("(a+)*", "(a+)*", True),
        ("a%%b", "a%b", True),
        ("a\nb", "a%b", True),
        ("a\nb", "a_b", True),
        ("xxabcabdyy", "%ab_z%", False),
        ("xxabcabdyy", "%ab_yy", True),
        ("aaaab", "%a_b", True),
        ("one two three", "%_w_%r_e%", True),
        ("abcabc", "%abc%abc%", True),
        ("abcab", "%abc%abc%", False),
    ],
)
def test_what_matches(text: str, pattern: str, matches: bool) -> None:
    assert pattern_of(pattern).matches(text) is matches


@given(st.text("ab%_\\", max_size=8), st.text("ab%_\\", max_size=10))
def test_it_agrees_with_a_regular_expression(pattern: str, text: str) -> None:
    tokens = re.findall(r"\\[%_]|.", pattern)
    translated = "".join(
        ".*" if token == "%" else "." if token == "_" else re.escape(token[-1]) for token in tokens
    )
    assert pattern_of(pattern).matches(text) is bool(re.fullmatch(translated, text, re.DOTALL))


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("%a" * 5_000 + "%b", id="many runs"),
        pytest.param("%" + "a" * 8_000 + "b%", id="a long run"),
        pytest.param("%" + "a_" * 4_000 + "b%", id="a long run with gaps"),
        pytest.param("%" * 10_000 + "b", id="only wildcards"),
        pytest.param("%" + "_a%" * 4_000 + "b", id="many gaps"),
    ],
)
def test_no_pattern_takes_long(pattern: str) -> None:
    # Each would keep a matcher that goes back busy until the tests are given up.
    assert not pattern_of(pattern).matches("a" * 100_000)
