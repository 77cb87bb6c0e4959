"""What ``--limit`` sets."""

import pytest

from knlite.dataplane.wire.limits import Limits
from knlite.errors import InvalidInput
from knlite.eventlog.bounds import Bounds
from knlite.limits import limits_of, require_known

KINDS = (Limits, Bounds)


def chosen(*texts: str) -> Limits:
    require_known(texts, KINDS)
    return limits_of(Limits, texts)


def test_what_is_not_set_keeps_its_default() -> None:
    assert chosen() == Limits()
    assert chosen("head-bytes=1024", "body-seconds=0.5", "queued-events=7") == Limits(
        head_bytes=1024, body_seconds=0.5
    )


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
        chosen(text)


def test_every_part_takes_its_own() -> None:
    texts = ["head-bytes=1024", "queued-events=7"]
    require_known(texts, KINDS)
    assert limits_of(Bounds, texts) == Bounds(queued_events=7)


def test_no_name_is_used_twice() -> None:
    names = [name for kind in KINDS for name in kind.__dataclass_fields__]
    assert len(names) == len(set(names))
