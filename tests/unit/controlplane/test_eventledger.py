"""Events are counted, combined, bounded and forgotten as Kubernetes does it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from knlite.controlplane import eventledger
from knlite.controlplane.eventledger import COMBINED, EventLedger
from knlite.kinds.config.bundle import Config
from knlite.kinds.core.event import Event
from knlite.kinds.happening import Happening
from knlite.reconcile import Key
from knlite.registry.store import Store

STARTED = datetime(2026, 1, 2, tzinfo=UTC)
VIEW = Store(Config())
SCALED = Happening(
    "Revision", "shop", "web-00001", "Normal", "ScaledUp", "from 0 to 1", "autoscaler"
)


class Book:
    """A ledger, its clock, and what it told of."""

    def __init__(self) -> None:
        self.now = STARTED
        self.told: list[Key] = []
        self.version = 0
        self.ledger = EventLedger(lambda: self.now)
        self.ledger.report_to(self._next, self.told.append)

    def record(self, happening: Happening = SCALED, **changes: str) -> None:
        self.ledger.record(self.now, replace(happening, **changes), "uid-1")

    def events(self, namespace: str = "shop") -> list[Event]:
        found = list(self.ledger.listed(VIEW, namespace))
        assert all(isinstance(event, Event) for event in found)
        return [event for event in found if isinstance(event, Event)]

    def _next(self) -> int:
        self.version += 1
        return self.version


def test_what_happens_again_is_counted_between_two_moments() -> None:
    book = Book()
    book.record()
    book.now += timedelta(seconds=90)
    book.record()
    (event,) = book.events()
    assert event.count == 2
    assert event.first_timestamp == "2026-01-02T00:00:00Z"
    assert event.last_timestamp == "2026-01-02T00:01:30Z"
    assert event.metadata.resource_version == "2"
    assert book.told == [Key(Event, "shop", event.metadata.name)] * 2


def test_an_event_is_found_by_its_name_and_stands_with_its_object() -> None:
    book = Book()
    book.record()
    (event,) = book.events()
    assert book.ledger.get(VIEW, "shop", event.metadata.name) == event
    assert book.ledger.get(VIEW, "other", event.metadata.name) is None
    assert event.involved_object.uid == "uid-1"
    assert event.involved_object.api_version == "serving.knative.dev/v1"


def test_those_of_cluster_objects_are_in_the_default_namespace() -> None:
    book = Book()
    book.record(kind="Namespace", namespace="", name="shop")
    (event,) = book.events("default")
    assert event.involved_object.namespace == ""


def test_an_entry_goes_an_hour_after_it_was_last_counted_when_somebody_looks() -> None:
    book = Book()
    book.record()
    book.record(message="once")
    book.now += timedelta(minutes=50)
    book.record()
    book.now += timedelta(minutes=20)
    assert [event.message for event in book.events()] == ["from 0 to 1"]
    book.now += timedelta(hours=2)
    assert book.events() == []
    assert len(book.told) == 5


def test_many_messages_for_one_reason_become_one_event() -> None:
    book = Book()
    for number in range(30):
        book.record(message=f"from {number} to {number + 1}")
    events = book.events()
    assert len(events) == eventledger.ALIKE + 1
    combined = events[-1]
    assert combined.message == f"{COMBINED}from 29 to 30"
    assert combined.count == 20
    book.now += timedelta(minutes=11)
    book.record(message="from 1 to 0")
    assert book.events()[-1].message == "from 1 to 0"


def test_the_one_that_happened_longest_ago_makes_room() -> None:
    book = Book()
    for number in range(eventledger.KEPT + 5):
        book.record(name=f"r{number}")
        if number == 100:
            book.record(name="r0")
    names = {event.involved_object.name for event in book.events()}
    assert len(names) == eventledger.KEPT
    assert "r0" in names
    assert "r1" not in names


def test_names_are_never_used_twice() -> None:
    book = Book()
    for number in range(500):
        book.record(reason=f"R{number}")
    assert len({event.metadata.name for event in book.events()}) == 500


def test_what_happened_in_a_namespace_goes_with_it() -> None:
    book = Book()
    book.record()
    book.record(namespace="other")
    book.ledger.forget("shop")
    assert [event.involved_object.namespace for event in book.events("")] == ["other"]


def test_a_message_is_one_line_and_no_longer_than_kubernetes_allows() -> None:
    book = Book()
    book.record(message="it failed\n  cause: none\n")
    assert book.events()[0].message == "it failed cause: none"
    book.record(message="x" * 5000)
    assert len(book.events()[1].message) == eventledger.LONGEST_MESSAGE
