"""What ``knlite invoke`` sends, for what a person has written."""

import pytest

from knlite.cli.aim import Aim, below
from knlite.cli.invoke import Written, call_of, header_of
from knlite.errors import InvalidInput

WEB = Aim("http://web.default.localhost:8080/", "127.0.0.1:8080")
BROKER = Aim("http://127.0.0.1:8080/ns/default/brokers/b", takes_events=True)


def test_without_data_it_asks_and_with_data_it_posts() -> None:
    asked = call_of(WEB, Written(), [])
    assert (asked.method, asked.body, asked.headers) == ("GET", None, ())
    posted = call_of(WEB, Written(data='{"a": 1}'), [])
    assert (posted.method, posted.body) == ("POST", b'{"a": 1}')
    assert posted.headers == (("Content-Type", "application/json"),)
    assert posted.through == "127.0.0.1:8080"


def test_headers_that_are_given_win() -> None:
    given = [header_of("content-type: text/csv"), header_of("X-Tenant:eu")]
    call = call_of(WEB, Written(data="a,b"), given)
    assert call.headers == (("content-type", "text/csv"), ("X-Tenant", "eu"))


def test_any_attribute_makes_it_an_event() -> None:
    headers = dict(call_of(WEB, Written(type="order.paid", extensions=["tenant=eu"]), []).headers)
    assert (headers["Ce-Type"], headers["Ce-Tenant"]) == ("order.paid", "eu")
    assert headers["Ce-Source"] == "/knlite/invoke"
    assert headers["Ce-Id"]


def test_a_broker_gets_events_only() -> None:
    call = call_of(BROKER, Written(data="hello"), [])
    assert call.method == "POST"
    assert dict(call.headers)["Ce-Specversion"] == "1.0"
    assert call.body == b"hello"


@pytest.mark.parametrize("text", ["no colon", "bad name!: x", ": x", "x: a\r\nevil: y"])
def test_what_is_no_header_is_refused_without_telling_its_value(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        header_of(text)
    assert "evil" not in str(refused.value)


def test_what_is_no_method_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no method"):
        call_of(WEB, Written(method="GET /x"), [])


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("", "http://web.localhost/"),
        ("/a b?c=ü", "http://web.localhost/a%20b?c=%C3%BC"),
        ("a/b%20c", "http://web.localhost/a/b%20c"),
        ("\udcff", "http://web.localhost/%FF"),
    ],
)
def test_paths_stand_behind_the_url(path: str, url: str) -> None:
    assert below("http://web.localhost", path) == url
