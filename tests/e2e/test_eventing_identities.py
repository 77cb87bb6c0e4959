"""Tokens and EventPolicies, by the scenarios of Knative Eventing's own end-to-end tests.

Source: Eventing reference §19 (SupportsOIDC, SupportsAuthZ, SendsEventsWithOIDC).
``docs/conformance.md`` says which test here stands for which there.
"""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.e2e.eventspace import API_VERSIONS, HEARTBEAT, Space, event, full_event, heartbeats, ref
from tests.e2e.executable import Knlite, running, wait_until
from tests.e2e.recorder import STRUCTURED, Event, Received, Sink, appends, drops_first, replies

pytestmark = pytest.mark.e2e

ALLOWED, DENIED = "allowed", "denied"
SINK = {"uri": "http://127.0.0.1:9"}
JOB: dict[str, Any] = {
    "metadata": {"annotations": {"knlite.dev/command": "true"}},
    "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "example.com/c"}]},
}
SPECS: dict[str, dict[str, Any] | None] = {
    "Broker": None,
    "Channel": None,
    "InMemoryChannel": None,
    "JobSink": {"job": {"spec": {"template": JOB}}},
    "EventTransform": {
        "jsonata": {
            "expression": '{"specversion": "1.0", "id": id, "type": type, "source": source}'
        }
    },
    "Sequence": {"steps": [SINK]},
    "Parallel": {"branches": [{"subscriber": SINK}]},
}
OF_THEIR_OWN = ("Broker", "InMemoryChannel", "JobSink", "EventTransform")
"""Kinds whose audience is not that of a channel behind them."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def knlite(data: Path) -> Iterator[Knlite]:
    """A run where senders say who they are."""
    flag = "config-features.authentication-oidc=enabled"
    with running("--data-dir", data, "--set", flag) as run:
        yield run


def addressed(space: Space, kind: str) -> dict[str, Any]:
    """The address of an object of that kind, called ``it``, that is ready."""
    space.made(kind, "it", SPECS[kind])
    return dict(space.object(kind, "it")["status"]["address"])


def token(space: Space, audience: str, account: str = "default") -> str:
    """A token of a ServiceAccount, which is made if need be."""
    if account != "default":
        space.post("ServiceAccount", account)
    answer = space.knlite.admin.post(
        f"{space.path('ServiceAccount', account)}/token", json={"spec": {"audiences": [audience]}}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["status"]["token"])


def status(
    space: Space, url: str, sent: Event, bearer: str = "", *, structured: bool = False
) -> int:
    """What an event with a token is answered."""
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    if not structured:
        return space.post_event(url, sent, **headers).status_code
    body = json.dumps({**sent.attributes, "data": json.loads(sent.data)}).encode()
    return space.request(
        url, content=body, headers={"content-type": STRUCTURED, **headers}
    ).status_code


@pytest.mark.parametrize("kind", SPECS)
def test_what_takes_events_asks_for_a_token(space: Space, data: Path, kind: str) -> None:
    address = addressed(space, kind)
    url, audience = address["url"], address["audience"]
    if kind in OF_THEIR_OWN:
        group = API_VERSIONS[kind].partition("/")[0]
        assert audience == f"{group}/{kind}/{space.namespace}/it".lower()
    else:
        channels = space.objects("InMemoryChannel")
        assert audience in {each["status"]["address"]["audience"] for each in channels}
    good = token(space, audience)
    head, claims, signature = good.split(".")
    corrupt = f"{head}.{claims}.{signature[::-1]}"
    expired = jwt.encode(
        {**jwt.decode(good, options={"verify_signature": False}), "exp": int(time.time()) - 60},
        (data / "issuer.pem").read_bytes(),
        algorithm="ES256",
        headers=jwt.get_unverified_header(good),
    )
    another = token(space, "another")
    for bearer in ("", another, corrupt, expired):
        assert status(space, url, event(), bearer) == 401
    assert status(space, url, event(), good) in (200, 202, 204)


def policy(space: Space, kind: str, subjects: list[dict[str, Any]], **spec: Any) -> str:
    """An EventPolicy for the object ``it``."""
    name = space.name("EventPolicy")
    document = {
        "metadata": {"name": name},
        "spec": {"to": [ref(kind, "it")], "from": subjects, **spec},
    }
    path = f"/apis/eventing.knative.dev/v1alpha1/namespaces/{space.namespace}/eventpolicies"
    answer = space.knlite.admin.post(path, json=document)
    assert answer.status_code == 201, answer.text
    return f"{path}/{name}"


def until(space: Space, path: str, wanted: str) -> None:
    wait_until(lambda: space.knlite.ready(path).get("status") == wanted, f"{path} to be {wanted}")


@pytest.mark.parametrize("kind", SPECS)
def test_policies_say_who_may_send(space: Space, kind: str) -> None:
    address = addressed(space, kind)
    url, audience = address["url"], address["audience"]
    good, bad = (token(space, audience, each) for each in (ALLOWED, DENIED))
    subject = f"system:serviceaccount:{space.namespace}:{ALLOWED}"
    prefix = [{"prefix": {"type": "valid"}}]
    until(space, policy(space, kind, [{"sub": subject}], filters=prefix), "True")
    space.until_ready(kind, "it")
    for structured in (False, True):
        valid, invalid = event("valid.event.type"), event("invalid.event.type")
        assert status(space, url, valid, good, structured=structured) in (200, 202, 204)
        assert status(space, url, invalid, good, structured=structured) == 403
        assert status(space, url, valid, bad, structured=structured) == 403


@pytest.mark.parametrize("kind", SPECS)
def test_a_policy_that_is_not_ready_makes_its_target_so(space: Space, kind: str) -> None:
    addressed(space, kind)
    nobody = {
        "apiVersion": "sources.knative.dev/v1",
        "kind": "PingSource",
        "name": "does-not-exist",
        "namespace": "does-not-exist",
    }
    until(space, policy(space, kind, [{"ref": nobody}]), "False")
    space.until_ready(kind, "it", "False")


AUDIENCE = "tests/recorder"


def named(sink: Sink) -> dict[str, str]:
    """A Destination that asks for a token."""
    return {"uri": sink.url, "audience": AUDIENCE}


def sender(got: Received) -> str:
    """Whose token came with a request."""
    kind, _, given = got.headers["authorization"].partition(" ")
    assert kind == "Bearer"
    payload = given.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert AUDIENCE in claims["aud"]
    return str(claims["sub"])


def identity(space: Space, kind: str, name: str) -> str:
    """Under which name an object sends."""
    account = space.object(kind, name)["status"]["auth"]["serviceAccountName"]
    return f"system:serviceaccount:{space.namespace}:{account}"


def administrators(space: Space, kind: str, name: str, sent: Event) -> None:
    """Send an event as who may send to everything."""
    address = space.object(kind, name)["status"]["address"]
    assert status(space, address["url"], sent, token(space, address["audience"])) == 202


def test_a_trigger_sends_under_its_own_name(space: Space) -> None:
    dead, sink, failer = space.sink(), space.sink(), space.sink(drops_first(1, 422))
    answering = space.sink(replies("reply", "/reply", b"{}"))
    broker = space.broker()
    space.trigger(
        broker, named(answering), name="answers", filter={"attributes": {"type": "type1"}}
    )
    space.trigger(broker, named(sink), name="takes", filter={"attributes": {"type": "reply"}})
    delivery = {"deadLetterSink": named(dead)}
    space.trigger(broker, named(failer), name="fails", delivery=delivery)
    administrators(space, "Broker", broker, event())
    space.quiet()
    for name, got in (("answers", answering), ("takes", sink), ("fails", failer), ("fails", dead)):
        assert sender(got.received[0]) == identity(space, "Trigger", name)


def test_a_subscription_sends_under_its_own_name(space: Space) -> None:
    dead, reply = space.sink(), space.sink(drops_first(1, 422))
    answering = space.sink(replies("reply", "/reply", b"{}"))
    channel = space.channel()
    delivery = {"deadLetterSink": named(dead)}
    name = space.subscription(channel, named(answering), reply=named(reply), delivery=delivery)
    administrators(space, "InMemoryChannel", channel, full_event())
    space.quiet()
    for got in (answering, reply, dead):
        assert sender(got.received[0]) == identity(space, "Subscription", name)


def test_a_sequence_sends_tokens_to_its_steps_and_to_the_reply(space: Space) -> None:
    steps, reply = [space.sink(appends(each)) for each in "ab"], space.sink()
    spec = {"steps": [named(each) for each in steps], "reply": named(reply)}
    space.made("Sequence", "sequence", spec)
    administrators(space, "Sequence", "sequence", event())
    space.quiet()
    accounts = f"system:serviceaccount:{space.namespace}:"
    for got in (*steps, reply):
        assert sender(got.received[0]).startswith(accounts)


def test_a_parallel_sends_tokens_to_its_parts(space: Space) -> None:
    filtering, subscriber = space.sink(appends("")), space.sink(appends("!"))
    reply = space.sink()
    branches = [{"filter": named(filtering), "subscriber": named(subscriber)}]
    space.made("Parallel", "parallel", {"branches": branches, "reply": named(reply)})
    administrators(space, "Parallel", "parallel", event())
    space.quiet()
    accounts = f"system:serviceaccount:{space.namespace}:"
    for got in (filtering, subscriber, reply):
        assert sender(got.received[0]).startswith(accounts)


def test_sources_send_under_their_own_names(space: Space) -> None:
    pings, changes = space.sink(), space.sink()
    ping = {"schedule": "* * * * * *", "sink": named(pings)}
    space.made("PingSource", "ping", ping)
    watched = [{"apiVersion": "v1", "kind": "ConfigMap"}]
    source = {"serviceAccountName": "default", "resources": watched, "sink": named(changes)}
    space.made("ApiServerSource", "changes", source)
    space.make("ConfigMap", "seen")
    for kind, name, sink in (
        ("PingSource", "ping", pings),
        ("ApiServerSource", "changes", changes),
    ):
        (got, *_) = sink.until()
        assert sender(got) == identity(space, kind, name)


def test_a_container_source_finds_a_token(space: Space) -> None:
    sink = space.sink()
    spec = {"template": heartbeats(), "sink": named(sink)}
    space.made("ContainerSource", "beats", spec)
    assert sender(sink.until_type(HEARTBEAT)).startswith(
        f"system:serviceaccount:{space.namespace}:"
    )
