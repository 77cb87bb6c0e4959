"""Texts of a ConfigMap as typed values, refused with a sentence that names the key.

Source: knative/pkg ``configmap/parse.go``, ``configmap/parser/parse.go``; Go's texts for what is
not a number. Keys that no section knows are passed over, as upstream does; ``--set`` refuses them,
since nobody writes one there but by mistake.
Differs: NaN and infinity, which Go's parser takes, are refused.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from knlite.kinds import quantities
from knlite.kinds.durations import parse_go

T = TypeVar("T")

_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "false", "FALSE", "False"})
# As long as numbers of 64 bits are; Python takes time for longer ones.
_INTEGER = re.compile(r"[+-]?\d{1,40}", re.ASCII)
# Possessive, so that what is no number is found out in one pass.
_NUMBER = re.compile(r"[+-]?(\d++\.?\d*+|\.\d++)([eE][+-]?\d++)?", re.ASCII)


class ConfigInvalid(ValueError):
    """A ConfigMap that a cluster's webhook would refuse.

    ``text`` is what the webhook says; the message also names the ConfigMap, once it is known.
    """

    def __init__(self, text: str, config_map: str = "") -> None:
        super().__init__(f"{config_map}: {text}" if config_map else text)
        self.text = text


class Values:
    """The data of one ConfigMap, read key by key; what is absent keeps the default given."""

    def __init__(self, data: Mapping[str, str]) -> None:
        self._data = data

    def text(self, key: str, default: str) -> str:
        """The text, without blanks around it."""
        found = self._data.get(key)
        return default if found is None else found.strip()

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
        """``true`` or ``false``, or what else Go reads as such."""
        return self._parsed(key, default, _bool)

    def integer(self, key: str, default: int, *, bits: int = 64) -> int:
        """A whole number that fits into *bits*."""
        return self._parsed(key, default, lambda text: _integer(text, bits))

    def number(self, key: str, default: float) -> float:
        """A number; what its bounds are is its section's business."""
        return self._parsed(key, default, _number)

    def duration(self, key: str, default: float) -> float:
        """A Go duration in seconds."""
        return self._parsed(key, default, parse_go)

    def quantity(self, key: str, default: str) -> str:
        """The text of a Kubernetes quantity."""
        found = self._data.get(key)
        if found is None:
            return default
        self._parsed(key, None, quantities.parse)
        return found

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """The parts of a comma-separated list."""
        found = self._data.get(key)
        if found is None:
            return default
        return tuple(part for part in (each.strip() for each in found.split(",")) if part)

    def _parsed(self, key: str, default: T, parse: Callable[[str], T]) -> T:
        found = self._data.get(key)
        if found is None:
            return default
        try:
            return parse(found)
        except ValueError as exc:
            raise ConfigInvalid(f'failed to parse "{key}": {exc}') from exc


def _bool(text: str) -> bool:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise _syntax("ParseBool", text)


def _integer(text: str, bits: int) -> int:
    if not _INTEGER.fullmatch(text):
        raise _syntax("ParseInt", text)
    value = int(text)
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise ValueError(f'strconv.ParseInt: parsing "{text}": value out of range')
    return value


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise _syntax("ParseFloat", text)
    return float(text)


def _syntax(function: str, text: str) -> ValueError:
    return ValueError(f'strconv.{function}: parsing "{text}": invalid syntax')
