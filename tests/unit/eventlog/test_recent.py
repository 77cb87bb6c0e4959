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
        recent.add(each, 2)
    assert recent.read(10) is None
    assert recent.read(11) is written[10]
    assert recent.read(EVENTS + 10) is written[-1]


def test_much_data_is_not_kept() -> None:
    recent = Recent()
    recent.add(record(1), 2)
    recent.add(record(2, DATA // 2), 2)
    recent.add(record(3, DATA // 2 + 1), 2)
    assert [recent.read(each) is not None for each in (1, 2, 3)] == [False, False, True]
    recent.add(record(4, DATA + 1), 2)
    assert [recent.read(each) is not None for each in (3, 4)] == [False, False]
    recent.add(record(5), 2)
    assert recent.read(5) is not None


def test_what_all_have_read_is_forgotten() -> None:
    recent, written = Recent(), record(1)
    recent.add(written, 2)
    assert [recent.read(1) for _ in range(3)] == [written, written, None]
    recent.add(written, 0)
    assert recent.read(1) is None
