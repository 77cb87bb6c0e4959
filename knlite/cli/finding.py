"""One line of ``knlite doctor``."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; *fix* says what to do about a problem."""

    verdict: Verdict
    subject: str
    text: str
    fix: str = ""
