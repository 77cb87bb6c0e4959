"""Who may ask at all: nobody's web page, and off loopback only who has the token."""

from base64 import b64encode

import pytest

from tests.unit.apiserver.asking import BROKERS, Client
from tests.unit.registry.desk import registry


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "evil.example:8081"}, id="a name that was rebound"),
        pytest.param({"Origin": "http://evil.example"}, id="a page of somebody else"),
        pytest.param({"Origin": "null"}, id="a page without an origin"),
        pytest.param({"Origin": "http://localhost:3000"}, id="a page of another port"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="a request of another site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="a request of another origin"),
    ],
)
def test_foreign_pages_are_refused(client: Client, headers: dict[str, str]) -> None:
    answer = client.get(BROKERS, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_what_a_form_can_send_is_not_read(client: Client, kind: str) -> None:
    body = b'{"metadata": {"name": "evil"}}'
    answer = client.ask("POST", BROKERS, body, {"Content-Type": kind})
    assert (answer.status_code, answer.json()["reason"]) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize("host", ["localhost:8081", "127.0.0.1:8081", "[::1]:8081", "localhost"])
def test_every_name_of_loopback_will_do(client: Client, host: str) -> None:
    assert client.get("/livez", headers={"Host": host}).status_code == 200


def _basic(password: str) -> str:
    return "Basic " + b64encode(f"knlite:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        pytest.param("Bearer s3cret", 200, id="the token"),
        pytest.param(_basic("s3cret"), 200, id="the token as a password"),
        pytest.param("", 401, id="nothing"),
        pytest.param("Bearer s3cre", 401, id="less"),
        pytest.param(_basic("wrong"), 401, id="another password"),
        pytest.param("Basic !", 401, id="no base64"),
        pytest.param("Digest s3cret", 401, id="another scheme"),
    ],
)
def test_off_loopback_the_token_is_needed(authorization: str, code: int) -> None:
    client = Client(registry(), token="s3cret")
    headers = {
        "Host": "build.example:8081",
        "Authorization": authorization.encode().decode("latin-1"),
    }
    answer = client.get("/livez", headers=headers)
    assert answer.status_code == code
    if code == 401:
        assert answer.json()["reason"] == "Unauthorized"
