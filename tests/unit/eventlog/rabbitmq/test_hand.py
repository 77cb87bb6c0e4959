"""Messages in our hands, over channels that are closed and opened again."""

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventlog.port import Record
from knlite.eventlog.rabbitmq.cursor import Entry
from knlite.eventlog.rabbitmq.hand import Hand


class Nobody:
    def finished(self, entry: Entry) -> None:
        """Nothing is acknowledged here."""


def entry(key: str, *, taken: bool = True) -> Entry:
    event = CloudEvent({"specversion": "1.0", "id": key, "source": "/s", "type": "t"})
    made = Entry(Nobody(), key, Record(event, 255), "", again=False)
    made.taken = taken
    return made


def test_what_is_done_on_the_channel_on_which_it_has_come_is_acknowledged() -> None:
    hand = Hand()
    one = entry("1")
    hand.hold(one, 7)
    assert hand.release(one)
    assert not hand.release(one)


def test_what_is_worked_at_is_not_new_when_it_comes_again() -> None:
    hand = Hand()
    one = entry("1")
    hand.hold(one, 7)
    hand.lose()
    assert hand.known("1", 1) is one
    assert one.tag == 1
    assert hand.release(one)


def test_what_was_done_while_there_was_no_channel_is_known_when_it_comes_again() -> None:
    hand = Hand()
    one = entry("1")
    hand.hold(one, 7)
    hand.lose()
    one.done = True
    assert not hand.release(one)
    assert hand.known("1", 1) is one
    assert hand.known("1", 2) is None


def test_what_nobody_has_taken_is_new_when_it_comes_again() -> None:
    hand = Hand()
    hand.hold(entry("1", taken=False), 7)
    hand.lose()
    assert hand.known("1", 1) is None


def test_the_same_message_may_be_there_twice() -> None:
    hand = Hand()
    one, other = entry("1"), entry("1")
    hand.hold(one, 1)
    hand.hold(other, 2)
    hand.lose()
    assert [hand.known("1", tag) for tag in (1, 2, 3)] == [one, other, None]


def test_it_survives_channels_that_are_lost_again_and_again() -> None:
    hand = Hand()
    one = entry("1")
    hand.hold(one, 1)
    for _ in range(3):
        hand.lose()
        hand.lose()
        assert hand.known("1", 1) is one
    assert hand.release(one)


def test_what_is_done_and_never_comes_again_is_forgotten_some_day() -> None:
    hand = Hand()
    kept = entry("kept")
    hand.hold(kept, 5000)
    gone = [entry(str(tag)) for tag in range(2000)]
    for tag, each in enumerate(gone):
        hand.hold(each, tag)
    hand.lose()
    for each in gone:
        each.done = True
    hand.lose()
    assert hand.known("0", 1) is None
    assert hand.known("kept", 2) is kept


def test_what_was_acknowledged_last_is_known_as_far_as_the_server_may_not_have_heard() -> None:
    hand = Hand()
    hand.most = 5
    for number in range(20):
        hand.settle(number)
    assert [number for number in range(20) if hand.is_settled(number)] == list(range(10, 20))
