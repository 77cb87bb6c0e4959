"""What connections repeat is kept once, and never without bound (ADR 0011)."""

from knlite.dataplane.wire.repetition import KEPT, Repetitions


def test_equal_texts_share_one_meaning() -> None:
    repetitions = Repetitions[list[int]]()
    said, meant = repetitions.keep(b"GET", [1])
    again, same = repetitions.keep(bytes(bytearray(b"GET")), [1])
    assert again is said
    assert same is meant
    assert repetitions.keep(b"PUT", [2])[1] == [2]


def test_what_is_kept_is_bounded() -> None:
    repetitions = Repetitions[int]()
    repetitions.keep(b"0", 1000)
    for number in range(1, 3 * KEPT):
        assert repetitions.keep(b"%d" % number, number) == (b"%d" % number, number)
    # The first has been forgotten, and is taken anew.
    assert repetitions.keep(b"0", 2000) == (b"0", 2000)
