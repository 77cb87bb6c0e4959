"""Why requirements cannot be installed, as the installer says, and which line asks for them.

Not here: installing (``environment.py``).
"""

import re
from pathlib import Path

FILES = ("requirements.txt", "constraints.txt", "pyproject.toml")
LIMIT = 600
"""Characters of a reason that a condition may hold."""

_BOX = " \t×╰─▶├│·"
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_QUOTED = re.compile(r"[\"']([A-Za-z0-9][A-Za-z0-9._-]*)")
_OFFLINE = (
    "error sending request",
    "dns error",
    "Network",
    "network was disabled",
    "Could not connect",
    "timed out",
)


def reason(printed: str) -> str:
    """One sentence or two of what the installer *printed* about its failure."""
    head, _, built = printed.partition("[stderr]")
    said = [line.strip(_BOX) for line in head.splitlines() if line.strip(_BOX)]
    told = [line for line in said if not line.startswith(("hint:", "warning:", "[stdout]"))]
    # What a build printed to its output, and below it.
    if "[stdout]" in said:
        told = told[: said.index("[stdout]")]
    words = [re.sub(r"^(error|cause|Caused by):\s*", "", line) for line in told[:4]]
    # The last line of a failed build is its exception.
    ends = [line.strip() for line in built.partition("\nhint:")[0].splitlines() if line.strip()]
    words += ends[-1:]
    return "; ".join(words)[:LIMIT]


def offline(why: str) -> bool:
    """Whether *why*, what the installer printed, says that there was no network."""
    return any(words in why for words in _OFFLINE)


def place(folder: Path, why: str) -> str:
    """The file and line in *folder* of the requirement that *why* speaks of; else the file."""
    files = [folder / name for name in FILES if (folder / name).is_file()]
    for file in files:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            names = (_QUOTED if file.suffix == ".toml" else _NAME).findall(line)
            if any(_speaks_of(name, why) for name in names):
                return f"{file} line {number}"
    return str(files[0]) if files else str(folder)


def _speaks_of(name: str, why: str) -> bool:
    return bool(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", why, re.IGNORECASE))
