"""LIKE patterns: ``%`` is any run of characters, ``_`` is one, a backslash makes either literal.

A pattern is cut at its ``%``. The first and the last piece have their places at the ends of the
text; those between are looked for one after the other, each as far left as it is found. Nothing is
ever tried twice, so that the cost is bounded by the length of the text, whatever the pattern.

Source: Eventing data plane reference §6.5.
Differs: characters are counted, not bytes, and a percent sign in the text is no more special than
any other character, as the specification has it (§6.8).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"\\([%_])|([%_])|(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Piece:
    """What stands between two ``%``: literal runs with their offsets, and gaps between them."""

    length: int
    runs: tuple[tuple[int, str], ...]
    masks: dict[str, int]
    gaps: int
    """Bit n of a mask: the character may stand at offset n; of *gaps*: any character may."""

    def stands_at(self, text: str, position: int) -> bool:
        for offset, run in self.runs:  # noqa: SIM110  all() takes twice as long
            if not text.startswith(run, position + offset):
                return False
        return True

    def end_in(self, text: str, start: int) -> int:
        """Where the first occurrence in *text* from *start* on ends; -1 if there is none."""
        if not self.runs:
            end = start + self.length
            return end if end <= len(text) else -1
        if len(self.runs[0][1]) == self.length:
            found = text.find(self.runs[0][1], start)
            return found if found < 0 else found + self.length
        # One bit for each beginning that still fits, all moved on with one step per character.
        alive, complete = 0, 1 << (self.length - 1)
        for position in range(start, len(text)):
            alive = (alive << 1 | 1) & self.masks.get(text[position], self.gaps)
            if alive & complete:
                return position + 1
        return -1


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, ready to be compared."""

    pieces: tuple[_Piece, ...]

    def matches(self, text: str) -> bool:
        """Whether the whole of *text* is as the pattern says."""
        first, last = self.pieces[0], self.pieces[-1]
        if len(self.pieces) == 1:
            return len(text) == first.length and first.stands_at(text, 0)
        room = len(text) - last.length
        if room < first.length or not first.stands_at(text, 0) or not last.stands_at(text, room):
            return False
        position = first.length
        for piece in self.pieces[1:-1]:
            position = piece.end_in(text, position)
            if not 0 <= position <= room:
                return False
        return True


def pattern_of(text: str) -> Pattern:
    """The pattern that *text* writes."""
    pieces: list[_Piece] = []
    characters: list[str | None] = []
    for escaped, special, plain in _TOKEN.findall(text):
        if special == "%":
            pieces.append(_piece(characters))
            characters = []
        else:
            characters.append(None if special else escaped or plain)
    pieces.append(_piece(characters))
    return Pattern(tuple(pieces))


def _piece(characters: Sequence[str | None]) -> _Piece:
    runs: list[tuple[int, str]] = []
    masks: dict[str, int] = {}
    gaps = 0
    for offset, character in enumerate(characters):
        if character is None:
            gaps |= 1 << offset
            continue
        masks[character] = masks.get(character, 0) | 1 << offset
        if runs and runs[-1][0] + len(runs[-1][1]) == offset:
            begin, run = runs.pop()
            runs.append((begin, run + character))
        else:
            runs.append((offset, character))
    masks = {character: mask | gaps for character, mask in masks.items()}
    return _Piece(len(characters), tuple(runs), masks, gaps)
