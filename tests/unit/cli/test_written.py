"""The event that a person writes on the command line."""

import io
import os
from pathlib import Path
from typing import Any

import pytest

from knlite.cli.written import written_event
from knlite.errors import InvalidInput
from knlite.eventing.cloudevent import CloudEvent

LEAST = {"type": "t", "source": "/s"}


def written(data: str = "", **changes: Any) -> CloudEvent:
    options: dict[str, Any] = {"extensions": [], "content_type": "", **changes}
    return written_event({**LEAST, "subject": "", "id": ""}, data=data, **options)


def test_an_event_without_data_has_an_id_and_a_time() -> None:
    event = written()
    assert (event.data, event.content_type, len(event.id)) == (None, None, 12)
    assert event.attributes["time"].endswith("Z")
    assert "subject" not in event.attributes
    assert written().id != event.id


@pytest.mark.parametrize(
    ("data", "kind"),
    [('{"a": 1}', "application/json"), ("7", "application/json"), ("hello", "text/plain")],
)
def test_the_data_says_what_it_is(data: str, kind: str) -> None:
    event = written(data)
    assert (event.data, event.content_type) == (data.encode(), kind)
    assert written(data, content_type="a/b").content_type == "a/b"


def test_data_may_come_from_a_file_or_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"\xff\x00")
    event = written(f"@{path}")
    assert (event.data, event.content_type) == (b"\xff\x00", "application/octet-stream")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"piped")))
    assert written("@-").data == b"piped"


def test_bytes_that_are_no_text_may_be_data_but_no_attribute() -> None:
    event = written(os.fsdecode(b"\xff"))
    assert (event.data, event.content_type) == (b"\xff", "application/octet-stream")
    with pytest.raises(InvalidInput) as refused:
        written_event(
            {**LEAST, "subject": os.fsdecode(b"\xff")}, extensions=(), data="", content_type=""
        )
    assert "subject holds" in str(refused.value)


def test_extensions_become_attributes() -> None:
    assert written(extensions=["tenant=eu", "x=a=b"]).attributes.items() >= {
        ("tenant", "eu"),
        ("x", "a=b"),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"data": "@/does/not/exist"},
        {"data": "@/bad\0name"},
        {"extensions": ["tenant"]},
        {"extensions": ["Tenant=x"]},
        {"extensions": ["data=x"]},
        {"extensions": ["specversion=2"]},
        {"extensions": ["a=line\nbreak"]},
        {"data": "x", "content_type": "nonsense\r\nX: y"},
    ],
)
def test_what_is_no_event_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        written(**changes)
