"""What making a function ready takes, whatever its language.

Not here: what is made (``plan.py``, ``environment.py``, ``node.py``, ``golang.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from knlite.functions.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """One function that is made ready."""

    name: str
    """For reports and errors."""
    folder: Path
    """Its files."""
    origin: Path
    """The user's own folder, which *folder* may be a copy of, for errors."""
    cache_dir: Path
    """What is made is kept below it."""
    environ: Mapping[str, str] = field(repr=False)
    """Of the tools that make it."""
    report: Report
