"""Channels and Subscriptions, by the scenarios of Knative Eventing's own end-to-end tests.

Source: Eventing reference §19 (channel, delivery timeout). ``docs/conformance.md`` says which test
here stands for which there.
"""

from base64 import b64encode
from typing import Any

import pytest

from tests.e2e.eventspace import HEARTBEAT, Space, event, full_event, heartbeats, ref
from tests.e2e.executable import wait_until
from tests.e2e.recorder import Event, drops_first, replies, slow, takes

pytestmark = pytest.mark.e2e

NAMES = (
    "customname",
    "name-with-dash",
    "name1with2numbers3",
    "name63-01234567890123456789012345678901234567890123456789012345",
)
KINDS = ("Channel", "InMemoryChannel")
ASYNC = "messaging.knative.dev/async-handler"


@pytest.mark.parametrize("kind", KINDS)
def test_channels_of_many_names_go_ready(space: Space, kind: str) -> None:
    for name in NAMES:
        space.make(kind, name)
    for name in NAMES:
        space.until_ready(kind, name)


@pytest.mark.parametrize("kind", KINDS)
def test_subscriptions_to_channels_of_many_names_go_ready(space: Space, kind: str) -> None:
    for name in NAMES:
        space.make(kind, name)
        subscriber = {"uri": "http://sink.test"}
        space.make(
            "Subscription", name, {"channel": ref(kind, name)["ref"]} | {"subscriber": subscriber}
        )
    for name in NAMES:
        space.until_ready("Subscription", name)


def test_a_channel_object_conforms(space: Space) -> None:
    definition = space.knlite.object(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        "/inmemorychannels.messaging.knative.dev"
    )
    assert definition["spec"]["scope"] == "Namespaced"
    labels = definition["metadata"]["labels"]
    assert labels["messaging.knative.dev/subscribable"] == "true"
    assert labels["duck.knative.dev/addressable"] == "true"
    assert "channel" in definition["spec"]["names"]["categories"]

    dead = space.channel()
    channel = space.channel(delivery={"deadLetterSink": ref("InMemoryChannel", dead)})
    subscription = space.subscription(channel, "http://sink.test")
    found = space.object("InMemoryChannel", channel)
    assert found["metadata"]["annotations"]["messaging.knative.dev/subscribable"] == "v1"
    (subscriber,) = found["spec"]["subscribers"]
    uid = space.object("Subscription", subscription)["metadata"]["uid"]
    assert (subscriber["uid"], subscriber["subscriberUri"]) == (uid, "http://sink.test")
    status = found["status"]
    assert [(each["uid"], each["ready"]) for each in status["subscribers"]] == [(uid, "True")]
    assert status["observedGeneration"] == found["metadata"]["generation"]
    assert status["address"]["url"].startswith("http://")
    assert status["deadLetterSinkUri"] == space.address("InMemoryChannel", dead)


def test_service_accounts_may_manipulate_channels(space: Space) -> None:
    user = f"system:serviceaccount:{space.namespace}:default"
    for verb in ("get", "list", "watch", "update", "patch", "delete"):
        for subresource in ("", "status"):
            attributes = {
                "namespace": space.namespace,
                "verb": verb,
                "group": "messaging.knative.dev",
                "resource": "inmemorychannels",
                "subresource": subresource,
            }
            answer = space.knlite.admin.post(
                "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                json={"spec": {"user": user, "resourceAttributes": attributes}},
            )
            assert answer.status_code == 201, answer.text
            assert answer.json()["status"]["allowed"] is True


BINARY_TYPES = ("application/vnd.apache.thrift.binary", "application/xml", "application/json")


def test_the_endpoint_of_a_channel_conforms(space: Space) -> None:
    channel, sink = space.channel(), space.sink()
    space.subscription(channel, sink)
    sent = [
        space.send("InMemoryChannel", channel, event(specversion=each)) for each in ("0.3", "1.0")
    ]
    sent += [
        space.send("InMemoryChannel", channel, event(data=b"{}", datacontenttype=each))
        for each in BINARY_TYPES
    ]
    structured = event(time="2020-07-06T09:23:12Z", data=b'{"message": "helloworld"}')
    sent.append(space.send("InMemoryChannel", channel, structured, structured=True))
    space.quiet()
    got = {each.event.id: each.event for each in sink.taken}
    assert got == {each.id: each for each in sent}

    url = space.address("InMemoryChannel", channel)
    assert space.request(url, method="GET", headers=event().binary()).status_code == 405
    for name in ("specversion", "type", "source", "id"):
        headers = event().binary()
        del headers[f"ce-{name}"]
        assert space.request(url, content=b"{}", headers=headers).status_code == 400, name


# How often the subscriber fails, whether it replies, how often the reply's target fails; requests
# at the subscriber, at the reply's target and at the dead letter sink.
CASES: dict[str, tuple[int, bool, int, tuple[int, int, int]]] = {
    "the subscriber": (1, False, 0, (2, 0, 0)),
    "the subscriber that replies": (1, True, 0, (2, 1, 0)),
    "the subscriber and the reply": (1, True, 1, (2, 2, 0)),
    "the reply for good": (1, True, 2, (2, 2, 1)),
}


def test_channels_retry_what_fails(space: Space) -> None:
    channel = space.channel()
    sinks = {}
    for case, (failures, answers, reply_failures, _) in CASES.items():
        then = replies("reply", "http://reply", b"{}") if answers else takes
        subscriber = space.sink(drops_first(failures, then=then))
        reply, dead = space.sink(drops_first(reply_failures)), space.sink()
        delivery = {"retry": 1, "deadLetterSink": {"uri": dead.url}}
        more: dict[str, Any] = {"reply": {"uri": reply.url}} if answers else {}
        space.subscription(channel, subscriber, delivery=delivery, **more)
        sinks[case] = subscriber, reply, dead
    sent = space.send("InMemoryChannel", channel, full_event())
    space.quiet()
    requests = {case: tuple(len(each.received) for each in sinks[case]) for case in CASES}
    assert requests == {case: wanted for case, (*_, wanted) in CASES.items()}
    (dead_letter,) = sinks["the reply for good"][2].received
    assert dead_letter.event.type == sent.type, "the event itself, not the reply"


def test_a_chain_of_channels_relays_events(space: Space) -> None:
    channels = [space.channel() for _ in range(10)]
    sink = space.sink()
    targets = [*(ref("InMemoryChannel", each) for each in channels[1:]), sink]
    for channel, target in zip(channels, targets, strict=True):
        space.subscription(channel, target)
    template = heartbeats("--eventType=chained")
    spec = {"template": template, "sink": ref("InMemoryChannel", channels[0])}
    space.made("ContainerSource", "beats", spec)
    sink.until_type("chained")


@pytest.mark.parametrize("kind", KINDS)
def test_a_channel_has_a_dead_letter_sink(space: Space, kind: str) -> None:
    dead, failer = space.sink(), space.sink(drops_first(1))
    channel = space.channel(kind, delivery={"deadLetterSink": {"uri": dead.url}})
    space.subscription(channel, failer, kind=kind)
    assert space.object(kind, channel)["status"]["deadLetterSinkUri"] == dead.url
    spec = {"template": heartbeats(), "sink": ref(kind, channel)}
    space.made("ContainerSource", "beats", spec)
    got = dead.until_type(HEARTBEAT)
    assert got.headers["kn-namespace"] == space.namespace


def test_a_channel_is_a_dead_letter_sink(space: Space) -> None:
    sink, failer = space.sink(), space.sink(drops_first(10))
    dead = space.channel("Channel")
    space.subscription(dead, sink, kind="Channel")
    channel = space.channel("Channel", delivery={"deadLetterSink": ref("Channel", dead)})
    space.subscription(channel, failer, kind="Channel")
    status = space.object("Channel", channel)["status"]
    assert status["deadLetterSinkUri"] == space.address("Channel", dead)
    spec = {"template": heartbeats(), "sink": ref("Channel", channel)}
    space.made("ContainerSource", "beats", spec)
    sink.until_type(HEARTBEAT)


@pytest.mark.parametrize("later", ["", "true", "false"])
def test_a_channel_may_be_asynchronous(space: Space, later: str) -> None:
    sink = space.sink()
    channel = space.channel(annotations={ASYNC: "true"})
    space.subscription(channel, sink)
    if later:
        changed = space.patch(
            "InMemoryChannel", channel, {"metadata": {"annotations": {ASYNC: later}}}
        )
        assert changed.status_code == 200
        space.until_ready("InMemoryChannel", channel)
    sent = space.send("InMemoryChannel", channel, full_event())
    space.quiet()
    assert sink.ids == [sent.id]


def test_events_are_transformed_between_two_channels(space: Space) -> None:
    first, second = space.channel(), space.channel()
    transforms, sink = space.sink(replies("transformed", "transformer")), space.sink()
    space.subscription(first, transforms, reply=ref("InMemoryChannel", second))
    space.subscription(second, sink)
    sent = [space.send("InMemoryChannel", first, full_event()) for _ in range(3)]
    space.quiet()
    assert sorted(sink.ids) == sorted(each.id for each in sent)
    assert {each.event.type for each in sink.taken} == {"transformed"}


@pytest.mark.parametrize("structured", [False, True], ids=["binary", "structured"])
def test_an_event_passes_a_channel_in_either_encoding(space: Space, *, structured: bool) -> None:
    channel, sink = space.channel(), space.sink()
    space.subscription(channel, sink)
    sent = space.send("InMemoryChannel", channel, full_event(), structured=structured)
    space.quiet()
    (got,) = sink.received
    assert got.event == Event(sent.attributes, sent.data)
    assert got.headers["prefer"] == "reply"


ERROR_DATA = (
    b"<!doctype html>\n<html>\n<title>Error Page(tm)</title>\n<p>Quoth the server, 404!\n</html>"
)


@pytest.mark.parametrize("body", [b"", ERROR_DATA], ids=["without a body", "with a body"])
def test_a_dead_letter_says_what_failed(space: Space, body: bytes) -> None:
    failer, dead = space.sink(drops_first(1, 422, body)), space.sink()
    channel = space.channel(delivery={"deadLetterSink": {"uri": dead.url}})
    space.subscription(channel, failer)
    space.send("InMemoryChannel", channel, full_event())
    space.quiet()
    (got,) = dead.received
    assert got.event.attributes["knativeerrordest"] == failer.url
    assert got.event.attributes["knativeerrorcode"] == "422"
    assert got.event.attributes["knativeerrordata"] == b64encode(body).decode()


def test_a_dead_letter_of_a_subscriber_that_is_not_there(space: Space) -> None:
    nobody, dead = "http://fake.svc.cluster.local", space.sink()
    channel = space.channel(delivery={"deadLetterSink": {"uri": dead.url}})
    space.subscription(channel, nobody)
    space.send("InMemoryChannel", channel, full_event())
    space.quiet()
    (got,) = dead.received
    assert got.event.attributes["knativeerrordest"] == nobody


def test_a_delivery_that_takes_too_long_goes_to_the_dead_letter_sink(space: Space) -> None:
    late, dead = space.sink(slow(1.5)), space.sink()
    delivery = {"deadLetterSink": {"uri": dead.url}, "timeout": "PT0.3S"}
    channel = space.channel("Channel", delivery=delivery)
    space.subscription(channel, late, kind="Channel")
    sent = space.send("Channel", channel, full_event())
    space.quiet()
    assert dead.ids == [sent.id]
    wait_until(lambda: late.received, "the subscriber has had it, too")
