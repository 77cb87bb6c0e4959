"""What an expression is applied to (the input of upstream's transform image)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.transforms import document

STRUCTURED = [("Content-Type", "application/cloudevents+json; charset=utf-8")]
ATTRIBUTES = {"specversion": "1.0", "id": "1", "type": "a", "source": "/s"}
BINARY = [(f"Ce-{name.capitalize()}", value) for name, value in ATTRIBUTES.items()]


def typed(content_type: str) -> list[tuple[str, str]]:
    return [*BINARY, ("content-type", content_type), ("Ce-Color", "red")]


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        pytest.param(
            typed("application/json"),
            b'{"name": "Ada"}',
            {
                **ATTRIBUTES,
                "color": "red",
                "datacontenttype": "application/json",
                "data": {"name": "Ada"},
            },
            id="binary, with JSON",
        ),
        pytest.param(
            typed("text/plain"),
            "grün".encode(),
            {**ATTRIBUTES, "color": "red", "datacontenttype": "text/plain", "data": "grün"},
            id="binary, with text",
        ),
        pytest.param(
            typed("image/png"),
            b"\xff\x00",
            {**ATTRIBUTES, "color": "red", "datacontenttype": "image/png", "data_base64": "/wA="},
            id="binary, with bytes",
        ),
        pytest.param(BINARY, b"hello", {**ATTRIBUTES, "data": "hello"}, id="text of no type"),
        pytest.param(BINARY, b"[1]", {**ATTRIBUTES, "data": [1]}, id="JSON of no type"),
        pytest.param(BINARY, b"", ATTRIBUTES, id="no data"),
        pytest.param(
            STRUCTURED,
            json.dumps({**ATTRIBUTES, "data": [1]}).encode(),
            {**ATTRIBUTES, "data": [1]},
            id="structured",
        ),
        pytest.param([("content-type", "x/y")], b'{"a": 1}', {"a": 1}, id="no event, but JSON"),
        pytest.param([], b"hello", "hello", id="text"),
        pytest.param([], b"", {}, id="nothing"),
        pytest.param(STRUCTURED, b'{"id": 1}', {"id": 1}, id="a broken event"),
    ],
)
def test_the_input_of_an_expression(
    headers: list[tuple[str, str]], body: bytes, expected: object
) -> None:
    assert json.loads(document(headers, body)) == expected


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            ("ce-specversion", "ce-id", "ce-type", "ce-source", "ce-x", "content-type", "other")
        ),
        st.sampled_from(("1.0", "a/b", "application/json", "application/cloudevents+json", "\xff")),
    )
)


@given(headers=HEADERS, body=st.binary() | st.text().map(str.encode))
def test_whatever_comes_becomes_json(headers: list[tuple[str, str]], body: bytes) -> None:
    json.loads(document(headers, body))


@pytest.mark.parametrize("headers", [STRUCTURED, BINARY, []])
def test_what_is_nested_too_deeply_is_no_trouble(headers: list[tuple[str, str]]) -> None:
    assert document(headers, b"[" * 100_000)
