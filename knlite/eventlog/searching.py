"""What a search for words looks at in an event, alike in every history.

Case counts for nothing as far as letters are ASCII: that is what both Python and SQLite can do
quickly to bytes. Not here: who keeps it (``historysqlite.py``), or makes it when asked
(``historymemory.py``).
"""

from collections.abc import Sequence

from knlite.facts import EventAccepted

SEARCHED = 4096
"""Bytes of an event's data, from the beginning, in which words are found; and so many characters of
its attributes, which may be long too."""
MAX_WORDS = 16
"""In one search; what follows them is left out."""


def searched(fact: EventAccepted) -> bytes:
    """The values of its attributes and the beginning of its data, a line each."""
    # Twice as quick as with all the care that it takes for a long or a broken text.
    values, data = "\n".join([*fact.attributes.values()]), fact.data or b""
    if len(values) > SEARCHED:
        values = values[:SEARCHED]
    if len(data) > SEARCHED:
        data = data[:SEARCHED]
    try:
        return values.encode() + b"\n" + data
    except UnicodeEncodeError:
        return values.encode(errors="replace") + b"\n" + data


def words(text: str) -> tuple[bytes, ...]:
    """What has to be found somewhere in ``searched(…).lower()``, each of them."""
    return tuple(text.encode(errors="replace").lower().split()[:MAX_WORDS])


def holds(fact: EventAccepted, wanted: tuple[bytes, ...]) -> bool:
    """Whether all words are in *fact*."""
    there = searched(fact).lower()
    for word in wanted:  # noqa: SIM110  all() takes twice as long
        if word not in there:
            return False
    return True


def may_hold(facts: Sequence[EventAccepted], wanted: tuple[bytes, ...]) -> bool:
    """Whether all words are somewhere in *facts* together; if not, none of them holds them.

    Mostly what somebody looks for is in none of a thousand events, and to ask all of them at once
    takes a third of the time. No word has a line end, so none goes from one to the next.
    """
    values = [value[:SEARCHED] for fact in facts for value in fact.attributes.values()]
    data = [fact.data[:SEARCHED] for fact in facts if fact.data]
    there = ("\n".join(values).encode(errors="replace") + b"\n" + b"\n".join(data)).lower()
    return all(word in there for word in wanted)
