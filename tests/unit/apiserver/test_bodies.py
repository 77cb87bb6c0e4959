"""Bodies come from anybody: what cannot be read is a sentence, never a failure."""

import pytest

from knlite.apiserver.bodies import decoded_json, decoded_yaml
from knlite.errors import InvalidInput


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"[1,]", id="a comma too many"),
        pytest.param(b'{"\xff": 1}', id="no UTF-8"),
        pytest.param(b'"\\ud800"', id="half a character"),
        pytest.param(b'{"a": 1e999}', id="a number that is too large"),
        pytest.param(b'{"a": ' + b"1" * 5000 + b"}", id="a number of many digits"),
        pytest.param(b'{"a": NaN}', id="no number"),
        pytest.param(b"[" * 100_000, id="depth"),
        pytest.param(b"[" * 250 + b"]" * 250, id="depth that the decoder takes"),
    ],
)
def test_json_that_cannot_be_read(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        decoded_json(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"a: 1\n---\nb: 2\n", id="two documents"),
        pytest.param(b"a: &x [*x]", id="an alias that contains itself"),
        pytest.param(b"a: 1\na: 2\n", id="a key twice"),
        pytest.param(b"\xff", id="no UTF-8"),
        pytest.param(b"a: " + b"1" * 5000, id="a number of many digits"),
        pytest.param(b"a: 1e999", id="a number that is too large"),
        pytest.param(b"- " * 500, id="depth"),
        pytest.param(b"a: [", id="cut off"),
    ],
)
def test_yaml_that_cannot_be_read(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        decoded_yaml(body)


def test_doubled_fields_are_named_by_their_path() -> None:
    body = b'{"a": 1, "b": [{"c": 1, "c": 2}], "a": {"d": 1, "d": 2, "d": 3}}'
    assert decoded_json(body).duplicates == ("a", "a.d", "b[0].c")
    assert decoded_json(b'{"a": {"a": 1}}').duplicates == ()


def test_many_values_are_no_depth() -> None:
    assert len(decoded_json(b"[" + b"[]," * 1000 + b"[]]").tree) == 1001


def test_many_fields_take_no_time() -> None:
    fields = b",".join(b'"k%d":1' % number for number in range(200_000))
    assert decoded_json(b"{" + fields + b',"k7":2}').duplicates == ("k7",)
