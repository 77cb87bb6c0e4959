"""Triggers and their filters, by the scenarios of Knative Eventing's own end-to-end tests.

Source: Eventing reference §19 (trigger, new trigger filters, cross-namespace, broker conformance
and smoke tests). ``docs/conformance.md`` says which test here stands for which there.
"""

from typing import Any

import pytest

from tests.e2e.engines import on_all_engines
from tests.e2e.eventspace import NAMES, Space, attributes, event, full_event, ref

pytestmark = [pytest.mark.e2e, pytest.mark.beside]
DURABLE = True

BAD = "bad://uri"


@on_all_engines
def test_triggers_of_many_names_go_ready(space: Space) -> None:
    broker = space.broker()
    for name in NAMES:
        space.make("Trigger", name, {"broker": broker, "subscriber": {"uri": "http://sink.test"}})
    for name in NAMES:
        space.until_ready("Trigger", name)


def test_a_trigger_belongs_to_one_broker(space: Space) -> None:
    broker = space.broker()
    trigger = space.trigger(broker, "http://sink.test/path")
    found = space.object("Trigger", trigger)
    assert found["spec"]["broker"] == broker
    assert found["status"]["subscriberUri"] == "http://sink.test/path"
    assert space.patch("Trigger", trigger, {"spec": {"broker": "another"}}).status_code == 400


@on_all_engines
def test_a_trigger_may_come_before_its_broker(space: Space) -> None:
    spec = {"broker": "later", "subscriber": {"uri": "http://sink.test"}}
    trigger = space.make("Trigger", "early", spec)
    assert space.until_ready("Trigger", trigger, "False")["reason"] == "BrokerDoesNotExist"
    space.broker("later")
    space.until_ready("Trigger", trigger)


VALID_FILTERS = {
    "source": "a source",
    "id": "an id",
    "specversion": "the spec version",
    "type": "the type",
    "subject": "a subject",
    "time": "a time",
    "datacontenttype": "a datacontenttype",
    "dataschema": "a dataschema",
    "aaa": "bbb",
    "c1d2e3": "123",
    "abcdefghijklmnopqrst": "max length",
}
INVALID_FILTERS = (
    "SOURCE",
    "Source",
    "souRce",
    "s pace s",
    "s_pace_s",
    "s-pace-s",
    "123",
    "\N{SMILING FACE WITH SMILING EYES}",
    "!@#$%^&*()-_=_`~+\\",
    "{}[];':\"<>,./?",
)


def test_a_trigger_takes_valid_filters_and_no_others(space: Space) -> None:
    trigger = space.trigger(space.broker(), "http://sink.test", **attributes(**VALID_FILTERS))
    kept = space.object("Trigger", trigger)["spec"]["filter"]
    assert kept == {"attributes": VALID_FILTERS}
    for name in INVALID_FILTERS:
        refused = space.patch("Trigger", trigger, {"spec": {"filter": {"attributes": {name: "x"}}}})
        assert refused.status_code == 400, name
        assert "invalid key name" in refused.json()["message"]


@on_all_engines
def test_a_trigger_of_a_broker_in_another_namespace(space: Space, other_space: Space) -> None:
    space.enable("cross-namespace-event-links")
    broker, sink = other_space.broker(), space.sink()
    broker_ref = {**ref("Broker", broker)["ref"], "namespace": other_space.namespace}
    space.made("Trigger", "across", {"brokerRef": broker_ref, "subscriber": {"uri": sink.url}})
    sent = other_space.send("Broker", broker, full_event())
    other_space.quiet()
    assert sink.ids == [sent.id]


def test_a_trigger_is_defaulted(space: Space) -> None:
    service = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "sub"}
    space.make("Trigger", "t", {"broker": "broker", "subscriber": {"ref": service}})
    spec = space.object("Trigger", "t")["spec"]
    assert spec["filter"] == {}
    assert spec["subscriber"]["ref"]["namespace"] == space.namespace


@on_all_engines
@pytest.mark.parametrize("broker_has_one", [False, True])
def test_the_dead_letter_sink_of_a_trigger_wins(space: Space, *, broker_has_one: bool) -> None:
    mine, brokers = space.sink(), space.sink()
    delivery = {"deadLetterSink": {"uri": brokers.url}, "retry": 0}
    broker = space.broker(**({"delivery": delivery} if broker_has_one else {}))
    space.trigger(broker, BAD, delivery={"deadLetterSink": {"uri": mine.url}, "retry": 0})
    sent = {space.send("Broker", broker, full_event()).id for _ in range(3)}
    space.quiet()
    assert set(mine.ids) == sent
    assert brokers.received == []


@on_all_engines
def test_a_bad_trigger_does_not_disturb_a_good_one(space: Space) -> None:
    dead, sink = space.sink(), space.sink()
    broker = space.broker(delivery={"deadLetterSink": {"uri": dead.url}, "retry": 0})
    space.trigger(broker, sink)
    space.trigger(broker, BAD)
    sent = {space.send("Broker", broker, full_event()).id for _ in range(3)}
    space.quiet()
    assert set(sink.ids) == set(dead.ids) == sent


def test_a_trigger_waits_for_what_it_depends_on(space: Space) -> None:
    broker, sink = space.broker(), space.sink()
    depends = '{"kind":"PingSource","name":"ping","apiVersion":"sources.knative.dev/v1"}'
    trigger = space.make(
        "Trigger",
        "dependent",
        {"broker": broker, "subscriber": {"uri": sink.url}},
        annotations={"knative.dev/dependency": depends},
    )
    assert space.until_ready("Trigger", trigger, "False")["reason"] == "DependencyDoesNotExist"
    ping = {"schedule": "*/1 * * * * *", "data": "ping", "contentType": "text/plain"}
    space.made("PingSource", "ping", {**ping, "sink": ref("Broker", broker)})
    space.until_ready("Trigger", trigger)
    sink.until_type("dev.knative.sources.ping")


@on_all_engines
@pytest.mark.parametrize("mode", ["json", "binary"])
def test_a_trigger_says_in_which_mode_events_are_delivered(space: Space, mode: str) -> None:
    broker, sink = space.broker(), space.sink()
    space.trigger(broker, sink, delivery={"format": mode})
    sent = [space.send("Broker", broker, event(), structured=each) for each in (False, True)]
    space.quiet()
    assert sorted(sink.ids) == sorted(each.id for each in sent)
    structured = [
        each.headers["content-type"].startswith("application/cloudevents+json")
        for each in sink.received
    ]
    # The dispatchers of Kafka and RabbitMQ do not look at it.
    looked_at = space.kept.engine not in {"kafka", "rabbitmq"}
    assert structured == [mode == "json" and looked_at] * 2


MATCHED = {"type": "com.example.FullEvent", "source": "http://example.com/source"}
# The filters of a Trigger, its filter by attributes, and types of events by whether they pass.
DIALECTS: dict[str, tuple[list[dict[str, Any]], dict[str, str], dict[str, bool]]] = {
    "exact": ([{"exact": MATCHED}], {}, {MATCHED["type"]: True, "org.wrong.type": False}),
    "prefix": (
        [{"prefix": {"type": "com.", "source": "http"}}],
        {},
        {MATCHED["type"]: True, "org.wrong.type": False},
    ),
    "suffix": (
        [{"suffix": {"type": "xample.FullEvent", "source": "//example.com/source"}}],
        {},
        {MATCHED["type"]: True, "org.wrong.type": False},
    ),
    "cesql": (
        [{"cesql": f"type = '{MATCHED['type']}' AND source = '{MATCHED['source']}'"}],
        {},
        {MATCHED["type"]: True, "org.wrong.type": False},
    ),
    "all": (
        [
            {
                "all": [
                    {"exact": {"type": "exact.prefix.suffix.event.type"}},
                    {"prefix": {"type": "exact.prefix"}},
                    {"suffix": {"type": "suffix.event.type"}},
                    {"cesql": "type LIKE 'exact.prefix.suffix%'"},
                ]
            }
        ],
        {},
        {
            "not.event.type": False,
            "exact.prefix.suffix.event": False,
            "exact.prefix.suffix.event.suffix.event.type": False,
            "exact.prefix.suffix.event.type": True,
        },
    ),
    "any": (
        [
            {
                "any": [
                    {"exact": {"type": "exact.event.type"}},
                    {"prefix": {"type": "prefix"}},
                    {"suffix": {"type": "suffix"}},
                    {"not": {"cesql": "type LIKE '%event.type%'"}},
                    {"cesql": "type = 'cesql.event.type'"},
                ]
            }
        ],
        {},
        {
            "exact.event.type": True,
            "prefix.event.type": True,
            "event.type.suffix": True,
            "not.type.event": True,
            "cesql.event.type": True,
            "not.event.type": False,
        },
    ),
    "any of several exact ones": (
        [{"any": [{"exact": {"type": f"a.{verb}"}} for verb in ("update", "add", "delete")]}],
        {},
        {"a.update": True, "a.add": True, "a.delete": True, "prefix.event.type": False},
    ),
    "empty filters": ([], {"type": "a"}, {"a": True, "b": False}),
    "filters override the filter": (
        [{"exact": {"type": "a"}}],
        {"type": "b"},
        {"a": True, "b": False},
    ),
    "several filters": (
        [{"prefix": {"type": "a"}}, {"suffix": {"type": "z"}}],
        {},
        {"abz": True, "ab": False, "bz": False},
    ),
}


@on_all_engines
@pytest.mark.parametrize("case", DIALECTS)
def test_new_trigger_filters(space: Space, case: str) -> None:
    filters, by_attributes, types = DIALECTS[case]
    broker, sink = space.broker(), space.sink()
    space.trigger(broker, sink, filters=filters, filter={"attributes": by_attributes})
    for event_type in types:
        space.send("Broker", broker, event(event_type, MATCHED["source"]))
    space.quiet()
    passed = {event_type for event_type, wanted in types.items() if wanted}
    assert {each.event.type for each in sink.taken} == passed


@on_all_engines
def test_new_filters_of_several_triggers_and_sinks(space: Space) -> None:
    broker = space.broker()
    sinks = space.sink(), space.sink()
    for number, sink in enumerate(sinks, 1):
        either = [{"exact": {"type": f"type{number}"}}, {"prefix": {"type": "both"}}]
        space.trigger(broker, sink, filters=[{"any": either}])
    for event_type in ("type1", "both.should.match", "type2", "type3"):
        space.send("Broker", broker, event(event_type))
    space.quiet()
    got = [{each.event.type for each in sink.taken} for sink in sinks]
    assert got == [{"type1", "both.should.match"}, {"type2", "both.should.match"}]


@on_all_engines
def test_new_filters_of_attributes_that_are_missing(space: Space) -> None:
    name, value = "extensionattribute", "extensionvalue"
    tests = [
        {"exact": {name: value}},
        {"prefix": {name: value[:4]}},
        {"suffix": {name: value[5:]}},
        {"cesql": f"{name} = '{value}'"},
    ]
    broker, sink = space.broker(), space.sink()
    space.trigger(broker, sink, filters=[{"all": tests}])
    space.send("Broker", broker, event())
    sent = space.send("Broker", broker, event(**{name: value}))
    space.quiet()
    assert sink.ids == [sent.id]
