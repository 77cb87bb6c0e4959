"""The ``web:`` line of a ``Procfile``: the command that serves a function, in any language.

Source: Knative Functions reference §2.7 (a pack build runs the user's Procfile).
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from knlite.errors import InstanceFailed

FILE = "Procfile"
LARGE = 64 * 1024

_WEB = re.compile(r"^web:[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_SHELL = re.compile(r"[|&;<>()`*?~#\[\]]|\$\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcfilePlan:
    """The command of a function; its words may hold variables."""

    words: tuple[str, ...]
    requirements: tuple[str, ...] = ()
    """Of a Python program: what has to be installed for it."""


def read(folder: Path) -> ProcfilePlan | None:
    """The ``web:`` command of the Procfile in *folder*; None without one.

    A line that needs a shell gets one. Raises ``InstanceFailed``.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        found = _WEB.search(stream.read(LARGE).decode("utf-8-sig", "replace").replace("\r\n", "\n"))
    if found is None or not found[1]:
        raise InstanceFailed(
            "InvalidCommand",
            f"{file} does not say how the function is started",
            cause="it has no line that begins with 'web:' and goes on with a command",
            fix="write for example 'web: ./server --port $PORT'",
        )
    # A program that replaces its shell is one without a shell.
    line = found[1].removeprefix("exec ").lstrip()
    if _SHELL.search(line):
        # exec: else the shell would stand between the signal and the program.
        words = ["/bin/sh", "-c", line if re.search(r"[|&;]", line) else f"exec {line}"]
        return ProcfilePlan(words=tuple(words))
    try:
        split = shlex.split(line)
        variables = ["env"] if re.match(r"\w+=", line) else []
        return ProcfilePlan(words=(*variables, *split))
    except ValueError as error:
        raise InstanceFailed(
            "InvalidCommand",
            f"the line 'web:' of {file} cannot be read",
            cause=str(error),
            fix="close its quotes",
        ) from error
