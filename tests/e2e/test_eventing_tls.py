"""Sinks with ``https``, by the scenarios of Knative Eventing's own end-to-end tests.

Source: Eventing reference §19 (the tests of TLS whose sinks come with certificates).
``docs/conformance.md`` says which test here stands for which there.
"""

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from tests.e2e.eventspace import HEARTBEAT, Space, event, heartbeats
from tests.e2e.recorder import Recorder, Sink, drops_first, recording, replies

pytestmark = pytest.mark.e2e

PING = "dev.knative.sources.ping"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def recorder(authority: trustme.CA) -> Iterator[Recorder]:
    """Where the sinks are, which nobody trusts without the certificate of the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with recording(context) as found:
        yield found


@pytest.fixture
def certificates(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


def trusting(sink: Sink, certificates: str) -> dict[str, str]:
    """A Destination that brings what vouches for it."""
    return {"uri": sink.url, "CACerts": certificates}


def test_a_trigger_delivers_to_https(space: Space, certificates: str) -> None:
    sink, dead = space.sink(), space.sink()
    broker = space.broker()
    space.trigger(broker, trusting(sink, certificates))
    delivery = {"retry": 1, "deadLetterSink": trusting(dead, certificates)}
    space.trigger(broker, "http://127.0.0.1:9", delivery=delivery)
    sent = space.send("Broker", broker, event())
    space.quiet()
    assert sink.ids == dead.ids == [sent.id]


def test_a_subscription_delivers_to_https(space: Space, certificates: str) -> None:
    answers, reply, dead = space.sink(replies("reply", "/r", b"{}")), space.sink(), space.sink()
    failing = space.sink(drops_first(1, 422))
    channel = space.channel()
    space.subscription(
        channel, trusting(answers, certificates), reply=trusting(reply, certificates)
    )
    delivery = {"deadLetterSink": trusting(dead, certificates)}
    space.subscription(channel, trusting(failing, certificates), delivery=delivery)
    sent = space.send("InMemoryChannel", channel, event())
    space.quiet()
    assert answers.ids == reply.ids == dead.ids == [sent.id]


def test_without_certificates_nothing_is_sent(space: Space) -> None:
    broker, sink = space.broker(delivery={"retry": 0}), space.sink()
    space.trigger(broker, sink)
    sent = space.send("Broker", broker, event())
    space.quiet()
    assert sink.received == []
    (row,) = space.story(sent)["rows"]
    assert "certificate" in row["attempts"][0]["why"].lower()


SOURCES: dict[str, tuple[dict[str, Any], str]] = {
    "PingSource": ({"schedule": "* * * * * *"}, PING),
    "ApiServerSource": (
        {"serviceAccountName": "default", "resources": [{"apiVersion": "v1", "kind": "ConfigMap"}]},
        "dev.knative.apiserver.ref.add",
    ),
    "ContainerSource": ({"template": heartbeats()}, HEARTBEAT),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_sends_to_https(space: Space, kind: str, certificates: str) -> None:
    sink, (spec, event_type) = space.sink(), SOURCES[kind]
    space.made(kind, "source", {**spec, "sink": trusting(sink, certificates)})
    space.make("ConfigMap", "seen")
    sink.until_type(event_type)
    status = space.object(kind, "source")["status"]
    assert status["sinkUri"] == sink.url
    assert status["sinkCACerts"] == certificates


def test_a_bound_deployment_sends_to_https(space: Space, certificates: str) -> None:
    sink, template = space.sink(), heartbeats()
    template["metadata"]["labels"] = {"app": "subject"}
    selector = {"matchLabels": {"app": "subject"}}
    space.make("Deployment", "subject", {"selector": selector, "template": template})
    subject = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "subject"}
    spec = {"subject": subject, "sink": trusting(sink, certificates)}
    space.made("SinkBinding", "binding", spec)
    sink.until_type(HEARTBEAT)
    status = space.object("SinkBinding", "binding")["status"]
    assert (status["sinkUri"], status["sinkCACerts"]) == (sink.url, certificates)
