"""What ``--limit NAME=VALUE`` sets: fields of frozen dataclasses, ``-`` in a name for ``_``.

Every part that has limits has a dataclass for them; no two use the same name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

from knlite.errors import InvalidInput

T = TypeVar("T")

_WORDS = {int: "whole number", float: "number of seconds"}


def limits_of(kind: type[T], texts: Iterable[str]) -> T:
    """The *kind* that those of *texts* describe which are meant for it.

    Raises ``InvalidInput``.
    """
    known = _known(kind)
    chosen = dict[str, int | float]()
    for text in texts:
        name, _, value = text.partition("=")
        field = known.get(name.strip())
        if field is not None:
            chosen[field.name] = _number(text, value, field)
    return kind(**chosen)


def require_known(texts: Iterable[str], kinds: Sequence[type]) -> None:
    """Refuse texts that none of *kinds* has a limit for. Raises ``InvalidInput``."""
    known = [name for kind in kinds for name in _known(kind)]
    for text in texts:
        name, equals, _ = text.partition("=")
        if not equals or name.strip() not in known:
            raise InvalidInput(
                f"--limit {text!r} cannot be read",
                cause=f"the limits are {', '.join(known)}",
                fix="write for example --limit head-bytes=131072",
            )


def _known(kind: type) -> dict[str, "Field[Any]"]:
    return {field.name.replace("_", "-"): field for field in fields(kind)}


def _number(text: str, value: str, field: "Field[Any]") -> int | float:
    assert field.default is not MISSING
    kind = type(field.default)
    try:
        number: int | float = kind(value)
    except ValueError:
        number = 0
    if not number > 0:
        raise InvalidInput(
            f"--limit {text!r} cannot be read",
            cause=f"{value.strip()!r} is not a positive {_WORDS[kind]}",
        )
    return number
