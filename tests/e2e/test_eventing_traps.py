"""Where a naive emulator of Eventing goes wrong, on the wire.

Source: Eventing data plane reference §11; a test names the traps it is about by their numbers
there. ``docs/conformance.md`` says where the others are tested.
"""

from typing import Any

import pytest

from tests.e2e.engines import on_all_engines
from tests.e2e.eventspace import Space, event, ref
from tests.e2e.recorder import STRUCTURED, Answer, Script, appends, drops_first, held, replies

pytestmark = pytest.mark.e2e
DURABLE = True

BROKERS = "http://broker-ingress.knative-eventing.svc.cluster.local"
TTL = "knativebrokerttl"


def says(status: int, body: bytes = b"", **headers: str) -> Script:
    """Answers everything alike."""
    return lambda _, __: Answer(status, body, headers)


@on_all_engines
def test_202_is_said_when_an_event_is_kept(space: Space) -> None:
    """Trap 1. Differs: upstream answers when all Triggers are done."""
    broker = space.broker(delivery={"retry": 0})
    space.trigger(broker, space.sink(says(500)))
    with held() as script:
        space.trigger(broker, space.sink(script))
        sent = space.send("Broker", broker, event())
        assert space.story(sent)["state"] == "delivering"
    space.quiet()
    assert space.story(sent)["state"] == "failed"


def test_a_bad_event_wins_over_a_missing_broker(space: Space) -> None:
    """Trap 2."""
    url = f"{BROKERS}/{space.namespace}/missing"
    assert space.request(url, headers={"ce-id": "1"}).status_code == 400
    assert space.post_event(url, event()).status_code == 404


def test_an_unknown_channel_is_an_error_whatever_is_asked(space: Space) -> None:
    """Trap 3."""
    url = f"http://missing-kn-channel.{space.namespace}.svc.cluster.local"
    assert space.post_event(url, event()).status_code == 500
    assert space.request(url, method="GET").status_code == 500


def test_webhooks_are_allowed_by_brokers_and_channels_only(space: Space) -> None:
    """Traps 4 and 5."""
    for kind, name in (("Broker", space.broker()), ("InMemoryChannel", space.channel())):
        answer = space.request(space.address(kind, name), method="OPTIONS")
        assert (answer.status_code, answer.headers["webhook-allowed-origin"]) == (200, "*")
    template: dict[str, Any] = {
        "metadata": {"annotations": {"knlite.dev/command": "true"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]},
    }
    sink = space.made("JobSink", "sink", {"job": {"spec": {"template": template}}})
    for method in ("OPTIONS", "PUT", "GET"):
        answer = space.request(space.address("JobSink", sink), method=method)
        assert answer.status_code == 400, method
    missing = "http://job-sink.knative-eventing.svc.cluster.local/ns/missing"
    assert space.post_event(missing, event()).status_code == 400


@on_all_engines
def test_the_time_to_live_of_an_event(space: Space) -> None:
    """Traps 6 and 40."""
    dead = space.sink()
    broker = space.broker(delivery={"deadLetterSink": {"uri": dead.url}})
    sink = space.sink(says(400))
    space.trigger(broker, sink)
    url = space.address("Broker", broker)
    assert space.post_event(url, event(**{TTL: "1"})).status_code == 400
    space.send("Broker", broker, event(**{TTL: "2"}))
    space.quiet()
    space.send("Broker", broker, event())
    space.quiet()
    shown = [each.event.attributes.get(TTL) for each in (*sink.received, *dead.received)]
    # On a server it travels beside the event, and what the sender says stays where it was.
    assert shown == (["2", None, "2", None] if space.kept.on_server else [None, None, "1", "255"])


def test_attributes_are_neither_decoded_nor_unquoted(space: Space) -> None:
    """Trap 7."""
    channel, sink = space.channel(), space.sink()
    space.subscription(channel, sink)
    sent = event(spaced="a%20b", quoted='"a"')
    space.send("InMemoryChannel", channel, sent)
    (got,) = sink.until()
    assert got.event == sent


@on_all_engines
def test_times_become_utc_and_extensions_text(space: Space) -> None:
    """Trap 8."""
    broker, sink = space.broker(), space.sink()
    space.trigger(broker, sink)
    body = b"""{"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "number": 5,
        "yes": true, "time": "2024-05-01T14:48:09.500+02:00", "data": {"a": 1}}"""
    url = space.address("Broker", broker)
    answer = space.request(url, content=body, headers={"content-type": STRUCTURED})
    assert answer.status_code == 202
    (got,) = sink.until()
    attributes = got.event.attributes
    assert (attributes["number"], attributes["yes"]) == ("5", "true")
    assert attributes["time"] == "2024-05-01T12:48:09.5Z"


LATER = {"Retry-After": "60"}
TRACE = "0af7651916cd43dd8448eb211c80319c"


@on_all_engines
def test_four_families_of_headers_travel(space: Space) -> None:
    """Traps 9, 10 and 11."""
    dead = space.sink()
    broker = space.broker(delivery={"deadLetterSink": {"uri": dead.url}})
    sink = space.sink(says(400))
    space.trigger(broker, sink)
    sent = {
        "x-request-id": "r",
        "knative-x": "k",
        "x-b3-x": "b",
        "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
        "authorization": "secret",
        "cookie": "secret",
        "x-other": "o",
        "prefer": "other",
        "kn-namespace": "forged",
    }
    answer = space.post_event(space.address("Broker", broker), event(), **sent)
    assert answer.status_code == 202
    space.quiet()
    for got, prefer in ((sink.received[0], "reply"), (dead.received[0], None)):
        headers = got.headers
        assert [headers.get(name) for name in ("x-request-id", "knative-x", "x-b3-x")] == [
            "r",
            "k",
            "b",
        ]
        assert headers["kn-namespace"] == space.namespace
        assert headers.get("prefer") == prefer
        assert not {"authorization", "cookie", "x-other"} & set(headers)
        assert headers["traceparent"].split("-")[1] == TRACE
        assert headers["traceparent"] != sent["traceparent"]


@on_all_engines
def test_an_answer_that_is_no_event_fails_at_a_trigger_only(space: Space) -> None:
    """Trap 12."""
    dead, chatty = space.sink(), space.sink(says(200, b"OK"))
    delivery = {"retry": 2, "deadLetterSink": {"uri": dead.url}}
    broker, channel = space.broker(), space.channel()
    space.trigger(broker, chatty, delivery=delivery)
    sent = space.send("Broker", broker, event())
    space.quiet()
    assert len(chatty.received) == 3
    assert dead.ids == [sent.id]
    space.subscription(channel, chatty, delivery=delivery)
    space.send("InMemoryChannel", channel, event())
    space.quiet()
    assert len(chatty.received) == 4
    assert len(dead.received) == 1


@on_all_engines
def test_a_reply_may_come_with_202(space: Space) -> None:
    """Trap 13."""
    reply = event("reply")
    broker, sink = space.broker(), space.sink()
    space.trigger(
        broker,
        space.sink(lambda _, __: Answer(202, reply.data, reply.binary())),
        filter={"attributes": {"type": "type1"}},
    )
    space.trigger(broker, sink, filter={"attributes": {"type": "reply"}})
    space.send("Broker", broker, event())
    space.quiet()
    assert sink.ids == [reply.id]


@on_all_engines
def test_a_reply_comes_to_the_trigger_it_is_from_until_it_is_too_old(space: Space) -> None:
    """Traps 14 and 15."""
    dead, echo = space.sink(), space.sink(replies("type1", "/echo", b"{}"))
    broker = space.broker(delivery={"retry": 3, "deadLetterSink": {"uri": dead.url}})
    space.trigger(broker, echo)
    space.send("Broker", broker, event(**{TTL: "4"}))
    space.quiet()
    assert len(echo.received) == 3
    (letter,) = dead.received
    # Not the reply, which was refused, but the event that it answers.
    assert letter.event.attributes[TTL] == ("4" if space.kept.on_server else "1")
    ingress = f"{BROKERS}/{space.namespace}/{broker}"
    assert letter.event.attributes["knativeerrordest"] == ingress
    assert letter.event.attributes["knativeerrorcode"] == "400"


def test_a_trigger_with_only_a_dead_letter_sink_tries_once(space: Space) -> None:
    """Traps 19 and 20."""
    failing, dead = space.sink(drops_first(1, 503)), space.sink()
    broker = space.broker(delivery={"retry": 5})
    space.trigger(broker, failing, delivery={"deadLetterSink": {"uri": dead.url}})
    sent = space.send("Broker", broker, event())
    space.quiet()
    assert len(failing.received) == 1
    assert dead.ids == [sent.id]


@pytest.mark.parametrize(
    ("status", "attempts"),
    [(400, 1), (401, 1), (422, 1), (425, 1), (404, 3), (408, 3), (409, 3), (429, 3), (500, 3)],
)
def test_which_answers_are_tried_again(space: Space, status: int, attempts: int) -> None:
    """Trap 22."""
    sink, broker = space.sink(says(status)), space.broker(delivery={"retry": 2})
    space.trigger(broker, sink)
    space.send("Broker", broker, event())
    space.quiet()
    assert len(sink.received) == attempts


def test_a_retry_after_counts_where_it_is_asked_for(space: Space) -> None:
    """Trap 24."""
    space.enable("delivery-retryafter")
    delivery: dict[str, Any] = {"retry": 1}
    for most, least in ((None, 0.0), ("PT0.3S", 0.3)):
        sink = space.sink(lambda number, _: Answer(503 if number == 1 else 202, headers=LATER))
        more = {"retryAfterMax": most} if most else {}
        broker = space.broker(delivery={**delivery, **more})
        space.trigger(broker, sink)
        space.send("Broker", broker, event())
        space.quiet()
        first, second = (each.at for each in sink.received)
        assert second - first >= 0.9 * least
        assert second - first < 30


@on_all_engines
def test_a_slow_trigger_delays_no_other(space: Space) -> None:
    """Trap 34."""
    broker, sink = space.broker(), space.sink()
    with held() as script:
        late = space.sink(script)
        space.trigger(broker, late)
        space.trigger(broker, sink)
        sent = {space.send("Broker", broker, event()).id for _ in range(20)}
        assert {each.event.id for each in sink.until(20)} == sent
        assert late.received == []
    late.until(20)


def test_a_path_beside_a_broker_replaces_its_own(space: Space) -> None:
    """Trap 39."""
    broker = space.broker()
    for uri, url in (("/x", f"{BROKERS}/x"), ("x", f"{BROKERS}/{space.namespace}/x")):
        trigger = space.trigger(broker, {**ref("Broker", broker), "uri": uri})
        assert space.object("Trigger", trigger)["status"]["subscriberUri"] == url


def test_hosts_are_known_with_ports_and_by_their_short_names(space: Space) -> None:
    """Trap 41."""
    channel, sink = space.channel(), space.sink()
    space.subscription(channel, sink)
    short = f"{channel}-kn-channel.{space.namespace}"
    for host in (short, f"{short}.svc", f"{short}.svc.cluster.local:80"):
        assert space.post_event(f"http://{host}", event()).status_code == 202, host
    by_path = f"http://imc-dispatcher.knative-eventing/{space.namespace}/{channel}"
    assert space.post_event(by_path, event()).status_code == 202
    sink.until(4)


@on_all_engines
def test_triggers_outlive_their_broker(space: Space) -> None:
    """A Trigger whose Broker is deleted waits for the next one of that name."""
    sink = space.sink()
    space.broker("comes-and-goes")
    trigger = space.trigger("comes-and-goes", sink)
    space.delete("Broker", "comes-and-goes")
    assert space.until_ready("Trigger", trigger, "False")["reason"] == "BrokerDoesNotExist"
    url = f"{BROKERS}/{space.namespace}/comes-and-goes"
    assert space.post_event(url, event()).status_code == 404
    space.broker("comes-and-goes")
    space.until_ready("Trigger", trigger)
    sent = space.send("Broker", "comes-and-goes", event())
    space.quiet()
    assert sink.ids == [sent.id]


def test_objects_may_come_in_any_order(space: Space) -> None:
    """Upstream makes all objects of a scenario at the same time."""
    sink, dead = space.sink(), space.sink()

    def subscription(name: str, kind: str, channel: str, subscriber: Any) -> tuple[str, str, Any]:
        spec = {"channel": ref(kind, channel)["ref"], "subscriber": subscriber}
        return "Subscription", name, spec

    steps = [{"uri": space.sink(appends("!")).url}]
    last_first: list[tuple[str, str, Any]] = [
        ("PingSource", "ping", {"schedule": "0 0 1 1 *", "sink": ref("Broker", "broker")}),
        ("Trigger", "trigger", {"broker": "broker", "subscriber": ref("Sequence", "sequence")}),
        ("Sequence", "sequence", {"steps": steps, "reply": ref("Channel", "first")}),
        ("Broker", "broker", {"delivery": {"deadLetterSink": ref("InMemoryChannel", "dead")}}),
        subscription("of-the-dead", "InMemoryChannel", "dead", {"uri": dead.url}),
        subscription("to-the-end", "InMemoryChannel", "second", {"uri": sink.url}),
        subscription("between", "Channel", "first", ref("InMemoryChannel", "second")),
        ("Channel", "first", None),
        ("InMemoryChannel", "second", None),
        ("InMemoryChannel", "dead", None),
    ]
    for kind, name, spec in last_first:
        space.make(kind, name, spec)
    for kind, name, _ in last_first:
        space.until_ready(kind, name)
    sent = space.send("Broker", "broker", event(data=b"x"))
    space.quiet()
    assert [(each.event.id, each.event.data) for each in sink.taken] == [(sent.id, b"x!")]
    assert dead.received == []
