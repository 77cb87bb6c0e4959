"""Which files of a folder are its code: one rule for digests, snapshots, watching and images.

Left out are what is made from the code, what begins with a dot, what editors leave while they save,
and what ``.funcignore`` names.

Source: Knative Functions reference §4.7.
Differs: ``.env`` counts, as programs read it; every other name with a dot in front is left out,
where func leaves out its own and git's only.
"""

import re
from collections.abc import Callable
from pathlib import Path

FILE = ".funcignore"

LEFT_OUT = frozenset({"__pycache__", "node_modules", "venv"})
"""Made from the code, not code."""
READ = frozenset({".env"})
"""Names with a dot in front that are code all the same."""

_EDITORS = re.compile(r".*~|#.*#|4913|.*___jb_(tmp|old)___|.*\.sw[a-p]")
"""What Emacs, Vim, IntelliJ and others have beside a file while they save it."""

Ignored = Callable[[str, bool], bool]
"""Whether the entry at a relative path with slashes, which is a folder or not, is left out; asked
for a folder before what is in it."""


def is_code(name: str) -> bool:
    """Whether an entry called *name* counts, as far as its name alone tells."""
    if name.startswith("."):
        return name in READ
    return name not in LEFT_OUT and not _EDITORS.fullmatch(name)


def ignored(folder: Path) -> Ignored:
    """The rule for *folder*, by its ``.funcignore``; one that cannot be read names nothing."""
    patterns = tuple(_patterns(folder / FILE))

    def rule(path: str, is_folder: bool) -> bool:
        name = path.rpartition("/")[2]
        if not is_code(name) or any(matches(path, name) for matches in patterns):
            return True
        # A virtual environment, whatever it is called.
        return is_folder and (folder / path / "pyvenv.cfg").exists()

    return rule


def _patterns(file: Path) -> list[Callable[[str, str], bool]]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    texts = [line.strip() for line in lines]
    return [_pattern(text) for text in texts if text.strip("/") and not text.startswith("#")]


def _pattern(text: str) -> Callable[[str, str], bool]:
    """What one line matches: a path from the folder on, or a name anywhere."""
    rooted, wanted = text.startswith("/"), _glob(text.strip("/"))

    def matches(path: str, name: str) -> bool:
        return bool(wanted.fullmatch(path)) or (not rooted and bool(wanted.fullmatch(name)))

    return matches


def _glob(text: str) -> re.Pattern[str]:
    """*text* as Go's ``filepath.Match`` reads it: ``*`` and ``?`` stop at slashes.

    A bracket that is not closed is itself.
    """
    made, at = "", 0
    while at < len(text):
        char = text[at]
        at += 1
        end = text.find("]", at + 1)
        if char == "*":
            made += "[^/]*"
        elif char == "?":
            made += "[^/]"
        elif char == "[" and end > 0:
            inside = re.escape(text[at:end]).replace(r"\-", "-").replace(r"\^", "^")
            made += f"[{inside}]"
            at = end + 1
        elif char == "\\" and at < len(text):
            made += re.escape(text[at])
            at += 1
        else:
            made += re.escape(char)
    try:
        return re.compile(made)
    except re.error:
        return re.compile(re.escape(text))
