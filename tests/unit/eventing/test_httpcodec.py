"""Events in HTTP messages (Eventing data plane reference §1.3)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.cloudevent import CloudEvent, Malformed, in_utc
from knlite.eventing.httpcodec import decode, encode_binary, encode_structured, is_event

BASE = [("Ce-Specversion", "1.0"), ("Ce-Id", "1"), ("Ce-Source", "/s"), ("Ce-Type", "t")]
BATCH = ("Content-Type", "application/cloudevents-batch+json")
STRUCTURED = ("Content-Type", "application/cloudevents+json")


def event(headers: list[tuple[str, str]], body: bytes = b"") -> CloudEvent:
    found = decode(headers, body)
    assert isinstance(found, CloudEvent), found
    return found


def structured(**members: object) -> CloudEvent | Malformed:
    base = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
    return decode([STRUCTURED], json.dumps({**base, **members}).encode())


def test_binary_mode_reads_attributes_content_type_and_body() -> None:
    found = event(
        [*BASE, ("ce-subject", "x"), ("CE-Ext1", "v"), ("content-type", "text/plain")], b"hi"
    )
    assert (found.id, found.source, found.type) == ("1", "/s", "t")
    assert found.attributes["subject"] == "x"
    assert found.attributes["ext1"] == "v"
    assert (found.content_type, found.data) == ("text/plain", b"hi")


def test_an_empty_body_is_no_data_and_no_content_type_is_invented() -> None:
    found = event(BASE)
    assert (found.data, found.content_type) == (None, None)
    assert encode_binary(found)[1] == b""


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        pytest.param([], "neither binary", id="nothing"),
        pytest.param([("Ce-Specversion", "2.0"), *BASE[1:]], "neither binary", id="version"),
        pytest.param([BASE[0], *BASE[2:]], "id is missing", id="no id"),
        pytest.param([*BASE[:1], ("Ce-Id", " "), *BASE[2:]], "id is missing", id="blank id"),
        pytest.param([*BASE, ("ce-foo-bar", "x")], "ce-foo-bar is not allowed", id="dash in name"),
        pytest.param([*BASE, ("ce-datacontenttype", "x")], "not allowed", id="datacontenttype"),
        pytest.param([*BASE, ("ce-time", "yesterday")], "not RFC 3339", id="time"),
        pytest.param([*BASE, ("ce-dataschema", "rel")], "not an absolute URI", id="dataschema"),
        pytest.param([*BASE, ("content-type", ";;")], "not a media type", id="content type"),
        pytest.param(
            [("content-type", "application/cloudevents-batch+json")], "batches", id="batch"
        ),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(
    headers: list[tuple[str, str]], why: str
) -> None:
    found = decode(headers, b"")
    assert isinstance(found, Malformed)
    assert why in found.why


def test_values_are_taken_verbatim() -> None:
    assert event([*BASE, ("ce-subject", "a%20b ü")]).attributes["subject"] == "a%20b ü"


def test_the_first_of_a_repeated_header_counts_and_blank_optional_ones_are_absent() -> None:
    found = event([*BASE, ("ce-ext", "one"), ("ce-ext", "two"), ("ce-subject", "  ")])
    assert found.attributes["ext"] == "one"
    assert "subject" not in found.attributes


def test_structured_mode_wins_over_headers() -> None:
    body = json.dumps({"specversion": "1.0", "id": "s", "source": "/s", "type": "t"}).encode()
    assert event([STRUCTURED, *BASE], body).id == "s"


@pytest.mark.parametrize(
    ("members", "data"),
    [
        pytest.param({"data": {"a": [1, 2.0]}}, b'{"a": [1, 2.0]}', id="JSON as it was written"),
        pytest.param({"data": "text"}, b'"text"', id="JSON text"),
        pytest.param({"data": "text", "datacontenttype": "text/plain"}, b"text", id="plain text"),
        pytest.param({"data_base64": "AP8="}, b"\x00\xff", id="bytes"),
        pytest.param({"data": None}, None, id="null"),
        pytest.param({}, None, id="none"),
    ],
)
def test_structured_data(members: dict[str, object], data: bytes | None) -> None:
    found = structured(**members)
    assert isinstance(found, CloudEvent)
    assert found.data == data


@pytest.mark.parametrize(
    ("value", "text"),
    [(5, "5"), (True, "true"), (2.9, "2"), ("x", "x"), (None, None)],
)
def test_structured_extensions_become_text(value: object, text: str | None) -> None:
    found = structured(ext=value)
    assert isinstance(found, CloudEvent)
    assert found.attributes.get("ext") == text


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"ext": {}}, id="object"),
        pytest.param({"ext": 2**40}, id="out of 32 bits"),
        pytest.param({"subject": " "}, id="blank"),
        pytest.param({"Subject": "x"}, id="other case"),
        pytest.param({"data_base64": "%"}, id="no base64"),
        pytest.param({"id": 5}, id="id is no text"),
    ],
)
def test_unfit_members_are_refused(members: dict[str, object]) -> None:
    assert isinstance(structured(**members), Malformed)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-02T14:48:09+02:00", "2026-01-02T12:48:09Z"),
        ("2026-01-02T14:48:09.120000000Z", "2026-01-02T14:48:09.12Z"),
        ("2026-01-02t14:48:09z", "2026-01-02T14:48:09Z"),
        ("2026-13-02T14:48:09Z", None),
        ("0001-01-01T00:00:00+01:00", None),
    ],
)
def test_times_come_out_in_utc(text: str, utc: str | None) -> None:
    assert in_utc(text) == utc


NAMES = st.from_regex(r"ext[a-z0-9]{0,8}", fullmatch=True)
TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
EVENTS = st.builds(
    lambda attributes, extensions, content_type, data: CloudEvent(
        {"specversion": "1.0", **attributes, **extensions}, content_type, data
    ),
    st.fixed_dictionaries({"id": TEXT, "source": TEXT, "type": TEXT}),
    st.dictionaries(NAMES, TEXT, max_size=3),
    st.sampled_from([None, "application/json", "text/plain"]),
    st.none() | st.binary(min_size=1, max_size=50),
)


@given(EVENTS)
def test_binary_mode_loses_nothing(original: CloudEvent) -> None:
    assert decode(*encode_binary(original)) == original


@given(EVENTS)
def test_structured_mode_loses_nothing(original: CloudEvent) -> None:
    if original.data == b"null":
        return
    found = decode(*encode_structured(original))
    assert isinstance(found, CloudEvent)
    assert (found.attributes, found.content_type, found.data) == (
        original.attributes, original.content_type, original.data,
    )  # fmt: skip


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=5), st.binary())
def test_no_message_raises(headers: list[tuple[str, str]], body: bytes) -> None:
    decode(headers, body)
    decode([STRUCTURED, *headers], body)


def test_what_claims_to_be_an_event_is_known_by_its_headers() -> None:
    assert is_event(BASE)
    assert is_event([STRUCTURED])
    assert not is_event([("content-type", "application/json")])
