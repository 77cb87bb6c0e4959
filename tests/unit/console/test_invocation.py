"""What a person may ask of a service in the page, and what of it becomes a request."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.console.invocation import Invocation, decoded, host_of, named, target_of
from knlite.errors import InvalidInput, NotFound
from knlite.kinds.labels import SERVICE
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import TrafficTarget
from knlite.kinds.serving.service import Service, ServiceStatus
from tests.unit.fake_view import FakeView

SHOP = Service(
    metadata=ObjectMeta(name="shop", namespace="default"),
    status=ServiceStatus(
        traffic=(TrafficTarget(tag="new", url="http://new-shop.default.localhost:8080"),)
    ),
)


def revision(service: str) -> Revision:
    labels = {SERVICE: service}
    return Revision(
        metadata=ObjectMeta(name=f"{service}-00001", namespace="default", labels=labels)
    )


def written(**fields: object) -> bytes:
    return msgspec.json.encode(fields)


def test_what_is_left_out_is_a_get_of_the_root() -> None:
    assert decoded(b"{}") == Invocation(method="GET", path="/")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        pytest.param({"method": "GET /x HTTP/1.1\r\nX: y"}, "is no method", id="lines-in-method"),
        pytest.param({"method": "CONNECT"}, "is no method", id="connect"),
        pytest.param({"method": ""}, "is no method", id="no-method"),
        pytest.param({"headers": [["X", "a\r\nY: b"]]}, "cannot be sent", id="lines-in-header"),
        pytest.param({"headers": [["X Y", "a"]]}, "cannot be sent", id="space-in-name"),
        pytest.param({"headers": [["X", "\u20ac"]]}, "cannot be sent", id="not-latin-1"),
        pytest.param({"headers": [["host", "a"]]}, "cannot be given", id="host"),
        pytest.param({"headers": [["Content-Length", "9"]]}, "cannot be given", id="length"),
        pytest.param({"headers": [["a", "b"]] * 101}, "more than 100", id="many"),
        pytest.param({"headers": "a"}, "cannot be read", id="no-list"),
    ],
)
def test_what_cannot_be_a_request_is_refused(fields: dict[str, object], text: str) -> None:
    with pytest.raises(InvalidInput, match=text):
        decoded(written(**fields))


def test_a_refused_header_is_named_and_its_value_is_not() -> None:
    with pytest.raises(InvalidInput) as refused:
        decoded(written(headers=[["Authorization", "secret\n"]]))
    assert "Authorization" in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("", "/"),
        ("a b?q=ü", "/a%20b?q=%C3%BC"),
        ("/a?b=1&c=%20", "/a?b=1&c=%20"),
        ("http://elsewhere.example/p?q=1", "/p?q=1"),
        ("/x#part", "/x"),
        ("http://elsewhere.example", "/"),
        ("HTTPS://elsewhere.example?q=1", "/?q=1"),
        ("?q=1", "/?q=1"),
        (" /a ", "/a"),
        ("/a\r\nX: y", "/a%0D%0AX:%20y"),
        ("http:orders", "/http:orders"),
        ("https:http://elsewhere.example/", "/https:http://elsewhere.example/"),
    ],
)
def test_a_path_is_what_a_person_means_by_it(path: str, target: str) -> None:
    assert target_of(path) == target


@pytest.mark.parametrize("path", ["//elsewhere.example/", "http://a//elsewhere.example/"])
def test_a_path_of_two_slashes_is_nobodys(path: str) -> None:
    with pytest.raises(InvalidInput, match="one slash"):
        target_of(path)


@given(st.lists(st.sampled_from(("http:", "https:", "//", "/", "?", "#")) | st.text()).map("".join))
def test_no_path_becomes_more_than_one_line(path: str) -> None:
    try:
        target = target_of(path)
    except InvalidInput:
        return
    assert target.startswith("/")
    assert target.isascii()
    assert not any(each <= " " or each == "\x7f" for each in target)


def test_a_request_goes_to_the_service_its_tag_or_its_revision() -> None:
    view = FakeView(SHOP, revision("shop"), revision("till"))
    assert host_of(view, "default", "shop", Invocation()) == "shop.default.svc.cluster.local"
    assert host_of(view, "default", "shop", Invocation(tag="new")) == "new-shop.default.localhost"
    with pytest.raises(NotFound, match="no service"):
        host_of(view, "default", "nix", Invocation())
    with pytest.raises(NotFound, match='tag "old"'):
        host_of(view, "default", "shop", Invocation(tag="old"))
    own = Invocation(revision="shop-00001")
    assert host_of(view, "default", "shop", own) == "shop-00001.default.svc.cluster.local"
    for nobodys in ("shop-00009", "till-00001"):
        with pytest.raises(NotFound, match="no revision"):
            host_of(view, "default", "shop", Invocation(revision=nobodys))


def test_each_request_has_an_id_by_which_it_is_found() -> None:
    headers, made = named([("A", "b")])
    assert ("X-Request-Id", made) in headers
    assert named([("x-request-id", "mine")]) == ([("x-request-id", "mine")], "mine")
