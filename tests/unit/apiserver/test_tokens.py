"""TokenRequest and issuer discovery, as Kubernetes' clients ask for them."""

import jwt
import pytest

from knlite.issuer import ISSUER
from tests.unit.apiserver.asking import Client

ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
TOKEN = f"{ACCOUNTS}/web/token"
AUDIENCE = "eventing.knative.dev/broker/default/b"


@pytest.fixture
def web(client: Client) -> Client:
    assert client.post(ACCOUNTS, {"metadata": {"name": "web"}}).status_code == 201
    return client


def request(**spec: object) -> dict[str, object]:
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}


def test_a_token_is_for_whom_it_was_asked_for(web: Client) -> None:
    answer = web.post(TOKEN, request(audiences=[AUDIENCE], expirationSeconds=900))
    assert answer.status_code == 201
    told = answer.json()
    assert (told["kind"], told["apiVersion"]) == ("TokenRequest", "authentication.k8s.io/v1")
    assert told["spec"] == {"audiences": [AUDIENCE], "expirationSeconds": 900}
    assert told["status"]["expirationTimestamp"].endswith("Z")
    claims = jwt.decode(told["status"]["token"], options={"verify_signature": False})
    assert claims["aud"] == [AUDIENCE]
    assert claims["exp"] - claims["iat"] == 900
    assert claims["sub"] == "system:serviceaccount:default:web"


def test_without_wishes_it_is_for_the_api_and_an_hour(web: Client) -> None:
    told = web.post(TOKEN, request()).json()
    assert told["spec"] == {"audiences": [ISSUER], "expirationSeconds": 3600}


def test_it_names_what_it_is_bound_to(web: Client) -> None:
    ref = {"kind": "Pod", "apiVersion": "v1", "name": "web-1", "uid": "u"}
    told = web.post(TOKEN, request(boundObjectRef=ref)).json()
    assert told["spec"]["boundObjectRef"] == ref
    claims = jwt.decode(told["status"]["token"], options={"verify_signature": False})
    assert claims["kubernetes.io"]["pod"] == {"name": "web-1", "uid": "u"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(599, "less than 10 minutes"), (1 << 33, "larger than 2^32 seconds"), (-1, "less than")],
)
def test_its_time_has_bounds(web: Client, seconds: int, text: str) -> None:
    answer = web.post(TOKEN, request(expirationSeconds=seconds))
    assert answer.status_code == 400
    assert text in answer.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"spec": {"audiences": "x"}},
        {"spec": []},
        {"spec": {"audiences": [1]}},
        {"spec": {"expirationSeconds": "60"}},
        [],
    ],
)
def test_what_cannot_be_read_is_refused(web: Client, body: object) -> None:
    answer = web.post(TOKEN, body)
    assert answer.status_code in {201, 400}
    assert (answer.status_code == 201) == (body in ([], {"spec": []}))


def test_only_who_is_there_gets_one(web: Client) -> None:
    answer = web.post(f"{ACCOUNTS}/none/token", request())
    assert answer.status_code == 404
    assert answer.json()["message"] == 'serviceaccounts "none" not found'
    assert web.get(TOKEN).status_code == 405


def test_anybody_finds_the_keys(web: Client) -> None:
    told = web.get("/.well-known/openid-configuration").json()
    assert told["issuer"] == ISSUER
    assert told["jwks_uri"].endswith("/openid/v1/jwks")
    keys = jwt.PyJWKSet.from_dict(web.get("/openid/v1/jwks").json())
    token = web.post(TOKEN, request(audiences=[AUDIENCE])).json()["status"]["token"]
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    key = keys[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, options=options)


def test_clients_find_it(web: Client) -> None:
    resources = web.get("/api/v1").json()["resources"]
    (found,) = (each for each in resources if each["name"] == "serviceaccounts/token")
    assert (found["group"], found["kind"]) == ("authentication.k8s.io", "TokenRequest")
    assert found["verbs"] == ["create"]
