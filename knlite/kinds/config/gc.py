"""config-gc: when revisions that nobody needs are deleted.

Source: knative/serving ``pkg/gc/config.go``; Knative reference §1.12.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.kinds.config.values import ConfigInvalid, Values
from knlite.kinds.durations import InvalidDuration, parse_go

NAME = "config-gc"

_CREATED = "retain-since-create-time"
_ACTIVE = "retain-since-last-active-time"
_LEAST = "min-non-active-revisions"
_MOST = "max-non-active-revisions"
KEYS: frozenset[str] = frozenset((_CREATED, _ACTIVE, _LEAST, _MOST))

_DISABLED = "disabled"
_INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GcConfig:
    """Seconds and numbers of revisions; None switches a rule off."""

    retain_since_create_time: float | None = 48 * 3600.0
    retain_since_last_active_time: float | None = 15 * 3600.0
    min_non_active_revisions: int = 20
    max_non_active_revisions: int | None = 1000


def parse(data: Mapping[str, str]) -> GcConfig:
    """The section that *data* describes; raises ``ConfigInvalid``."""
    standard = GcConfig()
    least = Values(data).integer(_LEAST, standard.min_non_active_revisions)
    config = GcConfig(
        retain_since_create_time=_seconds(data, _CREATED, standard.retain_since_create_time),
        retain_since_last_active_time=_seconds(
            data, _ACTIVE, standard.retain_since_last_active_time
        ),
        min_non_active_revisions=least,
        max_non_active_revisions=_number(data, _MOST, standard.max_non_active_revisions),
    )
    if least < 0:
        raise ConfigInvalid(f"{_LEAST} must be non-negative, was: {least}")
    most = config.max_non_active_revisions
    if most is not None and least > most:
        raise ConfigInvalid(f"{_LEAST}({least}) must be <= {_MOST}({most})")
    return config


def _seconds(data: Mapping[str, str], key: str, default: float | None) -> float | None:
    text = data.get(key, "")
    if not text or text.lower() == _DISABLED:
        return None if text else default
    try:
        seconds = parse_go(text)
    except InvalidDuration as exc:
        raise ConfigInvalid(f'failed to parse {key}: time: invalid duration "{text}"') from exc
    if seconds < 0:
        raise ConfigInvalid(f"failed to parse {key}: must be non-negative")
    return seconds


def _number(data: Mapping[str, str], key: str, default: int | None) -> int | None:
    text = data.get(key, "")
    if not text or text.lower() == _DISABLED:
        return None if text else default
    if not (text.isascii() and text.isdecimal()):
        parsing = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise ConfigInvalid(f"failed to parse {key}: {parsing}")
    digits = text.lstrip("0") or "0"
    # Python refuses to read the longest ones.
    if len(digits) > len(str(_INT64_MAX)) or int(digits) > _INT64_MAX:
        raise ConfigInvalid(f"failed to parse {key}: value should be lower than {_INT64_MAX}")
    return int(digits)
