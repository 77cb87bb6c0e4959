"""Go durations, and ISO 8601 durations as Eventing reads them (data plane reference §3.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.durations import (
    InvalidDuration,
    at_second_precision,
    format_go,
    parse_go,
    parse_iso,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("300ms", 0.3),
        ("-1.5h", -5400),
        ("2h45m", 9900),
        ("1m30s", 90),
        ("0", 0),
        (".5s", 0.5),
        ("1us", 1e-6),
    ],
)
def test_reads_go_durations(text: str, seconds: float) -> None:
    assert parse_go(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", 'invalid duration ""'),
        ("5", 'missing unit in duration "5"'),
        ("s", 'invalid duration "s"'),
        ("1 s", 'unknown unit " s" in duration "1 s"'),
        ("3d", 'unknown unit "d" in duration "3d"'),
        ("1s2", 'missing unit in duration "1s2"'),
        ("--1s", 'invalid duration "--1s"'),
        ("\uff11s", 'invalid duration "\uff11s"'),
    ],
)
def test_refuses_what_go_refuses_in_its_words(text: str, problem: str) -> None:
    with pytest.raises(InvalidDuration) as refused:
        parse_go(text)
    assert str(refused.value) == f"time: {problem}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (6, "6s"),
        (3600, "1h0m0s"),
        (90, "1m30s"),
        (1.5, "1.5s"),
        (0.2, "200ms"),
        (0, "0s"),
        (-5, "-5s"),
        (1e-6, "1µs"),
    ],
)
def test_prints_as_go_prints(seconds: float, text: str) -> None:
    assert format_go(seconds) == text


@given(st.integers(min_value=0, max_value=10**7))
def test_what_is_printed_reads_back(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert parse_go(format_go(seconds)) == pytest.approx(seconds)


def test_knows_whole_seconds() -> None:
    assert at_second_precision("60s")
    assert not at_second_precision("1.5s")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT0.2S", 0.2),
        ("PT0.25S", 0.2),
        ("PT0.05S", 0),
        ("PT.5S", 0.5),
        ("PT1,5S", 1.5),
        ("PT1M", 60),
        ("P1DT1H", 90000),
        ("-PT2S", -2),
        ("P0", 0),
        ("P1Y", 365.2425 * 86400),
    ],
)
def test_reads_periods_to_tenths(text: str, seconds: float) -> None:
    assert parse_iso(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "P", "PT", "pt1s", "PT1X", "PT1S1M", "1S", "P1DT"])
def test_refuses_what_is_no_period(text: str) -> None:
    with pytest.raises(InvalidDuration):
        parse_iso(text)
