"""Texts of a ConfigMap as typed values, refused with a sentence that names the key.

Source: knative/pkg ``configmap/parse.go``. Keys that no section knows are passed over, as upstream
does; ``--set`` refuses them, since nobody writes one there but by mistake.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from knlite.kinds import quantities
from knlite.kinds.durations import InvalidDuration, parse_go

T = TypeVar("T")


class ConfigInvalid(ValueError):
    """A ConfigMap that a cluster's webhook would refuse; the message names key and value."""


class Values:
    """The data of one ConfigMap, read key by key; what is absent keeps the default given."""

    def __init__(self, data: Mapping[str, str]) -> None:
        self._data = data

    def text(self, key: str, default: str) -> str:
        """The text as it is."""
        return self._data.get(key, default)

    def choice(self, key: str, default: str, choices: tuple[str, ...]) -> str:
        """One of *choices*, in any case."""
        found = self._data.get(key)
        if found is None:
            return default
        by_lower = {choice.lower(): choice for choice in choices}
        choice = by_lower.get(found.strip().lower())
        if choice is None:
            raise ConfigInvalid(f'{key} = "{found}" is not one of: {", ".join(choices)}')
        return choice

    def flag(self, key: str, default: bool) -> bool:
        """``true`` in any case, anything else is false, as upstream's ``AsBool`` reads it."""
        found = self._data.get(key)
        return default if found is None else found.strip().lower() in {"true", "t", "1"}

    def integer(self, key: str, default: int, *, at_least: int | None = None) -> int:
        """A whole number, not below *at_least*."""
        value = self._parsed(key, default, int, "an integer")
        if at_least is not None and value < at_least:
            raise ConfigInvalid(f"{key} = {value}, must be at least {at_least}")
        return value

    def number(self, key: str, default: float) -> float:
        """A number; what its bounds are is its section's business."""
        return self._parsed(key, default, float, "a number")

    def duration(self, key: str, default: float) -> float:
        """A Go duration in seconds."""
        return self._parsed(key, default, parse_go, "a duration such as 30s")

    def quantity(self, key: str, default: str) -> str:
        """The text of a Kubernetes quantity; empty counts as absent."""
        found = self._data.get(key, "").strip()
        if not found:
            return default
        self._parsed(key, None, quantities.parse, "a quantity such as 500m or 128Mi")
        return found

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """The parts of a comma-separated list."""
        found = self._data.get(key)
        if found is None:
            return default
        return tuple(part for part in (each.strip() for each in found.split(",")) if part)

    def _parsed(self, key: str, default: T, parse: Callable[[str], T], noun: str) -> T:
        found = self._data.get(key)
        if found is None:
            return default
        try:
            return parse(found.strip())
        except (InvalidDuration, ValueError) as exc:
            raise ConfigInvalid(f'failed to parse "{key}": "{found}" is not {noun}') from exc
