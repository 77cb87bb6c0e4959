"""Marks of requests on the lines of a function's log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.functions.logmark import split


@pytest.mark.parametrize(
    ("line", "parted"),
    [
        pytest.param("plain", ("", "plain"), id="no mark"),
        pytest.param("", ("", ""), id="empty"),
        pytest.param("\x1e5f-1\x1etext", ("5f-1", "text"), id="marked"),
        pytest.param("\x1e5f-1\x1e", ("5f-1", ""), id="marked and empty"),
        pytest.param("\x1ea\x1e\x1eb\x1ec", ("a", "\x1eb\x1ec"), id="only the first counts"),
        pytest.param('\x1e{"a": 1}', ("", '\x1e{"a": 1}'), id="a JSON text sequence"),
        pytest.param("\x1e\x1etext", ("", "\x1e\x1etext"), id="no id"),
        pytest.param("\x1e" + "a" * 200 + "\x1e", ("", "\x1e" + "a" * 200 + "\x1e"), id="too long"),
    ],
)
def test_the_request_and_its_text(line: str, parted: tuple[str, str]) -> None:
    assert split(line) == parted


@given(text=st.text(), request=st.text(st.characters(codec="ascii", categories=["L"]), min_size=1))
def test_what_is_marked_comes_back(text: str, request: str) -> None:
    assert split(f"\x1e{request[:128]}\x1e{text}") == (request[:128], text)
