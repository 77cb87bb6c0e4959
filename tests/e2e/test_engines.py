"""What a Broker promises whatever keeps its events, where engines differ most: order, objects that
change while events are on their way, the log, and a death of knlite.

``test_eventing_broker.py``, ``test_eventing_trigger.py`` and ``test_eventing_traps.py`` run for all
engines as well.
"""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.engines import Kept, on_all_engines
from tests.e2e.eventspace import BROKER_CLASS, Space, attributes, event, ref
from tests.e2e.executable import Knlite, wait_until
from tests.e2e.recorder import CONFLICT, Answer, Event, Recorder, Script, drops_first, replies

pytestmark = [pytest.mark.e2e, pytest.mark.beside]
DURABLE = True

Up = Callable[..., Knlite]

OFTEN = {"retry": 50, "backoffPolicy": "linear", "backoffDelay": "PT0.1S"}
ORDERED = {"kafka.eventing.knative.dev/delivery.order": "ordered"}
SEVERAL = {"rabbitmq.eventing.knative.dev/parallelism": "10"}
"""At once; for RabbitMQ, as upstream, it is one if nobody says otherwise."""


def refuses_each_once() -> Script:
    """Takes every event at the second attempt."""
    seen = set[str]()

    def script(_: int, sent: Event) -> Answer:
        known = sent.id in seen
        seen.add(sent.id)
        return Answer() if known else Answer(CONFLICT)

    return script


@on_all_engines
def test_an_ordered_trigger_goes_on_when_an_event_has_ended(space: Space) -> None:
    broker, sink = space.broker(), space.sink(refuses_each_once())
    space.trigger(broker, sink, delivery=OFTEN, annotations=ORDERED)
    # Order is kept among the events of a key; without keys Kafka spreads them.
    sent = [space.send("Broker", broker, event(partitionkey="one")).id for _ in range(20)]
    space.quiet()
    assert sink.ids == sent
    assert [each.event.id for each in sink.received] == [each for each in sent for _ in range(2)]


@on_all_engines
def test_an_event_that_fails_holds_up_no_other(space: Space) -> None:
    healed = threading.Event()

    def script(_: int, sent: Event) -> Answer:
        return Answer() if sent.type != "bad" or healed.is_set() else Answer(CONFLICT)

    broker, sink = space.broker(), space.sink(script)
    space.trigger(broker, sink, delivery=OFTEN, annotations=SEVERAL)
    bad = space.send("Broker", broker, event("bad", partitionkey="one"))
    others = [space.send("Broker", broker, event(partitionkey="one")).id for _ in range(20)]
    sink.until(20)
    assert sorted(sink.ids) == sorted(others)
    healed.set()
    sink.until(21)
    assert bad.id in sink.ids


@on_all_engines
def test_many_triggers_get_what_is_for_them(space: Space) -> None:
    broker = space.broker()
    sinks = [space.sink() for _ in range(12)]
    for number, sink in enumerate(sinks):
        space.trigger(broker, sink, **attributes(type=f"type{number % 4}"))
    sent = [space.send("Broker", broker, event(f"type{number % 4}")) for number in range(20)]
    space.quiet()
    for number, sink in enumerate(sinks):
        wanted = sorted(each.id for each in sent if each.type == f"type{number % 4}")
        assert sorted(sink.ids) == wanted


ODD = {
    "subject": 'a b%20"c" \' \\ {}',
    "exempty": "x" * 900,
    "exnumber": "-12",
    "partitionkey": "key/1",
    "time": "2020-03-21T12:34:56.123456789Z",
}
BODIES = {
    "bytes": (bytes(range(256)), "application/octet-stream"),
    "no data": (b"", ""),
    "large": (b"y" * 900_000, "text/plain"),
    "text": ('{"msg":"Größe \N{SNOWMAN}"}'.encode(), "application/json; charset=utf-8"),
}


@on_all_engines
@pytest.mark.parametrize("case", BODIES)
def test_an_event_comes_out_as_it_went_in(space: Space, case: str) -> None:
    data, content_type = BODIES[case]
    broker, sink = space.broker(), space.sink()
    space.trigger(broker, sink)
    sent = event(data=data, datacontenttype=content_type, **ODD)
    if not content_type:
        plain = {name: sent.attributes[name] for name in sent.attributes if name[:4] != "data"}
        sent = Event(plain, data)
    space.send("Broker", broker, sent)
    space.quiet()
    (got,) = sink.received
    kept = {**got.event.attributes}
    kept.pop("knativearrivaltime", None)
    assert Event(kept, got.event.data) == sent


@on_all_engines
def test_events_wait_for_a_subscriber_that_is_missing(space: Space) -> None:
    broker, sink = space.broker(), space.sink()
    space.made("Broker", "inbox", annotations={BROKER_CLASS: "MTChannelBasedBroker"})
    space.trigger("inbox", sink)
    missing = space.make(
        "Trigger", "early", {"broker": broker, "subscriber": ref("Broker", "later")}
    )
    space.until_ready("Trigger", missing, "False")
    sent = space.send("Broker", broker, event())
    wait_until(lambda: space.story(sent)["state"] == "waiting", "the event to wait")
    space.make("Trigger", "of-later", {"broker": "later", "subscriber": ref("Broker", "inbox")})
    space.made("Broker", "later", annotations={BROKER_CLASS: "MTChannelBasedBroker"})
    sink.until()
    assert sink.ids == [sent.id]


@on_all_engines
def test_an_event_on_its_way_goes_to_the_subscriber_that_a_trigger_has_got(space: Space) -> None:
    broker, sink = space.broker(), space.sink()
    failing = space.sink(drops_first(10**6))
    trigger = space.trigger(broker, failing, delivery=OFTEN)
    sent = space.send("Broker", broker, event())
    wait_until(lambda: failing.received, "an attempt")
    answer = space.patch("Trigger", trigger, {"spec": {"subscriber": {"uri": sink.url}}})
    assert answer.status_code == 200, answer.text
    sink.until()
    space.quiet()
    assert sink.ids == [sent.id]


@on_all_engines
def test_a_trigger_with_another_filter_gets_what_passes_that(space: Space) -> None:
    broker, sink = space.broker(), space.sink()
    spec = {"broker": broker, "subscriber": {"uri": sink.url}}
    trigger = space.made("Trigger", "edited", {**spec, **attributes(type="a")})
    first = space.send("Broker", broker, event("a"))
    space.send("Broker", broker, event("b"))
    space.quiet()
    answer = space.patch("Trigger", trigger, {"spec": attributes(type="b")})
    if space.kept.engine == "rabbitmq":
        # Its bindings cannot be changed, so upstream refuses another filter.
        assert answer.status_code == 400, answer.text
        space.delete("Trigger", trigger)
        space.made("Trigger", trigger, {**spec, **attributes(type="b")})
    else:
        assert answer.status_code == 200, answer.text
        space.until_ready("Trigger", trigger)
    space.send("Broker", broker, event("a"))
    second = space.send("Broker", broker, event("b"))
    space.quiet()
    assert sink.ids == [first.id, second.id]


@on_all_engines
def test_a_trigger_gets_nothing_from_before_it_existed(space: Space) -> None:
    broker, early, late = space.broker(), space.sink(), space.sink()
    space.trigger(broker, early)
    before = space.send("Broker", broker, event())
    space.quiet()
    space.trigger(broker, late)
    after = space.send("Broker", broker, event())
    space.quiet()
    assert early.ids == [before.id, after.id]
    assert late.ids == [after.id]


@on_all_engines
def test_a_trigger_that_is_deleted_gets_nothing_more(space: Space) -> None:
    broker, sink = space.broker(), space.sink()
    failing = space.sink(drops_first(10**6))
    trigger = space.trigger(broker, failing, delivery=OFTEN)
    space.trigger(broker, sink)
    space.send("Broker", broker, event())
    wait_until(lambda: failing.received, "an attempt")
    space.delete("Trigger", trigger)
    space.quiet()
    attempts = len(failing.received)
    space.send("Broker", broker, event())
    space.quiet()
    assert len(sink.ids) == 2
    assert len(failing.received) == attempts


def rows(space: Space, sent: Event) -> dict[str, dict[str, Any]]:
    """Of the newest story of an event, by the Triggers."""
    return {row["name"]: row for row in space.story(sent)["rows"]}


@on_all_engines
def test_the_log_tells_what_became_of_an_event(space: Space) -> None:
    broker, sink = space.broker(), space.sink(replies("reply", "/r", b"{}"))
    space.trigger(broker, sink, name="good", **attributes(type="order"))
    space.trigger(broker, space.sink(), name="bad", **attributes(type="other"))
    sent = space.send("Broker", broker, event("order"))
    space.quiet()
    told = rows(space, sent)
    assert space.story(sent)["state"] == "delivered"
    assert (told["good"]["matched"], told["bad"]["matched"]) == (True, False)
    assert told["bad"]["why"] == 'type is "order", and "other" is wanted'
    assert told["good"]["attempts"][0]["status"] == 200


@on_all_engines
def test_dead_letters_are_redriven_to_whom_did_not_take_them(space: Space) -> None:
    dead, sink, other = space.sink(), space.sink(drops_first(1, 507, b"no room")), space.sink()
    broker = space.broker()
    delivery = {"deadLetterSink": {"uri": dead.url}, "retry": 0}
    space.trigger(broker, sink, delivery=delivery)
    space.trigger(broker, other)
    sent = space.send("Broker", broker, event())
    space.quiet()
    assert (dead.ids, sink.ids, other.ids) == ([sent.id], [], [sent.id])
    one = {"id": sent.id, "source": sent.source}
    (letter,) = space.knlite.admin.get("/knlite/dead-letters", params=one).json()["deadLetters"]
    assert "507" in json.dumps(letter)
    answer = space.knlite.admin.post("/knlite/dead-letters/redrive", params=one)
    assert answer.status_code == 200, answer.text
    sink.until()
    space.quiet()
    assert (dead.ids, sink.ids, other.ids) == ([sent.id], [sent.id], [sent.id])


@on_all_engines
def test_an_event_is_replayed_to_all_or_to_one(space: Space) -> None:
    broker, first, second = space.broker(), space.sink(), space.sink()
    space.trigger(broker, first, name="first")
    space.trigger(broker, second, name="second", **attributes(type="other"))
    sent = space.send("Broker", broker, event())
    space.quiet()
    one = {"id": sent.id, "source": sent.source}
    for egress, expected in (("", (2, 0)), (f"{space.namespace}/first", (3, 0))):
        query = {**one, **({"trigger": egress} if egress else {})}
        answer = space.knlite.admin.post("/knlite/replay", params=query)
        assert answer.status_code == 200, answer.text
        space.quiet()
        assert (len(first.ids), len(second.ids)) == expected
    assert set(first.ids) == {sent.id}


def broker_of(folder: Path) -> str:
    """A name that no other test has: without a data folder it is all that servers know it by."""
    return folder.name.replace("_", "-") + f"-{os.getpid()}"


def manifests(folder: Path, kept: Kept, url: str, **delivery: Any) -> Path:
    """A Broker on the engine of the test, and a Trigger for everything."""
    broker: dict[str, Any] = {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Broker",
        "metadata": {"name": broker_of(folder), "annotations": {BROKER_CLASS: kept.broker_class}},
    }
    documents = [broker]
    if kept.config:
        config = {"apiVersion": "v1", "kind": kept.config_kind, "name": "server"}
        broker["spec"] = {"config": {**config, "namespace": "default"}}
        kind = {"apiVersion": "v1", "kind": kept.config_kind}
        documents.append({**kind, "metadata": {"name": "server"}, "data": dict(kept.config)})
    documents.append(
        {
            "apiVersion": "eventing.knative.dev/v1",
            "kind": "Trigger",
            "metadata": {"name": "all"},
            "spec": {"broker": broker_of(folder), "subscriber": {"uri": url}, "delivery": delivery},
        }
    )
    path = folder / "manifests.yaml"
    path.write_text("\n---\n".join(map(json.dumps, documents)), encoding="utf-8")
    return path


def accepts(knlite: Knlite, broker: str, sent: Event) -> bool:
    """Whether a broker has taken an event."""
    path = f"/ns/default/brokers/{broker}"
    try:
        answer = knlite.http.post(path, headers=sent.binary(), content=sent.data)
    except httpx.TransportError:
        return False
    return answer.status_code == 202


def on_durable_engines(*runs: str) -> pytest.MarkDecorator:
    """Runs a test by engine; a server keeps events whether knlite has a data folder or not."""
    cases = [(run.removesuffix(", no folder"), "no folder" not in run) for run in runs]
    return pytest.mark.parametrize(("kept", "durable"), cases, indirect=["kept"], ids=runs)


@on_durable_engines("sqlite", "rabbitmq", "kafka, no folder")
def test_what_was_accepted_is_delivered_after_kill_9(
    up: Up, recorder: Recorder, kept: Kept, durable: bool, tmp_path: Path
) -> None:
    sink = recorder.sink(drops_first(10**6, 503))
    path = manifests(tmp_path, kept, sink.url, **OFTEN)
    options = ("--runtime", "process", *(("--data-dir", tmp_path / "data") if durable else ()))
    first = up(path, *options).settled()
    taken: list[str] = []

    def send() -> None:
        while accepts(first, broker_of(tmp_path), sent := event()):
            taken.append(sent.id)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(taken) > 200, "a stream of events")
    first.process.kill()
    for thread in threads:
        thread.join()
    sink.script = lambda _, __: Answer()
    up(path, *options)
    wait_until(lambda: set(taken) <= set(sink.ids), "all that were accepted")


@on_durable_engines("sqlite", "rabbitmq, no folder", "kafka")
def test_a_run_that_ends_well_leaves_nothing_to_be_done_twice(
    up: Up, recorder: Recorder, kept: Kept, durable: bool, tmp_path: Path
) -> None:
    sink = recorder.sink()
    path = manifests(tmp_path, kept, sink.url)
    options = ("--runtime", "process", *(("--data-dir", tmp_path / "data") if durable else ()))
    sent = [event() for _ in range(50)]
    run = up(path, *options).settled()
    for each in sent:
        assert accepts(run, broker_of(tmp_path), each)
    sink.until(len(sent))
    assert run.stop() == 0
    run = up(path, *options).settled()
    wait_until(
        lambda: accepts(run, broker_of(tmp_path), last := event("last")) and last, "the broker"
    )
    sink.until_type("last")
    assert {each.id for each in sent} <= set(sink.ids)
    assert len(sink.ids) == len(sent) + len(sink.of_type("last"))
