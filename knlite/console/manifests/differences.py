"""In what an object is not what its file says. Pure.

Only what the file says counts: what defaults and the system have added is no difference.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

MOST = 50
"""Differences that are told; who has more has another object."""


class Difference(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A field that the file at *line* says is *declared*; *now* is null if it is not there."""

    path: str
    declared: Any
    now: Any


def differences(declared: object, now: object) -> tuple[Difference, ...]:
    """Where the tree *declared* says something else than *now*, in the order of the file."""
    found = []
    for difference in _between(declared, now, ""):
        found.append(difference)
        if len(found) == MOST:
            break
    return tuple(found)


def _between(declared: object, now: object, path: str) -> Iterator[Difference]:
    if isinstance(declared, dict) and isinstance(now, dict):
        for name, value in declared.items():
            yield from _between(value, now.get(name), f"{path}.{name}" if path else name)
    elif isinstance(declared, list) and isinstance(now, list) and len(declared) == len(now):
        for index, (value, there) in enumerate(zip(declared, now, strict=True)):
            yield from _between(value, there, f"{path}[{index}]")
    elif declared != now and not (_empty(declared) and _empty(now)):
        yield Difference(path=path, declared=declared, now=now)


def _empty(value: object) -> bool:
    """Whether *value* says no more than that there is nothing."""
    return value in (None, "", [], {})
