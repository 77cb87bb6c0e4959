"""Cron schedules as PingSource writes them: what they mean, and when they are due next.

Five fields, or six with seconds first; ``*`` and ``?``, lists, ranges, steps, names of months and
days; ``@hourly`` and its like; ``CRON_TZ=`` or ``TZ=`` before it all. A moment is due when the
clock on the wall of its time zone reads what the schedule says: what falls into the hour that a
clock skips in spring does not happen, and what falls into the hour that it repeats happens twice.
When both the day of the month and the day of the week are restricted, either is enough.

Written here and not left to a library, since those for Python follow another cron: they take 7 for
Sunday, ``L`` and ``#``, make up for the skipped hour, and have other error texts.

Source: robfig/cron v3 ``parser.go``, ``spec.go``; Eventing reference §9.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

YEARS: Final = 5
"""How far ahead the next moment is looked for; February 30 never comes."""

LONGEST: Final = 1000
"""Characters of a schedule. Differs: upstream takes any number, and so any time to read them."""

_SECOND = timedelta(seconds=1)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_DAYS = {
    name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))
}
_DESCRIPTORS: Mapping[str, str] = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_DIGITS = re.compile(r"[+-]?[0-9]+", re.ASCII)
_LARGEST: Final = 2**63 - 1


class InvalidSchedule(ValueError):
    """The text is no schedule; the message is the one that the library of Knative gives."""


class InvalidZone(InvalidSchedule):
    """There is no such time zone."""


@dataclass(frozen=True, slots=True)
class _Range:
    """What a field may say."""

    least: int
    most: int
    names: Mapping[str, int]


_FIELDS = (
    _Range(0, 59, {}),
    _Range(0, 59, {}),
    _Range(0, 23, {}),
    _Range(1, 31, {}),
    _Range(1, 12, _MONTHS),
    _Range(0, 6, _DAYS),
)


@dataclass(frozen=True, slots=True)
class _Field:
    """The numbers that are due; *any* when it restricts nothing."""

    numbers: frozenset[int]
    any: bool


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule in its time zone; made by ``parse``."""

    seconds: _Field
    minutes: _Field
    hours: _Field
    days: _Field
    months: _Field
    weekdays: _Field
    zone: tzinfo

    def next_after(self, moment: datetime) -> datetime | None:
        """The first moment after *moment*, which has a time zone, in UTC; None if none comes."""
        due = moment.astimezone(UTC).replace(microsecond=0) + _SECOND
        local = due.astimezone(self.zone)
        last_year = local.year + YEARS
        while local.year <= last_year:
            if not self._has_date(local):
                due = self._next_day(local)
            elif local.hour not in self.hours.numbers:
                due += timedelta(hours=1) - _since_hour(local)
            elif local.minute not in self.minutes.numbers:
                due += timedelta(seconds=60 - local.second)
            elif local.second not in self.seconds.numbers:
                due += _SECOND
            else:
                return due
            local = due.astimezone(self.zone)
        return None

    def _has_date(self, local: datetime) -> bool:
        if local.month not in self.months.numbers:
            return False
        day = local.day in self.days.numbers
        weekday = local.isoweekday() % 7 in self.weekdays.numbers
        if self.days.any or self.weekdays.any:
            return day and weekday
        return day or weekday

    def _next_day(self, local: datetime) -> datetime:
        """The first moment of the next day, also where that day has no midnight."""
        midnight = local.replace(hour=0, minute=0, second=0, fold=0, tzinfo=None)
        return (midnight + timedelta(days=1)).replace(tzinfo=self.zone).astimezone(UTC)


@lru_cache(maxsize=1024)
def parse(text: str, zone: str = "") -> Schedule:
    """The schedule that *text* describes, in the time zone *zone* (UTC if empty).

    Raises ``InvalidSchedule``, ``InvalidZone``.
    """
    if max(len(text), len(zone)) > LONGEST:
        raise InvalidSchedule(f"it is longer than {LONGEST} characters")
    if "@every" in text:
        # The library has it, PingSource does not: ticks would depend on when it was last changed.
        raise InvalidSchedule("unsupported descriptor @every")
    text = f"CRON_TZ={zone} {text}" if zone else text
    if not text:
        raise InvalidSchedule("empty spec string")
    where: tzinfo = UTC
    if text.startswith(("TZ=", "CRON_TZ=")):
        prefix, _, text = text.partition(" ")
        where = _zone(prefix.partition("=")[2])
        text = text.strip()
    if text.startswith("@"):
        text = _described(text)
    words = text.split()
    if not 5 <= len(words) <= 6:
        raise InvalidSchedule(f"expected 5 to 6 fields, found {len(words)}: [{' '.join(words)}]")
    if len(words) == 5:
        words = ["0", *words]
    seconds, minutes, hours, days, months, weekdays = (
        _field(word, among) for word, among in zip(words, _FIELDS, strict=True)
    )
    return Schedule(seconds, minutes, hours, days, months, weekdays, where)


def _described(text: str) -> str:
    found = _DESCRIPTORS.get(text)
    if found is None:
        raise InvalidSchedule(f"unrecognized descriptor: {text}")
    return found


def _zone(name: str) -> tzinfo:
    if name in {"", "UTC", "Local"}:
        # The containers of Knative's adapters have no other local time.
        return UTC
    if ".." in name or name[0] in "/\\":
        raise InvalidZone(f"provided bad location {name}: time: invalid location name")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise InvalidZone(f"provided bad location {name}: unknown time zone {name}") from exc


def _field(word: str, among: _Range) -> _Field:
    numbers: set[int] = set()
    anything = False
    for part in word.split(","):
        if part:
            found = _part(part, among)
            numbers |= found.numbers
            anything |= found.any
    return _Field(frozenset(numbers), anything)


def _part(part: str, among: _Range) -> _Field:
    """One of the parts between commas: a number, a range, either with a step."""
    ends, *steps = part.split("/")
    low, *more = ends.split("-")
    anything = low in {"*", "?"}
    if anything:
        start, end = among.least, among.most
    else:
        start = end = _number(low, among.names)
        if len(more) > 1:
            raise InvalidSchedule(f"too many hyphens: {part}")
        if more:
            end = _number(more[0], among.names)
    step = 1
    if len(steps) > 1:
        raise InvalidSchedule(f"too many slashes: {part}")
    if steps:
        step = _number(steps[0], {})
        if not more:
            # "N/step" means from N to the end.
            end = among.most
        anything = anything and step <= 1
    if start < among.least:
        raise InvalidSchedule(f"beginning of range ({start}) below minimum ({among.least}): {part}")
    if end > among.most:
        raise InvalidSchedule(f"end of range ({end}) above maximum ({among.most}): {part}")
    if start > end:
        raise InvalidSchedule(f"beginning of range ({start}) beyond end of range ({end}): {part}")
    if step == 0:
        raise InvalidSchedule(f"step of range should be a positive number: {part}")
    return _Field(frozenset(range(start, end + 1, step)), anything)


def _number(text: str, names: Mapping[str, int]) -> int:
    named = names.get(text.lower())
    if named is not None:
        return named
    if not _DIGITS.fullmatch(text):
        why = "invalid syntax"
    elif len(text) > 20 or abs(number := int(text)) > _LARGEST:
        why = "value out of range"
    elif number < 0:
        raise InvalidSchedule(f"negative number ({number}) not allowed: {text}")
    else:
        return number
    raise InvalidSchedule(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": {why}')


def _since_hour(local: datetime) -> timedelta:
    return timedelta(minutes=local.minute, seconds=local.second)
