"""What is borne of a client that gets nothing done (RFC 9113 §10.5)."""

from knlite.dataplane.wire.http2_patience import IDLE_FRAMES, RESETS, SPAN_SECONDS, Patience


def test_resets_are_borne_up_to_a_limit_and_again_in_the_next_span() -> None:
    patience = Patience()
    assert all(patience.bears_reset(100.0) for _ in range(RESETS))
    assert not patience.bears_reset(100.0)
    assert patience.bears_reset(100.1 + SPAN_SECONDS)


def test_more_resets_are_borne_if_as_many_answers_complete() -> None:
    patience = Patience()
    for _ in range(3 * RESETS):
        patience.answered(100.0)
        assert patience.bears_reset(100.0)
    assert not patience.bears_reset(100.0)


def test_frames_that_carry_nothing_are_borne_as_long_as_others_come_between() -> None:
    patience = Patience()
    for _ in range(3):
        assert all(patience.bears_idle_frame(100.0) for _ in range(IDLE_FRAMES))
        patience.moved()
    assert all(patience.bears_idle_frame(100.0) for _ in range(IDLE_FRAMES))
    assert not patience.bears_idle_frame(100.0)
    assert patience.bears_idle_frame(100.1 + SPAN_SECONDS)
