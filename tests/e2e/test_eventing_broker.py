"""Brokers, by the scenarios of Knative Eventing's own end-to-end tests.

Source: Eventing reference §19 (broker, delivery timeout and smoke tests).
``docs/conformance.md`` says which test here stands for which there.
"""

from base64 import b64encode
from itertools import pairwise
from typing import Any

import pytest

from tests.e2e.engines import on_all_engines
from tests.e2e.eventspace import NAMES, SOURCE, TYPE, Space, attributes, event, full_event, ref
from tests.e2e.recorder import Event, drops_first, fibonacci, replies, takes

pytestmark = pytest.mark.e2e
DURABLE = True

BAD = "bad://uri"
OTHER_TYPE, OTHER_SOURCE = "type2", "http://source2.com"


@on_all_engines
def test_brokers_of_many_names_go_ready(space: Space) -> None:
    for name in NAMES:
        space.make_broker(name)
    for name in NAMES:
        space.until_ready("Broker", name)


def passes(wanted: dict[str, str], sent: Event) -> bool:
    """Whether a filter by attributes passes an event; an empty value asks for any."""
    return all(
        sent.attributes.get(name) == value if value else name in sent.attributes
        for name, value in wanted.items()
    )


EXTENSIONS = (
    {"extname1": "extval1"},
    {"extname1": "extval1", "extname2": "extvalue2"},
    {"extname2": "extvalue2"},
    {"extname1": "nonmatchingextval"},
    {"nonmatchingextname": "extval1"},
    {"extname1": "extval1", "nonmatchingextname": "extval1"},
)
WANTED_EXTENSIONS = (
    {"type": "", "source": "", "extname1": "extval1"},
    {"type": "", "source": "", "extname1": "extval1", "extname2": "extvalue2"},
    {"type": "", "source": "", "extname2": "extvalue2"},
    {"type": TYPE, "source": "", "extname1": "extval1"},
    {"type": "", "source": "", "extname1": ""},
    {"type": "", "source": SOURCE, "extname1": "extval1"},
    {"type": "", "source": OTHER_SOURCE, "extname1": "extval1", "extname2": "extvalue2"},
)


@on_all_engines
@pytest.mark.parametrize(
    ("filters", "extensions"),
    [
        pytest.param(
            [
                {"type": "", "source": ""},
                {"type": TYPE, "source": ""},
                {"type": "", "source": SOURCE},
                {"type": TYPE, "source": SOURCE},
            ],
            [{}],
            id="attributes",
        ),
        pytest.param(WANTED_EXTENSIONS, EXTENSIONS, id="extensions"),
    ],
)
def test_a_broker_with_many_triggers(
    space: Space, filters: list[dict[str, str]], extensions: list[dict[str, str]]
) -> None:
    broker = space.broker()
    sinks = [space.sink() for _ in filters]
    for sink, wanted in zip(sinks, filters, strict=True):
        space.trigger(broker, sink, **attributes(**wanted))
    sent = [
        space.send("Broker", broker, event(event_type, source, **more))
        for event_type in (TYPE, OTHER_TYPE)
        for source in (SOURCE, OTHER_SOURCE)
        for more in extensions
    ]
    space.quiet()
    for sink, wanted in zip(sinks, filters, strict=True):
        assert sorted(sink.ids) == sorted(each.id for each in sent if passes(wanted, each))
        for got in sink.received:
            assert got.headers["kn-namespace"] == space.namespace


@on_all_engines
def test_a_broker_with_a_transformation_on_the_way_to_a_channel(space: Space) -> None:
    broker = space.broker()
    body = b'{"msg":"transformed body"}'
    transforms = space.sink(replies(OTHER_TYPE, OTHER_SOURCE, body))
    logs, ends = space.sink(), space.sink()
    space.trigger(broker, transforms, **attributes(type=TYPE, source=SOURCE))
    space.trigger(broker, logs, **attributes(type=""))
    channel = space.channel("Channel")
    space.subscription(channel, ends, kind="Channel")
    space.trigger(broker, ref("Channel", channel), **attributes(type=OTHER_TYPE))
    sent = space.send("Broker", broker, event())
    space.quiet()
    assert [each.event.data for each in transforms.taken] == [sent.data]
    assert {each.event.type: each.event.data for each in logs.taken} == {
        TYPE: sent.data,
        OTHER_TYPE: body,
    }
    assert [(each.event.source, each.event.data) for each in ends.taken] == [(OTHER_SOURCE, body)]


@on_all_engines
def test_a_broker_sends_a_transformed_event_to_another_trigger(space: Space) -> None:
    broker = space.broker()
    first, second = space.sink(replies(OTHER_TYPE, OTHER_SOURCE, b"{}")), space.sink()
    space.trigger(broker, first, **attributes(type=TYPE, source=SOURCE))
    space.trigger(broker, second, **attributes(type=OTHER_TYPE, source=OTHER_SOURCE))
    space.send("Broker", broker, event())
    space.quiet()
    assert [each.event.type for each in first.taken] == [TYPE]
    assert [each.event.type for each in second.taken] == [OTHER_TYPE]


@on_all_engines
def test_a_broker_is_middleware_between_source_and_sink(space: Space) -> None:
    broker, sink = space.broker(), space.sink()
    space.trigger(broker, sink)
    sent = space.send("Broker", broker, full_event())
    space.quiet()
    (got,) = sink.received
    attributes = {**got.event.attributes}
    assert ("knativearrivaltime" in attributes) != space.kept.on_server
    attributes.pop("knativearrivaltime", None)
    assert Event(attributes, got.event.data) == sent
    assert got.headers["prefer"] == "reply"


@on_all_engines
def test_a_broker_has_a_dead_letter_sink(space: Space) -> None:
    dead = space.sink()
    broker = space.broker(delivery={"deadLetterSink": {"uri": dead.url}, "retry": 0})
    space.trigger(broker, BAD)
    sent = space.send("Broker", broker, full_event())
    dead.until()
    assert dead.ids == [sent.id]


@on_all_engines
def test_a_sink_that_recovers_gets_what_the_dead_letter_sink_does_not(space: Space) -> None:
    dead, sink = space.sink(), space.sink(drops_first(2))
    # With RabbitMQ a delivery that names no number of retries has five.
    broker = space.broker(delivery={"deadLetterSink": {"uri": dead.url}, "retry": 0})
    space.trigger(broker, sink)
    sent = []
    for _ in range(3):
        sent.append(space.send("Broker", broker, event()).id)
        space.quiet()
    assert dead.ids == sent[:2]
    assert sink.ids == sent[2:]


BINARY_TYPES = ("application/vnd.apache.thrift.binary", "application/xml", "application/json")
REQUIRED = ("specversion", "type", "source", "id")


@on_all_engines
def test_the_ingress_of_a_broker_conforms(space: Space) -> None:
    broker, sink = space.broker(), space.sink()
    space.trigger(broker, sink)
    url = space.address("Broker", broker)
    assert url.startswith("http://")
    versions = [
        space.send("Broker", broker, event(specversion=version)).id for version in ("0.3", "1.0")
    ]
    for content_type in BINARY_TYPES:
        space.send("Broker", broker, event(data=b"{}", datacontenttype=content_type))
    space.send("Broker", broker, event(time="2020-07-06T09:23:12Z"), structured=True)
    space.quiet()
    assert len(sink.taken) == 6
    kept = {each.event.id: each.event.attributes["specversion"] for each in sink.taken}
    assert [kept[each] for each in versions] == ["0.3", "1.0"]

    assert space.post_event(url, event(specversion="19.0")).status_code == 400
    assert space.request(url, method="GET", headers=event().binary()).status_code == 405
    for name in REQUIRED:
        headers = event().binary()
        del headers[f"ce-{name}"]
        assert space.request(url, content=b"{}", headers=headers).status_code == 400, name


def test_a_broker_object_conforms(space: Space) -> None:
    dead = space.channel()
    broker = space.broker(delivery={"deadLetterSink": ref("InMemoryChannel", dead)})
    status = space.object("Broker", broker)["status"]
    assert status["address"]["url"].endswith(f"/{space.namespace}/{broker}")
    assert status["deadLetterSinkUri"] == space.address("InMemoryChannel", dead)
    annotation = {"eventing.knative.dev/broker.class": "Rekt.brokerClassIsImmutable"}
    refused = space.patch("Broker", broker, {"metadata": {"annotations": annotation}})
    assert "Immutable annotations changed" in refused.json()["message"]
    config = {"kind": "kind", "namespace": "namespace", "name": "name", "apiVersion": "v"}
    assert space.patch("Broker", broker, {"spec": {"config": config}}).status_code == 400


FULL = "com.example.FullEvent"
REPLY = "com.example.ReplyEvent"
ROUTES: dict[str, tuple[list[str | None], list[list[str]]]] = {
    "one without a filter": ([None], [[FULL]]),
    "one that does not want it": (["mytype"], [[]]),
    "one that wants it": ([FULL], [[FULL]]),
    "two that want it": ([FULL, FULL], [[FULL], [FULL]]),
    "one of two": (["notmytype", FULL], [[], [FULL]]),
    "the reply of the first": ([FULL, REPLY], [[FULL], [REPLY]]),
    "two without filters": ([None, None], [[FULL], [FULL]]),
}


@on_all_engines
@pytest.mark.parametrize("case", ROUTES)
def test_events_are_routed(space: Space, case: str) -> None:
    filters, expected = ROUTES[case]
    broker = space.broker()
    sinks = []
    for wanted in filters:
        answers = wanted == FULL and REPLY in filters
        sinks.append(space.sink(replies(REPLY, "http://reply", b"{}") if answers else takes))
        space.trigger(broker, sinks[-1], **(attributes(type=wanted) if wanted else {}))
    space.send("Broker", broker, full_event())
    space.quiet()
    assert [[each.event.type for each in sink.received] for sink in sinks] == expected


# Retries of the Broker and of two Triggers (none: no delivery), how often the subscribers fail,
# whether Broker and Triggers have dead letter sinks; who gets what, and who takes the dead letters.
SPECS: dict[str, tuple[list[int | None], list[int], list[bool], list[int], list[int]]] = {
    "none": ([None, None, None], [0, 0], [False] * 3, [1, 1], [0, 0, 0]),
    "of the broker": ([3, None, None], [3, 4], [True, False, False], [4, 4], [1, 0, 0]),
    "of the triggers": ([0, 3, 1], [3, 2], [False, True, False], [4, 2], [0, 0, 0]),
    "of both": ([1, 3, None], [3, 2], [True, True, False], [4, 2], [1, 0, 0]),
    "of both with dead letters": ([1, 3, None], [4, 2], [True, True, False], [4, 2], [1, 1, 0]),
}


@on_all_engines
@pytest.mark.parametrize("case", SPECS)
def test_delivery_is_that_of_the_trigger_or_else_of_the_broker(space: Space, case: str) -> None:
    retries, failures, with_dead, attempts, dead_letters = SPECS[case]
    dead = [space.sink() for _ in retries]
    blocks: list[dict[str, Any]] = []
    for retry, has_dead, sink in zip(retries, with_dead, dead, strict=True):
        block: dict[str, Any] = {}
        if retry is not None:
            block = {"retry": retry, "backoffDelay": "PT0.01S"}
        if has_dead:
            block["deadLetterSink"] = {"uri": sink.url}
        blocks.append({"delivery": block} if block else {})
    broker = space.broker(**blocks[0])
    subscribers = [space.sink(drops_first(failing)) for failing in failures]
    for subscriber, block in zip(subscribers, blocks[1:], strict=True):
        space.trigger(broker, subscriber, **block)
    space.send("Broker", broker, full_event())
    space.quiet()
    assert [len(sink.received) for sink in subscribers] == attempts
    taken = [number > fails for number, fails in zip(attempts, failures, strict=True)]
    assert [bool(sink.taken) for sink in subscribers] == taken
    assert [len(sink.taken) for sink in dead] == dead_letters


def test_a_broker_gets_the_default_delivery(space: Space) -> None:
    spec = space.object("Broker", space.broker())["spec"]
    assert spec["delivery"] == {
        "retry": 10,
        "backoffPolicy": "exponential",
        "backoffDelay": "PT0.2S",
    }


@on_all_engines
def test_events_are_redelivered_by_a_pattern(space: Space) -> None:
    delivery = {"retry": 5, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}
    broker, sink = space.broker(delivery=delivery), space.sink(fibonacci)
    space.trigger(broker, sink)
    sent = []
    for _ in range(5):
        sent.append(space.send("Broker", broker, event()).id)
        space.quiet()
    assert sink.ids == sent
    assert sink.pattern == [True, True, True, False, True, False, False, True]


def test_events_are_redelivered_until_the_sink_takes_them(space: Space) -> None:
    delivery = {"retry": 5, "backoffPolicy": "exponential", "backoffDelay": "PT0.1S"}
    broker, sink = space.broker(delivery=delivery), space.sink(drops_first(4))
    space.trigger(broker, sink)
    space.send("Broker", broker, event())
    sink.until()
    assert sink.pattern == [False] * 4 + [True]
    instants = [each.at for each in sink.received]
    waits = [after - before for before, after in pairwise(instants)]
    for wait, wanted in zip(waits, (0.1, 0.2, 0.4, 0.8), strict=True):
        assert wait >= 0.9 * wanted


ERROR_DATA = b'{ "message": "catastrophic failure" }'


@on_all_engines
@pytest.mark.parametrize("body", [b"", ERROR_DATA], ids=["without a body", "with a body"])
def test_a_dead_letter_says_what_failed(space: Space, body: bytes) -> None:
    failer, dead = space.sink(drops_first(1, 422, body)), space.sink()
    broker = space.broker()
    space.trigger(broker, failer, delivery={"deadLetterSink": {"uri": dead.url}})
    space.send("Broker", broker, event())
    space.quiet()
    (got,) = dead.received
    assert got.event.attributes["knativeerrordest"] == failer.url
    assert got.event.attributes["knativeerrorcode"] == "422"
    assert got.event.attributes["knativeerrordata"] == b64encode(body).decode()


@on_all_engines
def test_a_dead_letter_of_a_subscriber_that_is_not_there(space: Space) -> None:
    broker, dead = space.broker(), space.sink()
    nobody = "http://fake.svc.cluster.local"
    space.trigger(broker, nobody, delivery={"deadLetterSink": {"uri": dead.url}, "retry": 0})
    space.send("Broker", broker, event())
    space.quiet()
    (got,) = dead.received
    assert got.event.attributes["knativeerrordest"] == nobody
    assert got.headers["kn-namespace"] == space.namespace


@on_all_engines
def test_a_long_message_is_delivered_once(space: Space) -> None:
    broker, sink = space.broker(), space.sink()
    space.trigger(broker, sink)
    sent = event(data=b"X" * 36_864, datacontenttype="text/plain")
    space.send("Broker", broker, sent)
    space.quiet()
    assert [each.event.data for each in sink.received] == [sent.data]


@on_all_engines
def test_a_long_reply_goes_through_a_chain_of_triggers(space: Space) -> None:
    body = b'{"msg":"%s"}' % (b"X" * 36_000)
    broker = space.broker()
    first, second = space.sink(replies(OTHER_TYPE, OTHER_SOURCE, body)), space.sink()
    space.trigger(broker, first, **attributes(type=TYPE))
    space.trigger(broker, second, **attributes(type=OTHER_TYPE))
    space.send("Broker", broker, event())
    space.quiet()
    assert len(first.received) == 1
    assert [each.event.data for each in second.received] == [body]


def test_brokers_and_triggers_with_timeouts_go_ready(space: Space) -> None:
    broker = space.broker(delivery={"timeout": "PT1S"})
    trigger = space.trigger(broker, "http://sink.test", delivery={"timeout": "PT10S"})
    assert space.object("Trigger", trigger)["spec"]["delivery"] == {"timeout": "PT10S"}
