"""Sequences, Parallels and transforms, by the scenarios of Eventing's own end-to-end tests.

Source: Eventing reference §19 (sequence, parallel, event transform and smoke tests).
``docs/conformance.md`` says which test here stands for which there.
"""

import json
from typing import Any

import pytest

from tests.e2e.eventspace import Space, event, ref
from tests.e2e.recorder import Event, appends, read, replies

pytestmark = pytest.mark.e2e

NAMES = (
    "customname",
    "name-with-dash",
    "name1with2numbers3",
    "name63-0123456789012345678901234567890123456789012345678901234",
)
TEMPLATE: dict[str, Any] = {
    "apiVersion": "messaging.knative.dev/v1",
    "kind": "InMemoryChannel",
    "spec": {},
}
WITH_DELIVERY: dict[str, Any] = {
    **TEMPLATE,
    "spec": {"delivery": {"retry": 10, "backoffPolicy": "linear", "backoffDelay": "PT1S"}},
}
SUBSCRIBER = {"uri": "http://sink.test"}
SPECS: dict[str, tuple[str, dict[str, Any]]] = {
    "Sequence": ("Sequence", {"channelTemplate": TEMPLATE, "steps": [SUBSCRIBER, SUBSCRIBER]}),
    "Sequence with delivery": (
        "Sequence",
        {"channelTemplate": WITH_DELIVERY, "steps": [SUBSCRIBER, SUBSCRIBER]},
    ),
    "Parallel": ("Parallel", {"branches": [{"filter": SUBSCRIBER, "subscriber": SUBSCRIBER}] * 2}),
    "Parallel with delivery": (
        "Parallel",
        {
            "channelTemplate": WITH_DELIVERY,
            "branches": [{"filter": SUBSCRIBER, "subscriber": SUBSCRIBER}] * 2,
        },
    ),
    "Parallel without filters": ("Parallel", {"branches": [{"subscriber": SUBSCRIBER}] * 2}),
}


@pytest.mark.parametrize("case", SPECS)
def test_flows_of_many_names_go_ready(space: Space, case: str) -> None:
    kind, spec = SPECS[case]
    for name in NAMES:
        space.make(kind, name, spec)
    for name in NAMES:
        space.until_ready(kind, name)
    template = spec.get("channelTemplate", TEMPLATE)["spec"]
    for channel in space.objects("InMemoryChannel"):
        assert channel["spec"].get("delivery") == template.get("delivery")


def test_a_sequence_of_three_steps(space: Space) -> None:
    sink = space.sink()
    steps = [{"uri": space.sink(appends(f"-step{number}")).url} for number in (1, 2, 3)]
    spec = {"channelTemplate": TEMPLATE, "steps": steps, "reply": {"uri": sink.url}}
    space.made("Sequence", "three", spec)
    ping = {"schedule": "* * * * * *", "contentType": "text/plain", "data": "TestSequence"}
    target = {"uri": space.address("Sequence", "three")}
    space.made("PingSource", "ping", {**ping, "sink": target})
    (got, *_) = sink.until()
    assert got.event.type == "dev.knative.sources.ping"
    assert got.event.attributes["datacontenttype"] == "text/plain"
    assert got.event.data == b"TestSequence-step1-step2-step3"


def test_a_parallel_of_two_branches_whose_first_filter_passes(space: Space) -> None:
    sent = event("myevent", "http://sender.svc/", b'{"msg":"test msg"}')
    sink, silent = space.sink(), space.sink()
    passing = space.sink(replies(sent.type, sent.source, sent.data))
    branches = [
        {"filter": {"uri": each.url}, "subscriber": {"uri": space.sink(appends(" appended")).url}}
        for each in (passing, silent)
    ]
    spec = {"channelTemplate": TEMPLATE, "branches": branches, "reply": {"uri": sink.url}}
    space.made("Parallel", "two", spec)
    space.send("Parallel", "two", sent)
    space.quiet()
    assert len(silent.received) == 1
    assert [each.event.data for each in sink.received] == [sent.data + b" appended"]


EXPRESSION = """{
    "specversion": "1.0",
    "id": id,
    "type": "transformed-event",
    "source": source,
    "reason": data.reason,
    "message": data.message,
    "kind": "input",
    "data": $
}"""
OF_THE_REPLY = """{
    "specversion": "1.0",
    "id": id,
    "type": type,
    "source": source,
    "reason": reason,
    "kind": "transformed",
    "data": $
}"""
DATA = b'{"reason": "test-reason", "message": "test-message"}'


def transformed(got: Event, sent: Event) -> None:
    """Check that *got* is what the expression makes of *sent*."""
    assert (got.id, got.source, got.type) == (sent.id, sent.source, "transformed-event")
    assert (got.attributes["reason"], got.attributes["message"]) == ("test-reason", "test-message")
    whole = json.loads(got.data)
    assert (whole["id"], whole["type"], whole["data"]) == (sent.id, sent.type, json.loads(DATA))


def test_a_transformation_is_the_answer(space: Space) -> None:
    space.made("EventTransform", "direct", {"jsonata": {"expression": EXPRESSION}})
    sent = event("my-type", "my-source", DATA)
    answer = space.post_event(space.address("EventTransform", "direct"), sent)
    assert answer.status_code == 200
    transformed(read(dict(answer.headers), answer.content), sent)


def test_a_transformation_goes_to_the_sink(space: Space) -> None:
    sink = space.sink()
    spec = {"jsonata": {"expression": EXPRESSION}, "sink": {"uri": sink.url}}
    space.made("EventTransform", "to-sink", spec)
    sent = event("my-type", "my-source", DATA)
    answer = space.post_event(space.address("EventTransform", "to-sink"), sent)
    assert answer.is_success
    (got,) = sink.received
    transformed(got.event, sent)


def test_the_answer_of_the_sink_is_transformed(space: Space) -> None:
    reply = b'{"reason": "reply-reason"}'
    sink = space.sink(replies("reply-event-type", "reply-event-source", reply))
    spec = {
        "jsonata": {"expression": EXPRESSION},
        "sink": {"uri": sink.url},
        "reply": {"jsonata": {"expression": OF_THE_REPLY}},
    }
    space.made("EventTransform", "both-ways", spec)
    sent = event("my-type", "my-source", DATA)
    answer = space.post_event(space.address("EventTransform", "both-ways"), sent)
    transformed(sink.received[0].event, sent)
    assert answer.is_success
    got = read(dict(answer.headers), answer.content)
    assert (got.type, got.source) == ("reply-event-type", "reply-event-source")
    assert got.attributes["reason"] == "test-reason"
    assert got.attributes["kind"] == "transformed"
    assert json.loads(got.data)["type"] == "reply-event-type"


def test_a_channel_takes_the_reply_of_a_sequence(space: Space) -> None:
    sink = space.sink()
    channel = space.channel()
    space.subscription(channel, sink)
    spec = {
        "steps": [{"uri": space.sink(appends("!")).url}],
        "reply": ref("InMemoryChannel", channel),
    }
    space.made("Sequence", "one", spec)
    space.send("Sequence", "one", event(data=b"x"))
    space.quiet()
    assert [each.event.data for each in sink.received] == [b"x!"]
