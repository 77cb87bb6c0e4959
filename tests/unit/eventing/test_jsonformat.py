"""The JSON format of events (Eventing data plane reference §1.3)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.cloudevent import CloudEvent, Draft, Malformed
from knlite.eventing.jsonformat import decode, encode, is_json

LEAST = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}


def written(**members: object) -> bytes:
    return json.dumps({**LEAST, **members}).encode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("x", "x", id="text"),
        pytest.param("", "", id="empty text"),
        pytest.param(True, "true", id="true"),
        pytest.param(False, "false", id="false"),
        pytest.param(5, "5", id="integer"),
        pytest.param(-2.9, "-2", id="fraction"),
        pytest.param(2**31 - 1, "2147483647", id="largest"),
    ],
)
def test_extensions_become_text(value: object, text: str) -> None:
    assert decode(written(foo=value)) == Draft({**LEAST, "foo": text})


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"foo": None}, id="null extension"),
        pytest.param({"subject": ""}, id="empty subject"),
        pytest.param({"datacontenttype": ""}, id="empty content type"),
        pytest.param({"data": None}, id="null data"),
        pytest.param({"data_base64": ""}, id="empty data"),
    ],
)
def test_what_counts_as_absent(members: dict[str, object]) -> None:
    assert decode(written(**members)) == Draft(LEAST)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(written(foo={"a": 1}), id="object as extension"),
        pytest.param(written(foo=[1]), id="array as extension"),
        pytest.param(written(foo=2**31), id="integer beyond 32 bits"),
        pytest.param(b'{"foo":1e400}', id="number beyond any range"),
        pytest.param(written(subject=" "), id="blank subject"),
        pytest.param(written(id=1), id="number as id"),
        pytest.param(written(Subject="x"), id="attribute in another case"),
        pytest.param(written(foo_bar="x"), id="name of an extension"),
        pytest.param(written(data_base64="?"), id="base64"),
        pytest.param(written(data_base64="é"), id="base64 beyond ASCII"),
        pytest.param(written(data_base64=1), id="base64 that is no text"),
        pytest.param(b"[]", id="array"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="half an object"),
        pytest.param(b'{"foo":"\xff"}', id="text that is no UTF-8"),
        pytest.param(b'{"data":"\xff"}', id="data that is no UTF-8"),
        pytest.param(b'{"foo":' + b"[" * 9999 + b"]" * 9999 + b"}", id="deep nesting"),
    ],
)
def test_what_is_malformed(body: bytes) -> None:
    assert isinstance(decode(body), Malformed)


@pytest.mark.parametrize(
    ("members", "data"),
    [
        pytest.param('"data":{"a": 1.50}', b'{"a": 1.50}', id="JSON stays as written"),
        pytest.param('"data":"x"', b'"x"', id="text as JSON"),
        pytest.param('"datacontenttype":"text/plain","data":"x\\n"', b"x\n", id="text as text"),
        pytest.param('"datacontenttype":"text/xml","data":{"a":1}', b'{"a":1}', id="JSON as xml"),
        pytest.param('"data_base64":"AP8="', b"\x00\xff", id="base64"),
        pytest.param('"data":1,"data_base64":"AP8="', b"\x00\xff", id="base64 wins"),
        pytest.param('"datacontentencoding":"base64","data":"AA"', b'"AA"', id="no such encoding"),
    ],
)
def test_data(members: str, data: bytes) -> None:
    found = decode(written()[:-1] + f",{members}}}".encode())
    assert isinstance(found, Draft)
    assert found.data == data


def test_version_0_3_says_that_data_is_base64() -> None:
    found = decode(written(specversion="0.3", datacontentencoding="base64", data="AP8="))
    assert found == Draft({**LEAST, "specversion": "0.3"}, None, b"\x00\xff")


@given(st.binary())
def test_no_bytes_raise(body: bytes) -> None:
    assert isinstance(decode(body), Draft | Malformed)
    inside = b'{"specversion":"1.0","a":' + body + b',"data":' + body + b"}"
    assert isinstance(decode(inside), Draft | Malformed)


@given(st.binary(), st.sampled_from([None, "application/json", "text/plain"]))
def test_any_data_makes_valid_json(data: bytes, content_type: str | None) -> None:
    members = json.loads(encode(CloudEvent(LEAST, content_type, data)))
    assert ("data" in members or "data_base64" in members) is bool(data)


def test_json_data_is_written_as_json_and_other_data_as_base64() -> None:
    assert b'"data":{"a": 1.50}' in encode(CloudEvent(LEAST, None, b'{"a": 1.50}'))
    assert b'"data_base64":"AP8="' in encode(CloudEvent(LEAST, None, b"\x00\xff"))
    assert b'"data_base64":"e30="' in encode(CloudEvent(LEAST, "image/png", b"{}"))


@pytest.mark.parametrize(
    ("content_type", "json_data"),
    [
        (None, True),
        ("application/json", True),
        ("Text/JSON; charset=utf-8", True),
        ("application/vnd.x+json", True),
        ("text/plain", False),
        ("application/jsonlines", False),
    ],
)
def test_media_types_that_are_json(content_type: str | None, json_data: bool) -> None:
    assert is_json(content_type) is json_data
