"""Marks of requests on the lines of a function's log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.functions.logmark import last_words, split


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


def test_the_last_words_are_the_sentence_why_it_cannot_start() -> None:
    lines = ["Traceback", "\x1e!\x1efunc.py line 2 is wrong", "\x1e!\x1e  fix:   x", "\x1ea\x1ez"]
    assert last_words(lines) == ["func.py line 2 is wrong", "  fix:   x"]
    assert split(lines[1]) == ("", "func.py line 2 is wrong")


def test_without_such_a_sentence_they_are_all_that_was_written() -> None:
    assert last_words(["a", "\x1er1\x1eb"]) == ["a", "b"]
