"""What the hop adds and removes (Knative reference §3.2; RFC 9110 §7.6.1; RFC 7239)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.dataplane.headers import Header, Onward, forwarded, to_instance, with_set
from knlite.dataplane.wire.framing import Repeated


def given_to_instance(*headers: Header, client: str = "192.0.2.7") -> list[Header]:
    kept, request_id = to_instance(headers, client=client, host=b"shop.test", proto=b"http")
    return [*kept] if request_id else [*kept, (b"X-Request-Id", b"new")]


def test_a_plain_request_gets_the_headers_of_all_three_proxies() -> None:
    assert given_to_instance((b"Host", b"shop.test"), (b"x-Odd", b"kept")) == [
        (b"Host", b"shop.test"),
        (b"x-Odd", b"kept"),
        (b"K-Proxy-Request", b"activator"),
        (b"X-Forwarded-For", b"192.0.2.7"),
        (b"X-Forwarded-Proto", b"http"),
        (b"X-Forwarded-Host", b"shop.test"),
        (b"Forwarded", b"for=192.0.2.7;host=shop.test;proto=http"),
        (b"X-Request-Id", b"new"),
    ]


def test_what_a_proxy_before_has_said_is_kept_and_continued() -> None:
    sent = given_to_instance(
        (b"x-forwarded-for", b"203.0.113.9"),
        (b"X-Forwarded-For", b"2001:db8::1"),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", b"public.test"),
        (b"x-request-id", b"theirs"),
    )
    assert (b"X-Forwarded-For", b"203.0.113.9, 2001:db8::1, 192.0.2.7") in sent
    assert dict(sent)[b"Forwarded"] == (
        b'for=203.0.113.9;host=public.test;proto=https, for="[2001:db8::1]", for=192.0.2.7'
    )
    names = [name.lower() for name, _ in sent]
    assert len(names) == len(set(names))


def test_a_clients_own_forwarded_is_not_touched() -> None:
    sent = given_to_instance((b"forwarded", b"for=_hidden"))
    assert [value for name, value in sent if name.lower() == b"forwarded"] == [b"for=_hidden"]


@pytest.mark.parametrize(
    "name",
    [
        b"Knative-Serving-Revision",
        b"Knative-Serving-Namespace",
        b"K-Network-Hash",
        b"K-Original-Host",
    ],
)
def test_what_is_between_proxies_does_not_reach_the_instance(name: bytes) -> None:
    assert name.lower() not in {key.lower() for key, _ in given_to_instance((name, b"1"))}


def test_the_instance_sees_one_k_proxy_request() -> None:
    sent = given_to_instance((b"k-proxy-request", b"forged"))
    assert [h for h in sent if h[0].lower() == b"k-proxy-request"] == [
        (b"K-Proxy-Request", b"activator")
    ]


def test_an_ipv6_client_is_named_without_its_zone() -> None:
    assert dict(given_to_instance(client="fe80::1%eth0"))[b"Forwarded"].startswith(
        b'for="[fe80::1]";'
    )


@pytest.mark.parametrize(
    ("hops", "host", "proto", "value"),
    [
        (b"192.0.2.1", b"", b"", b"for=192.0.2.1"),
        (b"", b"h", b"https", b"host=h;proto=https"),
        (b"a , b", b"h", b"", b"for=a;host=h, for=b"),
        (b"", b"h:8080", b"", b'host="h:8080"'),
        (b"", b'h";for=x', b"", b'host="h\\";for=x"'),
    ],
)
def test_forwarded_leaves_out_what_is_missing(
    hops: bytes, host: bytes, proto: bytes, value: bytes
) -> None:
    assert forwarded(hops, host, proto) == value


names = st.sampled_from([b"A", b"b", b"Host", b"knative-serving-tag"])
values = st.sampled_from([b"a", b"b, close", b""])


@given(st.lists(st.tuples(names, values)))
def test_a_header_that_is_set_replaces_the_clients_whatever_its_case(headers: list[Header]) -> None:
    added = [(b"Knative-Serving-Tag", b"blue")]
    sent = with_set(headers, added)
    assert [h for h in sent if h[0].lower() == b"knative-serving-tag"] == added
    others = [h for h in headers if h[0].lower() != b"knative-serving-tag"]
    assert list(sent) == [*others, *added]
    assert with_set(headers, ()) == headers


def test_headers_that_come_again_are_judged_once_for_each_way() -> None:
    again = Repeated([(b"Host", b"shop.test")])

    def judged(proxied: bool, host: bytes = b"shop.test") -> Onward:
        return to_instance(again, client="::1", host=host, proto=b"http", proxied=proxied)

    assert judged(True) is judged(True)
    other = to_instance(again, client="::2", host=b"shop.test", proto=b"http")
    assert (b"X-Forwarded-For", b"::2") in other.headers
    assert (b"X-Forwarded-For", b"::1") in judged(True).headers
    for proxied, host in ((True, b"shop.test"), (False, b"shop.test"), (True, b"other.test")):
        once = to_instance(list(again), client="::1", host=host, proto=b"http", proxied=proxied)
        assert list(judged(proxied, host).headers) == list(once.headers)
