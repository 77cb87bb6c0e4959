"""Durations as manifests write them: Go's (``1m30s``) and ISO 8601's (``PT0.2S``), in seconds.

Source: Go ``time.ParseDuration`` and ``Duration.String``; rickb777/date ``period.Parse`` as Knative
Eventing uses it (Eventing data plane reference §3.4: one decimal digit, the rest is cut).
"""

import re
from decimal import Decimal

_GO_UNITS = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "μs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
_GO_PART = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)", re.ASCII)

_LEAST, _MOST = Decimal(-(2**63)) / 10**9, Decimal(2**63 - 1) / 10**9
"""Seconds of the durations that 64 bits of nanoseconds hold."""
_DIGITS = 19
"""Of the largest number of 64 bits."""

_ISO_NUMBER = r"(?:\d+(?:[.,]\d*)?|[.,]\d+)"
_ISO = re.compile(
    rf"([+-])?P(?:({_ISO_NUMBER})Y)?(?:({_ISO_NUMBER})M)?(?:({_ISO_NUMBER})W)?(?:({_ISO_NUMBER})D)?"
    rf"(T(?:({_ISO_NUMBER})H)?(?:({_ISO_NUMBER})M)?(?:({_ISO_NUMBER})S)?)?",
    re.ASCII,
)
_YEAR = Decimal("365.2425") * 86400
_ISO_UNITS = (_YEAR, _YEAR / 12, Decimal(7 * 86400), Decimal(86400))
_ISO_CLOCK_UNITS = (Decimal(3600), Decimal(60), Decimal(1))


class InvalidDuration(ValueError):
    """The text is not a duration; the message is the one that Go's parser gives."""


def parse_go(text: str) -> float:
    """Seconds of a Go duration such as ``300ms``, ``-1.5h`` or ``2h45m``.

    Raises ``InvalidDuration``.
    """
    return float(_parse_go(text))


def at_second_precision(text: str) -> bool:
    """Whether the Go duration *text* is a whole number of seconds."""
    return _parse_go(text) % 1 == 0


def format_go(seconds: float) -> str:
    """*seconds* as Go prints a duration: ``6s``, ``1h0m0s``, ``1.5s``, ``200ms``, ``0s``."""
    sign = "-" if seconds < 0 else ""
    nanoseconds = round(abs(seconds) * 1e9)
    if nanoseconds == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if nanoseconds < size * 1000:
            return f"{sign}{_plain(Decimal(nanoseconds) / size)}{unit}"
    whole, rest = divmod(nanoseconds, 60_000_000_000)
    text = f"{_plain(Decimal(rest) / 1_000_000_000)}s"
    hours, minutes = divmod(whole, 60)
    if whole:
        text = f"{minutes}m{text}"
    if hours:
        text = f"{hours}h{text}"
    return sign + text


def parse_iso(text: str) -> float:
    """Seconds of an ISO 8601 duration, each number cut to tenths as upstream does.

    Years and months are averages (365.2425 days to a year). ``P0`` is zero. Raises
    ``InvalidDuration``.
    """
    if text in {"P0", "+P0", "-P0"}:
        return 0.0
    match = _ISO.fullmatch(text)
    if match is None:
        raise InvalidDuration(f"expected a period such as PT0.2S, got {text!r}")
    sign, years, months, weeks, days, clock, hours, minutes, seconds = match.groups()
    parts = [(years, months, weeks, days), (hours, minutes, seconds)]
    if not any(part for group in parts for part in group) or clock == "T":
        raise InvalidDuration(f"expected a period such as PT0.2S, got {text!r}")
    total = Decimal(0)
    for group, units in zip(parts, (_ISO_UNITS, _ISO_CLOCK_UNITS), strict=True):
        for number, unit in zip(group, units, strict=True):
            if number:
                total += _bounded(number, 1) * unit
    if total.is_infinite():
        raise InvalidDuration(f"expected a period such as PT0.2S, got {text!r}")
    return float(-total if sign == "-" else total)


def _parse_go(text: str) -> Decimal:
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return Decimal(0)
    total = Decimal(0)
    position = 0
    while position < len(rest) or position == 0:
        part = _GO_PART.match(rest, position)
        if part is None:
            raise InvalidDuration(f'time: invalid duration "{text}"')
        number, unit = part.groups()
        if not unit:
            raise InvalidDuration(f'time: missing unit in duration "{text}"')
        if unit not in _GO_UNITS:
            raise InvalidDuration(f'time: unknown unit "{unit}" in duration "{text}"')
        total += _bounded(number, 30) * _GO_UNITS[unit]
        position = part.end()
    if not _LEAST <= sign * total <= _MOST:
        raise InvalidDuration(f'time: invalid duration "{text}"')
    return sign * total


def _bounded(number: str, places: int) -> Decimal:
    """*number* with no more than *places* decimals; infinite where no duration is as long.

    Exact arithmetic has its limits, and texts come from anybody.
    """
    whole, _, fraction = number.replace(",", ".").partition(".")
    whole = whole.lstrip("0")
    if len(whole) > _DIGITS:
        return Decimal("Infinity")
    return Decimal(f"{whole or '0'}.{fraction[:places] or '0'}")


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
