"""Events in HTTP messages (Eventing data plane reference §1.3)."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.cloudevent import REQUIRED, VERSIONS, CloudEvent, Malformed
from knlite.eventing.httpcodec import decode, encode_binary, encode_structured, is_event, wire_form

LEAST = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
CE = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t")]
STRUCTURED = ("Content-Type", "application/cloudevents+json")
BODY = b'{"specversion":"1.0","id":"1","source":"/s","type":"t"}'

texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20)
names = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20).filter(
    lambda name: (
        name not in {*LEAST, "data", "datacontenttype", "dataschema", "datacontentencoding", "time"}
        and name != "subject"
    )
)

JSON_LIKE = '{}[]",:0123456789e.-iduntf\\'
headers = st.lists(
    st.tuples(
        st.sampled_from(["ce-id", "CE-specversion", "ce-time", "content-type"])
        | st.text(max_size=8),
        st.sampled_from(["1.0", STRUCTURED[1]]) | st.text(max_size=12),
    )
)


@st.composite
def events(draw: st.DrawFn) -> CloudEvent:
    filled = texts.filter(str.strip)
    attributes = {name: draw(filled) for name in REQUIRED}
    attributes["specversion"] = draw(st.sampled_from(VERSIONS))
    attributes |= draw(st.dictionaries(names, texts, max_size=4))
    if draw(st.booleans()):
        attributes["subject"] = draw(filled)
    if draw(st.booleans()):
        attributes["time"] = "2024-05-01T12:48:09.5Z"
    content_type = draw(st.sampled_from([None, "text/plain", "image/png", "text/xml; charset=x"]))
    return CloudEvent(attributes, content_type, draw(st.binary(min_size=1) | st.none()))


@given(events())
def test_a_binary_message_holds_the_event_as_it_was(event: CloudEvent) -> None:
    headers, body = encode_binary(event)
    assert is_event(headers)
    assert decode(headers, body) == event


@given(events())
def test_a_structured_message_holds_the_event_as_it_was(event: CloudEvent) -> None:
    headers, body = encode_structured(event)
    assert is_event(headers)
    found = decode(headers, body)
    assert isinstance(found, CloudEvent)
    assert found.attributes == event.attributes
    assert found.content_type == event.content_type
    data = event.data or b""
    if event.content_type is None:
        # JSON has no trace of the blanks around a document, and its null is no data.
        data = b"" if data.strip() == b"null" else data
        assert (found.data or b"").strip() == data.strip()
    else:
        assert (found.data or b"") == data


@given(headers, st.binary(max_size=60) | st.text(JSON_LIKE, max_size=60).map(str.encode))
def test_nothing_that_is_sent_raises(headers: list[tuple[str, str]], body: bytes) -> None:
    assert isinstance(decode(headers, body), CloudEvent | Malformed)
    assert isinstance(decode([STRUCTURED], body), CloudEvent | Malformed)
    assert isinstance(decode([*CE, *headers], body), CloudEvent | Malformed)


@pytest.mark.parametrize(
    ("headers", "event"),
    [
        pytest.param(CE, True, id="binary"),
        pytest.param([("CE-SpecVersion", "0.3")], True, id="binary of the old version"),
        pytest.param([("ce-specversion", "2.0")], False, id="unknown version"),
        pytest.param([STRUCTURED], True, id="structured"),
        pytest.param(
            [("content-type", " Application/CloudEvents+JSON ; a=b")], True, id="any case"
        ),
        pytest.param([("content-type", "application/cloudevents-batch+json")], True, id="batch"),
        pytest.param([("content-type", "application/cloudevents+xml")], False, id="xml"),
        pytest.param([("content-type", "application/json")], False, id="plain JSON"),
        pytest.param([], False, id="nothing"),
    ],
)
def test_a_message_claims_to_be_an_event(headers: list[tuple[str, str]], event: bool) -> None:
    assert is_event(headers) is event


@pytest.mark.parametrize(
    ("headers", "attributes"),
    [
        pytest.param([("CE-Foo", "x")], {"foo": "x"}, id="names in lower case"),
        pytest.param([("ce-foo", "1"), ("ce-foo", "2")], {"foo": "1"}, id="first of two"),
        pytest.param([("ce-foo", "a%20b")], {"foo": "a%20b"}, id="no percent-decoding"),
        pytest.param([("ce-foo", '"a"')], {"foo": '"a"'}, id="no unquoting"),
        pytest.param([("ce-foo", "Ã©")], {"foo": "é"}, id="UTF-8"),
        pytest.param([("ce-foo", "é")], {"foo": "é"}, id="bytes that are no UTF-8"),
        pytest.param([("ce-subject", " ")], {}, id="blank subject"),
        pytest.param([("ce-dataschema", "")], {}, id="empty schema"),
        pytest.param([("content-type", " ")], {}, id="blank content type"),
        pytest.param([("x-foo", "x")], {}, id="other headers"),
        pytest.param(
            [("ce-time", "2024-05-01T14:48:09+02:00")],
            {"time": "2024-05-01T12:48:09Z"},
            id="time in UTC",
        ),
    ],
)
def test_binary_attributes(headers: list[tuple[str, str]], attributes: dict[str, str]) -> None:
    assert decode([*CE, *headers], b"") == CloudEvent({**LEAST, **attributes})


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([*CE, ("ce-datacontenttype", "text/plain")], id="datacontenttype"),
        pytest.param([*CE, ("ce-data", "x")], id="data"),
        pytest.param([*CE, ("ce-foo-bar", "x")], id="hyphen"),
        pytest.param([*CE, ("ce-foo_bar", "x")], id="underscore"),
        pytest.param([*CE, ("ce-", "x")], id="no name"),
        pytest.param([*CE, ("ce-föö", "x")], id="letters beyond ASCII"),
        pytest.param([*CE, ("content-type", "a b")], id="content type"),
        pytest.param(CE[1:], id="no version"),
        pytest.param([("content-type", "application/json")], id="no event"),
        pytest.param([*CE, ("content-type", "application/cloudevents-batch+json")], id="batch"),
    ],
)
def test_a_message_that_holds_no_event_is_malformed(headers: list[tuple[str, str]]) -> None:
    assert isinstance(decode(headers, BODY), Malformed)


def test_structured_mode_wins_over_headers() -> None:
    assert decode([*CE, ("ce-id", "9"), ("ce-foo", "x"), STRUCTURED], BODY) == CloudEvent(LEAST)


def test_an_empty_body_is_no_data() -> None:
    assert decode(CE, b"") == CloudEvent(LEAST, None, None)
    assert encode_binary(CloudEvent(LEAST))[1] == b""


def test_the_content_type_is_the_datacontenttype_and_is_not_invented() -> None:
    headers, body = encode_binary(CloudEvent(LEAST, "text/plain", b"x"))
    assert ("Content-Type", "text/plain") in headers
    assert body == b"x"
    assert "Content-Type" not in dict(encode_binary(CloudEvent(LEAST, None, b"x"))[0])


@given(
    attributes=st.dictionaries(st.sampled_from(["id", "subject", "ext1"]), st.text()),
    content_type=st.none() | st.text(),
    data=st.none() | st.binary(),
)
def test_the_form_for_connections_is_the_same(
    attributes: dict[str, str], content_type: str | None, data: bytes | None
) -> None:
    event = CloudEvent(attributes, content_type, data)
    headers, body = encode_binary(event)
    assert wire_form(event) == (
        tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers),
        body,
    )
