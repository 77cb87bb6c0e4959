"""Options of the event verbs as parameters of the admin port."""

from datetime import UTC, datetime

import pytest

from knlite.cli.eventquery import one_event, parameters, url_of
from knlite.clock import present
from knlite.errors import InvalidInput


def test_what_is_not_given_is_not_asked_for() -> None:
    assert parameters(type="", broker="b", limit=0) == {"broker": "b", "limit": "0"}


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1 d", 86_400)]
)
def test_since_may_say_how_long_ago(text: str, seconds: int) -> None:
    since = int(parameters(since=text)["since"]) / 1e6
    assert seconds <= present().timestamp() - since < seconds + 60


def test_since_may_be_a_time() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert parameters(since="2026-01-02T03:04:05Z") == {
        "since": str(int(moment.timestamp()) * 10**6)
    }
    local = datetime(2026, 1, 2, 3, 4).astimezone()
    assert parameters(since="2026-01-02T03:04") == {"since": str(int(local.timestamp()) * 10**6)}


@pytest.mark.parametrize("text", ["soon", "10", "-5m", "99999999999d", "999999999d", "٣m", "5w"])
def test_another_since_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        parameters(since=text)


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ("", {}),
        ("order-17", {"id": "order-17"}),
        ("17", {"id": "17"}),
        ("1795694584756751", {"arrival": "1795694584756751"}),
        ("9" * 30, {"id": "9" * 30}),
    ],
)
def test_an_event_is_named_by_its_id_or_its_arrival(event: str, found: dict[str, str]) -> None:
    assert one_event(event) == found


@pytest.mark.parametrize(
    ("to", "url"),
    [
        ("http://127.0.0.1:9/x", "http://127.0.0.1:9/x"),
        ("hello", "http://hello.default.svc.cluster.local/"),
        ("shop/hello", "http://hello.shop.svc.cluster.local/"),
    ],
)
def test_where_to_send_is_a_url_or_a_service(to: str, url: str) -> None:
    assert url_of(to) == url


@pytest.mark.parametrize("to", ["", "a b", "../x", "a/b/c", "x.y:80/", "@evil"])
def test_what_is_neither_is_refused(to: str) -> None:
    with pytest.raises(InvalidInput, match="neither a URL nor a Service"):
        url_of(to)
