"""One stream of facts, and who gets what of it."""

from datetime import UTC, datetime

from knlite.facts import InstanceChanged, Notice
from knlite.telemetry.bus import Bus

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NOTICE = Notice(at=NOW, level="info", text="x")
READY = InstanceChanged(
    at=NOW, namespace="n", service="s", revision="r", instance="i", state="ready"
)


def test_a_reader_that_raises_is_dropped_and_the_others_go_on() -> None:
    bus = Bus()
    seen: list[object] = []

    class Broken:
        def read(self, _: object) -> None:
            raise ValueError("x")

    with bus.reading(Broken().read), bus.reading(seen.append):
        bus.publish(READY)
        bus.publish(READY)
    assert [fact for fact in seen if fact is READY] == [READY, READY]
    (told,) = (fact for fact in seen if isinstance(fact, Notice))
    assert told.text.endswith("Broken.read has failed and is left out: ValueError: x")


def test_a_reader_of_kinds_gets_only_those() -> None:
    bus = Bus()
    everything: list[object] = []
    notices: list[object] = []
    with bus.reading(everything.append), bus.reading(notices.append, Notice):
        bus.publish(READY)
        bus.publish(NOTICE)
    assert everything == [READY, NOTICE]
    assert notices == [NOTICE]


def test_readers_come_and_go_between_facts_of_one_kind() -> None:
    bus = Bus()
    first: list[object] = []
    second: list[object] = []
    with bus.reading(first.append):
        bus.publish(NOTICE)
        with bus.reading(second.append, Notice):
            bus.publish(NOTICE)
        bus.publish(NOTICE)
    bus.publish(NOTICE)
    assert (len(first), len(second)) == (3, 1)


def test_a_reader_may_publish() -> None:
    bus = Bus()
    seen: list[object] = []

    def answer(fact: object) -> None:
        if fact is READY:
            bus.publish(NOTICE)

    with bus.reading(answer), bus.reading(seen.append):
        bus.publish(READY)
    assert seen == [NOTICE, READY]
