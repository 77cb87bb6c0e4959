"""URLs of sinks and subscribers, taken apart."""

import pytest

from knlite.dataplane.fetch import Origin, split_url
from knlite.errors import InvalidInput


@pytest.mark.parametrize(
    ("url", "origin", "target", "authority"),
    [
        ("http://a.test", Origin("http", "a.test", 80), b"/", b"a.test"),
        ("https://a.test/x?y=1#z", Origin("https", "a.test", 443), b"/x?y=1", b"a.test"),
        ("http://A:8080/ä b", Origin("http", "a", 8080), b"/%C3%A4%20b", b"a:8080"),
        ("http://[::1]:81/", Origin("http", "::1", 81), b"/", b"[::1]:81"),
        ("http://a/%2F\r\n", Origin("http", "a", 80), b"/%2F", b"a"),
    ],
)
def test_a_url_is_an_origin_and_a_target(
    url: str, origin: Origin, target: bytes, authority: bytes
) -> None:
    assert split_url(url) == (origin, target)
    assert origin.authority == authority


@pytest.mark.parametrize("url", ["", "/path", "ftp://a/", "http://", "http://a:x/", "http://[::1"])
def test_what_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        split_url(url)
