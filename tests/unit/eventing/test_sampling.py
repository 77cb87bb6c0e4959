"""Of which traces spans are wanted."""

import pytest

from knlite.eventing.trace import Sampler, begun

LOW, HIGH = 1, (1 << 63) - 1
ASKED = f"00-{HIGH:032x}-{7:016x}-01"


@pytest.mark.parametrize(
    ("sampler", "trace", "wanted", "sampled"),
    [
        pytest.param(Sampler(1.0), HIGH, None, True, id="all"),
        pytest.param(Sampler(0.0), LOW, None, False, id="none"),
        pytest.param(Sampler(0.5), LOW, None, True, id="half: below"),
        pytest.param(Sampler(0.5), HIGH, None, False, id="half: above"),
        pytest.param(Sampler(0.0), LOW, True, True, id="whoever began it decides"),
        pytest.param(Sampler(1.0), LOW, False, False, id="also against it"),
        pytest.param(Sampler(1.0, follows=False), LOW, False, True, id="unless nobody is asked"),
    ],
)
def test_whether_a_trace_is_told(
    sampler: Sampler, trace: int, wanted: bool | None, sampled: bool
) -> None:
    assert sampler.sampled(trace, wanted) is sampled


def test_who_sends_an_event_on_is_told_what_was_decided() -> None:
    assert begun([("traceparent", ASKED)], lambda _: 0, Sampler(0.0).sampled)[-1][1] == ASKED
    never = Sampler(0.0, follows=False)
    assert begun([("traceparent", ASKED)], lambda _: 0, never.sampled)[-1][1] == f"{ASKED[:-1]}0"
    assert begun([], lambda _: 9, never.sampled)[-1][1].endswith("-00")
