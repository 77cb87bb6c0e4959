"""What is known of the events that were written last (``knlite/eventlog/recent.py``)."""

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventlog.port import Record
from knlite.eventlog.recent import DATA, EVENTS, Recent


def record(arrival: int, size: int = 0) -> Record:
    return Record(CloudEvent({"id": str(arrival)}, None, bytes(size) or None), 1, arrival=arrival)


def test_what_was_written_last_is_known() -> None:
    recent = Recent()
    written = [record(each) for each in range(1, EVENTS + 11)]
    for each in written:
        recent.add(each)
    assert recent.get(10) is None
    assert recent.get(11) is written[10]
    assert recent.get(EVENTS + 10) is written[-1]


def test_much_data_is_not_kept() -> None:
    recent = Recent()
    recent.add(record(1))
    recent.add(record(2, DATA // 2))
    recent.add(record(3, DATA // 2 + 1))
    assert [recent.get(each) is not None for each in (1, 2, 3)] == [False, False, True]
    recent.add(record(4, DATA + 1))
    assert [recent.get(each) is not None for each in (3, 4)] == [False, False]
    recent.add(record(5))
    assert recent.get(5) is not None
