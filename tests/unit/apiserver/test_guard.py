"""Who may ask at all: nobody's web page, and off loopback only who has the token."""

from base64 import b64encode

import pytest

from knlite.apiserver.beside import Beside
from knlite.console.page import Page
from tests.unit.apiserver.asking import BROKERS, Client, broker
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


PAGE = {"Origin": "http://127.0.0.1:8081", "Sec-Fetch-Site": "same-origin"}
"""What a browser says of a request that the console's page makes."""


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({}, 201, id="a program, as kubectl"),
        pytest.param({**PAGE, "X-Knlite-Token": "t0ken"}, 201, id="the page of this run"),
        pytest.param(PAGE, 403, id="a page without the token"),
        pytest.param({**PAGE, "X-Knlite-Token": "of before"}, 403, id="a page of an earlier run"),
        pytest.param({**PAGE, "X-Knlite-Token": ""}, 403, id="a page with an empty token"),
        pytest.param({"Origin": PAGE["Origin"]}, 403, id="a page in a browser of old"),
        pytest.param(
            {"Origin": "http://evil.example", "X-Knlite-Token": "t0ken"}, 403, id="a foreign page"
        ),
        pytest.param(
            {**PAGE, "Host": "evil.example", "X-Knlite-Token": "t0ken"}, 403, id="a rebound name"
        ),
    ],
)
def test_a_page_changes_something_only_with_the_token(headers: dict[str, str], code: int) -> None:
    client = Client(registry(), beside=Beside(token="t0ken"))
    answer = client.ask("POST", BROKERS, broker("of-a-page"), headers)
    assert answer.status_code == code
    if code == 403:
        assert answer.json()["reason"] == "Forbidden"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_way_of_changing_goes_without_the_token(client: Client, method: str) -> None:
    assert client.ask(method, f"{BROKERS}/b", {}, PAGE).status_code == 403


def test_a_page_reads_without_the_token(client: Client) -> None:
    assert client.get(BROKERS, headers=PAGE).status_code == 200


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        pytest.param("/", {"Sec-Fetch-Dest": "document"}, 200, id="a link is followed"),
        pytest.param("/", {"Sec-Fetch-Dest": "iframe"}, 403, id="framed"),
        pytest.param("/", {"Sec-Fetch-Dest": "empty"}, 403, id="fetched"),
        pytest.param(BROKERS, {"Sec-Fetch-Dest": "document"}, 403, id="a link to something else"),
    ],
)
def test_other_sites_may_link_to_the_console_only(
    path: str, headers: dict[str, str], code: int
) -> None:
    client = Client(registry(), beside=Beside(routes=Page("t0ken").routes()))
    answer = client.get(path, headers={"Sec-Fetch-Site": "cross-site", **headers})
    assert answer.status_code == code


@pytest.mark.parametrize(
    ("accept", "scheme"), [("text/html,*/*;q=0.8", "Basic"), ("application/json", "Bearer")]
)
def test_a_person_is_asked_for_the_token_as_a_password(accept: str, scheme: str) -> None:
    answer = Client(registry(), token="s3cret").get("/", headers={"Accept": accept})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith(f"{scheme} ")
