"""Attributes and values as verdicts name them."""

import json

LONGEST = 200
"""Characters of a value that are shown; a hostile event shall not fill a log."""


def quoted(text: str) -> str:
    """*text* between double quotes, on one line, cut where it gets long."""
    return json.dumps(cut(text), ensure_ascii=False)


def cut(text: str) -> str:
    """The beginning of *text*."""
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def found(name: str, text: str | None) -> str:
    """What the event has: ``type is "order"``; an empty text counts as absent."""
    return f"{name} is {quoted(text)}" if text else f"{name} is absent"


def seen(name: str, text: str | None) -> dict[str, str | None]:
    """The same, for ``Part.seen``."""
    return {name: cut(text) if text else None}
