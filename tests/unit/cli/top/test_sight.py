from knlite.cli.top.sight import KEPT, Sight
from tests.unit.cli.top.documents import event, instance, load, notice, start


def test_an_instance_is_known_from_its_first_state_until_it_is_gone() -> None:
    sight = Sight()
    assert sight.take("instances", {"instances": [instance(state="starting")]}) == {"services"}
    sight.take("instances", {"instances": [instance(state="ready"), instance("web-2")]})
    assert sight.instances[("default", "web-1")]["state"] == "ready"
    sight.take("instances", {"instances": [instance(state="gone")]})
    assert list(sight.instances) == [("default", "web-2")]


def test_a_snapshot_takes_the_place_of_what_was_known_before_a_gap() -> None:
    sight = Sight()
    sight.take("instances", {"instances": [instance("old")]})
    sight.take("load", {"revisions": [load("old-00001")]})
    sight.take("instances", {"instances": [instance("new")], "whole": True})
    sight.take("load", {"revisions": [load("new-00001")], "whole": True})
    assert list(sight.instances) == [("default", "new")]
    assert list(sight.load) == [("default", "new-00001")]


def test_a_revision_that_is_gone_is_forgotten() -> None:
    sight = Sight()
    sight.take("load", {"revisions": [load("a"), load("b")]})
    sight.take("load", {"revisions": [load("a", gone=True)]})
    assert list(sight.load) == [("default", "b")]


def test_an_event_is_told_again_as_it_goes_on_and_the_newest_are_kept() -> None:
    sight = Sight()
    sight.take("events", {"items": [event(1, "delivering")], "skipped": 0})
    sight.take("events", {"items": [event(1, "delivered"), {"arrival": 7}], "skipped": 0})
    assert [each["state"] for each in sight.events.values()] == ["delivered"]
    sight.take_events(event(arrival) for arrival in range(2, KEPT + 10))
    assert len(sight.events) == KEPT
    assert min(sight.events) == 10


def test_cold_starts_are_kept_once_and_in_their_order_whoever_tells_of_them() -> None:
    sight = Sight()
    warm = start(number=2, cold=False)
    told = {"items": [start(number=1), warm, start(number=3, status=504)], "skipped": 0}
    assert sight.take("requests", told) == {"starts"}
    assert sight.take("requests", {"items": [warm], "skipped": 0}) == set()
    sight.take_starts([start(number=3, status=504), start(number=0)])
    assert [each["number"] for each in sight.starts] == [3, 1, 0]
    sight.take_starts(start(number=number) for number in range(KEPT + 10))
    assert len(sight.starts) == KEPT


def test_nothing_of_an_earlier_run_stays_that_could_not_be_asked_for() -> None:
    sight = Sight()
    sight.take("events", {"items": [event(1)], "skipped": 0})
    sight.take_starts([start()])
    sight.take("notices", {"items": [notice("it ended")], "skipped": 0})
    sight.begin()
    assert (sight.events, sight.starts) == ({}, [])
    assert sight.notices


def test_notices_that_a_snapshot_repeats_are_there_once() -> None:
    sight = Sight()
    sight.take("notices", {"items": [notice("a"), notice("b")], "skipped": 0})
    sight.take("notices", {"items": [notice("b"), notice("c")], "skipped": 0})
    assert [each["text"] for each in sight.notices] == ["a", "b", "c"]


def test_what_is_left_out_is_counted() -> None:
    sight = Sight()
    sight.take("skipped", {"topic": "events", "count": 3})
    sight.take("skipped", {"topic": "notices", "count": 4})
    assert sight.skipped == 7


def test_some_messages_only_say_that_there_is_something_to_ask_for() -> None:
    sight = Sight()
    assert sight.starts_are_asked_for("notices", {"items": [notice("x", kind="ColdStart")]})
    assert not sight.starts_are_asked_for("notices", {"items": [notice("x")]})
    ksvc = {"kind": "Service", "apiVersion": "serving.knative.dev/v1"}
    core = {"kind": "Service", "apiVersion": "v1"}
    assert sight.services_are_asked_for("objects", {"changed": [core, ksvc]})
    assert not sight.services_are_asked_for("objects", {"changed": [core]})
