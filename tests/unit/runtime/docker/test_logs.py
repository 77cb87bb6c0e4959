"""The engine's attached stream, cut into lines (Docker Engine API, stream format)."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from knlite.runtime.docker.logs import LINE_BYTES, Demultiplexer


def frame(number: int, data: bytes) -> bytes:
    return bytes([number, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def read(*parts: bytes) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    reader = Demultiplexer(lambda stream, text: lines.append((stream, text)))
    for part in parts:
        reader.feed(part)
    reader.close()
    return lines


def test_streams_are_told_apart() -> None:
    assert read(frame(1, b"out\n") + frame(2, b"err\n")) == [("stdout", "out"), ("stderr", "err")]


def test_a_line_may_span_frames_while_the_other_stream_speaks() -> None:
    parts = frame(1, b"be") + frame(2, b"oops\n") + frame(1, b"gin\n")
    assert read(parts) == [("stderr", "oops"), ("stdout", "begin")]


def test_last_words_without_a_line_end_are_kept() -> None:
    assert read(frame(2, b"a\nlast")) == [("stderr", "a"), ("stderr", "last")]


def test_a_line_without_end_is_handed_on_in_pieces() -> None:
    lines = read(frame(1, b"x" * (2 * LINE_BYTES + 1)))
    assert [len(text) for _, text in lines] == [LINE_BYTES, LINE_BYTES, 1]


def test_what_is_no_utf8_still_arrives() -> None:
    assert read(frame(1, b"\xff\r\n")) == [("stdout", "\N{REPLACEMENT CHARACTER}")]


@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=20))),
    st.lists(st.integers(min_value=0, max_value=400)),
)
def test_where_the_connection_cuts_changes_nothing(
    frames: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    whole = b"".join(frame(number, data) for number, data in frames)
    edges = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    assert read(*(whole[a:b] for a, b in itertools.pairwise(edges))) == read(whole)
