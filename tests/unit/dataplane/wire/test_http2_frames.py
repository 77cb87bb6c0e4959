"""Cutting bytes into frames (RFC 9113 §3.4, §4.1, §6.8)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.dataplane.wire.http2_frames import (
    FRAME_LIMIT,
    PREFACE,
    Cutter,
    Frame,
    Goaway,
    NotAPreface,
    TooLong,
    body_size,
    goaway,
    read_goaway,
)

TALK = (
    PREFACE
    + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    + b"\x00\x00\x03\x00\x01\x80\x00\x00\x05abc"
    + goaway(7, 2, b"why")
)
FRAMES = [
    Frame(4, 0, 0, TALK[24:33]),
    Frame(0, 1, 5, TALK[33:45]),
    Frame(7, 0, 0, TALK[45:]),
]


@given(st.sets(st.integers(min_value=1, max_value=len(TALK) - 1)))
def test_frames_are_the_same_wherever_they_are_split(cuts: set[int]) -> None:
    cutter = Cutter(PREFACE)
    found = []
    for begin, end in pairwise([0, *sorted(cuts), len(TALK)]):
        found += cutter.cut(TALK[begin:end])
    assert found == FRAMES
    assert not cutter.in_head


def test_a_goaway_is_read_as_it_was_written() -> None:
    assert read_goaway(FRAMES[2]) == Goaway(7, 2, b"why")
    assert read_goaway(FRAMES[0]) is None


def test_something_else_than_a_preface_is_seen_at_once() -> None:
    with pytest.raises(NotAPreface):
        list(Cutter(PREFACE).cut(b"GET "))


def test_a_frame_that_is_too_long_is_refused_before_it_has_come() -> None:
    with pytest.raises(TooLong):
        list(Cutter().cut((FRAME_LIMIT + 1).to_bytes(3, "big") + b"\0" * 6))


@pytest.mark.parametrize(
    ("rest", "in_head"),
    [
        pytest.param(b"", False, id="nothing"),
        pytest.param(b"\0\0", True, id="unknown"),
        pytest.param(b"\0\0\5\1", True, id="headers"),
        pytest.param(b"\0\0\5\0\0\0", False, id="data"),
        pytest.param(b"\0\0\5\11\0\0\0\0\1abc", True, id="continuation"),
    ],
)
def test_a_head_that_has_begun_is_noticed(rest: bytes, in_head: bool) -> None:
    cutter = Cutter()
    assert not list(cutter.cut(rest))
    assert cutter.in_head is in_head


@pytest.mark.parametrize(
    ("flags", "payload", "size"),
    [
        pytest.param(0, b"abc", 3, id="plain"),
        pytest.param(8, b"\2abc\0\0", 3, id="padded"),
        pytest.param(8, b"\3\0\0\0", 0, id="only-padding"),
        pytest.param(8, b"\7ab", 0, id="more-padding-than-frame"),
        pytest.param(8, b"", 0, id="empty"),
    ],
)
def test_the_size_of_a_body_is_without_padding(flags: int, payload: bytes, size: int) -> None:
    assert body_size(Frame(0, flags, 1, b"\0" * 9 + payload)) == size
