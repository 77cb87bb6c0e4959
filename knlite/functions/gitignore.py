"""Keeps ``.func``, which is of one machine only, out of git.

Source: knative/func pkg/functions/client.go (ensureRunDataDir).
"""

from pathlib import Path

FILE = ".gitignore"
_FUNC = b".func"
_LINES = b"""\
# What func keeps about this machine. To have it in git, comment the next line.
/.func
"""


def keep_func_out(folder: Path) -> None:
    """Add a line to ``.gitignore`` of *folder*, unless it speaks of ``.func``. Raises ``OSError``.

    A line that is commented is an author who wants it in git.
    """
    file = folder / FILE
    given = file.read_bytes() if file.exists() else b""
    if any(line.lstrip(b"# ").strip().strip(b"/") == _FUNC for line in given.splitlines()):
        return
    gap = b"" if not given else b"\n" if given.endswith(b"\n") else b"\n\n"
    with file.open("ab") as stream:
        stream.write(gap + _LINES)
