"""Schedules, against a scan of every minute or second (Eventing reference §9)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.schedule import InvalidSchedule, InvalidZone, Schedule, parse

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def following(schedule: str, after: datetime, count: int, zone: str = "") -> list[str]:
    """The next *count* moments as a clock in *zone* shows them."""
    parsed, found, moment = parse(schedule, zone), [], after
    for _ in range(count):
        due = parsed.next_after(moment)
        assert due is not None
        moment = due
        found.append(f"{due.astimezone(ZoneInfo(zone or 'UTC')):%m-%d %H:%M:%S}")
    return found


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        pytest.param("* * * * *", ["01-01 00:01:00", "01-01 00:02:00"], id="every-minute"),
        pytest.param("*/20 * * * * *", ["01-01 00:00:20", "01-01 00:00:40"], id="seconds-first"),
        pytest.param("10 0/1 * * * ?", ["01-01 00:00:10", "01-01 00:01:10"], id="question-mark"),
        pytest.param("50/5 0 * * *", ["01-01 00:50:00", "01-01 00:55:00"], id="to-the-end"),
        pytest.param("0 9-17/4 * * *", ["01-01 09:00:00", "01-01 13:00:00"], id="range-and-step"),
        pytest.param("0 0 * feb Mon", ["02-02 00:00:00", "02-09 00:00:00"], id="names"),
        pytest.param("0 0 13 * FRI", ["01-02 00:00:00", "01-09 00:00:00"], id="either-day"),
        pytest.param("0 0 13 */1 5,*", ["01-13 00:00:00", "02-13 00:00:00"], id="star-in-a-list"),
        pytest.param("0 0 29 2 *", ["02-29 00:00:00", "02-29 00:00:00"], id="leap-years"),
        pytest.param("@hourly", ["01-01 01:00:00", "01-01 02:00:00"], id="hourly"),
        pytest.param("@midnight", ["01-02 00:00:00", "01-03 00:00:00"], id="midnight"),
        pytest.param("@weekly", ["01-04 00:00:00", "01-11 00:00:00"], id="weekly"),
        pytest.param("@annually", ["01-01 00:00:00", "01-01 00:00:00"], id="annually"),
        pytest.param("TZ=Asia/Tokyo 0 9 * * *", ["01-02 00:00:00"], id="zone-in-the-schedule"),
    ],
)
def test_when_it_is_due(schedule: str, expected: list[str]) -> None:
    assert following(schedule, NEW_YEAR, len(expected)) == expected


def test_what_a_clock_skips_in_spring_does_not_happen() -> None:
    before = at("2026-03-28 12:00", "Europe/Berlin")
    assert following("30 2 * * *", before, 2, "Europe/Berlin") == [
        "03-30 02:30:00",
        "03-31 02:30:00",
    ]


def test_what_a_clock_repeats_in_autumn_happens_twice() -> None:
    before = at("2026-10-24 12:00", "Europe/Berlin")
    assert following("30 2 * * *", before, 3, "Europe/Berlin") == [
        "10-25 02:30:00",
        "10-25 02:30:00",
        "10-26 02:30:00",
    ]


def test_a_day_without_midnight_begins_later() -> None:
    # In Beirut the clock goes from 23:59 to 01:00.
    before = at("2026-03-28 23:30", "Asia/Beirut")
    assert following("15 * 29 * *", before, 1, "Asia/Beirut") == ["03-29 01:15:00"]


def test_a_day_that_never_comes() -> None:
    assert parse("0 0 30 2 *").next_after(NEW_YEAR) is None


@pytest.mark.parametrize(
    ("schedule", "zone", "text"),
    [
        pytest.param("", "", "empty spec string", id="empty"),
        pytest.param("* * *", "", "expected 5 to 6 fields, found 3: [* * *]", id="too-few"),
        pytest.param("60 * * * *", "", "end of range (60) above maximum (59): 60", id="too-high"),
        pytest.param("* * 0 * *", "", "beginning of range (0) below minimum (1): 0", id="too-low"),
        pytest.param("* * * * 7", "", "end of range (7) above maximum (6): 7", id="no-sunday-7"),
        pytest.param("9-5 * * * *", "", "beginning of range (9) beyond end of range (5): 9-5"),
        pytest.param("*/0 * * * *", "", "step of range should be a positive number: */0"),
        pytest.param("1-2-3 * * * *", "", "too many hyphens: 1-2-3", id="hyphens"),
        pytest.param("1/2/3 * * * *", "", "too many slashes: 1/2/3", id="slashes"),
        pytest.param(
            "x * * * *",
            "",
            'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax',
            id="no-number",
        ),
        pytest.param("*/-1 * * * *", "", "negative number (-1) not allowed: -1", id="negative"),
        pytest.param("@every 5m", "", "unsupported descriptor @every", id="every"),
        pytest.param("@often", "", "unrecognized descriptor: @often", id="descriptor"),
        pytest.param(
            "* * * * *",
            "Mars/Base",
            "provided bad location Mars/Base: unknown time zone Mars/Base",
            id="zone",
        ),
        pytest.param(
            "* * * * *",
            "../../etc/passwd",
            "provided bad location ../../etc/passwd: time: invalid location name",
            id="no-path",
        ),
    ],
)
def test_what_is_no_schedule(schedule: str, zone: str, text: str) -> None:
    with pytest.raises(InvalidSchedule) as raised:
        parse(schedule, zone)
    assert str(raised.value) == text
    assert isinstance(raised.value, InvalidZone) == bool(zone)


def test_a_schedule_has_an_end() -> None:
    with pytest.raises(InvalidSchedule, match="longer than 1000 characters"):
        parse("0," * 100_000 + "0 * * * *")


@pytest.mark.parametrize("zone", ["America", "Europe/Berlin\0", "ä", "a" * 999])
def test_a_zone_that_is_no_zone_is_refused_and_nothing_worse(zone: str) -> None:
    with pytest.raises(InvalidZone):
        parse("* * * * *", zone)


def numbers(least: int, most: int) -> st.SearchStrategy[str]:
    one = st.integers(least, most)
    either = st.tuples(one, one).map(lambda pair: f"{min(pair)}-{max(pair)}")
    step = st.integers(1, max(1, most // 2))
    parts = st.one_of(
        st.just("*"),
        one.map(str),
        either,
        st.tuples(st.one_of(st.just("*"), either), step).map(lambda two: f"{two[0]}/{two[1]}"),
    )
    return st.lists(parts, min_size=1, max_size=3).map(",".join)


SCHEDULES = st.tuples(
    numbers(0, 59), numbers(0, 23), numbers(1, 31), numbers(1, 12), numbers(0, 6)
).map(" ".join)
MOMENTS = st.integers(0, 3 * 365 * 86400).map(lambda more: NEW_YEAR + timedelta(seconds=more))
ZONES = st.sampled_from(("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"))


MINUTES = 25 * 60
"""Of a day in which an hour happens twice."""


def scanned(schedule: Schedule, after: datetime, minutes: int) -> datetime | None:
    """The first minute that is due, found by looking at each."""
    moment = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for _ in range(minutes):
        local = moment.astimezone(schedule.zone)
        day = local.day in schedule.days.numbers
        weekday = (local.weekday() + 1) % 7 in schedule.weekdays.numbers
        starred = schedule.days.any or schedule.weekdays.any
        if (
            local.month in schedule.months.numbers
            and ((day and weekday) if starred else (day or weekday))
            and local.hour in schedule.hours.numbers
            and local.minute in schedule.minutes.numbers
        ):
            return moment
        moment += timedelta(minutes=1)
    return None


@given(text=SCHEDULES, zone=ZONES, after=MOMENTS)
def test_agrees_with_a_scan_of_every_minute(text: str, zone: str, after: datetime) -> None:
    schedule = parse(text, zone)
    due = schedule.next_after(after)
    seen = scanned(schedule, after, MINUTES)
    if seen is not None:
        assert due == seen
    else:
        assert due is None or due > after + timedelta(minutes=MINUTES - 1)


@given(
    text=SCHEDULES,
    change=st.sampled_from(("2026-03-29 00:00", "2026-10-25 00:00", "2026-10-04 10:00")),
    hours=st.integers(0, 6),
    zone=ZONES,
)
def test_agrees_with_the_scan_where_clocks_change(
    text: str, change: str, hours: int, zone: str
) -> None:
    text = " ".join([*text.split()[:2], "*", "*", "*"])
    schedule = parse(text, zone)
    after = at(change) + timedelta(hours=hours - 3)
    assert schedule.next_after(after) == scanned(schedule, after, 2 * MINUTES)
