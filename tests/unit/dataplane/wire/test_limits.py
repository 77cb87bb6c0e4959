"""What ``--limit`` sets."""

import pytest

from knlite.dataplane.wire.limits import Limits, limits
from knlite.errors import InvalidInput


def test_what_is_not_set_keeps_its_default() -> None:
    assert limits(()) == Limits()
    chosen = limits(["head-bytes=1024", "body-seconds=0.5"])
    assert chosen == Limits(head_bytes=1024, body_seconds=0.5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("head_bytes=1", "the limits are head-bytes"),
        ("head-bytes", "the limits are head-bytes"),
        ("head-bytes=many", "'many' is not a positive whole number"),
        ("body-seconds=-1", "'-1' is not a positive number of seconds"),
        ("body-seconds=nan", "'nan' is not a positive number of seconds"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        limits([text])
