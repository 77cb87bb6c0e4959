"""What a search for words looks at in an event, alike in every history.

Case counts for nothing as far as letters are ASCII: that is what both Python and SQLite can do
quickly to bytes. A word with other letters is looked for in each way in which it is mostly written.

Not here: who keeps it (``historysqlite.py``), or makes it when asked
(``historymemory.py``).
"""

import json
import re
from collections.abc import Sequence
from unicodedata import normalize

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


_PLAIN = re.compile(r"[!#-\[\]-~]{2,}")
"""What is written alike in all ways."""

Word = tuple[bytes, ...]
"""The ways to write a word, any of which is to be found in ``searched(…).lower()``."""


def words(text: str) -> tuple[Word, ...]:
    """Those of *text*, each of which has to be found."""
    found: list[Word] = []
    for word in text.split()[:MAX_WORDS]:
        if not word.isascii():
            # It has many ways, and this is in all of them: mostly it is enough to look for one.
            runs = [each for each in _PLAIN.findall(normalize("NFC", word)) if each in word]
            found += [(each.encode().lower(),) for each in sorted(runs, key=len)[-1:]]
        found.append(_ways_to_write(word))
    return tuple(found)


def _ways_to_write(word: str) -> Word:
    """In UTF-8, or as JSON has it that is written in ASCII; its accents in one with its letters, or
    behind them (RFC 8259 §7, Unicode normalization forms C and D)."""
    if word.isascii():
        return (word.encode().lower(),)
    cases = (word, word.lower(), word.upper(), word.title())
    forms = [*cases, *(normalize(form, each) for form in ("NFC", "NFD") for each in cases)]
    written = [each.encode(errors="replace").lower() for each in forms]
    written += [json.dumps(each)[1:-1].encode().lower() for each in forms]
    return tuple(dict.fromkeys(written))


def holds(fact: EventAccepted, wanted: tuple[Word, ...]) -> bool:
    """Whether all words are in *fact*."""
    return _are_in(searched(fact).lower(), wanted)


def may_hold(facts: Sequence[EventAccepted], wanted: tuple[Word, ...]) -> bool:
    """Whether all words are somewhere in *facts* together; if not, none of them holds them.

    Mostly what somebody looks for is in none of a thousand events, and to ask all of them at once
    takes a third of the time. No word has a line end, so none goes from one to the next.
    """
    values = [value[:SEARCHED] for fact in facts for value in fact.attributes.values()]
    data = [fact.data[:SEARCHED] for fact in facts if fact.data]
    there = ("\n".join(values).encode(errors="replace") + b"\n" + b"\n".join(data)).lower()
    return _are_in(there, wanted)


def _are_in(there: bytes, wanted: tuple[Word, ...]) -> bool:
    for ways in wanted:
        for each in ways:  # any() takes twice as long
            if each in there:
                break
        else:
            return False
    return True
