"""What a Python project lists to be installed: ``requirements.txt`` and ``pyproject.toml``.

Lines stay as they are written, but for files that they include: those of ``-r`` are read, those of
``-c`` are named by their absolute path, as nobody knows later which file named them.

Source: pip, "Requirements File Format" (encodings, includes relative to the including file); PEP
621. Not here: which of them a function needs (``python.py``), installing (``environment.py``).
"""

import codecs
import re
import tomllib
from pathlib import Path

from knlite.errors import InstanceFailed

_INCLUDED = re.compile(r"(-r|--requirement|-c|--constraint)(?:\s*=\s*|\s+)(.+)|(-[rc])(\S.*)")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16, whose mark UTF-32's begins with.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks: Windows PowerShell writes UTF-16."""


def of_file(file: Path) -> list[str]:
    """The lines of *file* and of what it includes, without comments; none if it is not there.

    Raises ``InstanceFailed`` for an included file that is not there.
    """
    return _lines(file, ()) if file.is_file() else []


def of_pyproject(file: Path) -> list[str]:
    """``project.dependencies`` of *file*. Raises ``InstanceFailed``."""
    try:
        project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InstanceFailed(
            "FunctionNotRecognised", f"{file} is not valid TOML", cause=str(error)
        ) from error
    listed = project.get("dependencies", []) if isinstance(project, dict) else None
    if not isinstance(listed, list) or not all(isinstance(line, str) for line in listed):
        raise InstanceFailed(
            "FunctionNotRecognised",
            f"{file} lists no dependencies that can be read",
            cause="project.dependencies is not a list of texts",
            fix='write for example dependencies = ["requests>=2"] below [project]',
        )
    return listed


def _lines(file: Path, above: tuple[Path, ...]) -> list[str]:
    """*above* are the files that are being read, and include this one."""
    if file in above:
        return []
    found: list[str] = []
    for raw in _text(file).replace("\\\n", " ").splitlines():
        line = re.sub(r"(^|\s)#.*$", "", raw).strip()
        included = _INCLUDED.fullmatch(line)
        if included is None:
            found += [line] if line else []
            continue
        option, name = included[1] or included[3], included[2] or included[4]
        constrains = option in ("-c", "--constraint")
        if "://" in name:
            found.append(f"{'-c' if constrains else '-r'} {name}")
            continue
        path = (file.parent / name).resolve()
        if not path.is_file():
            raise InstanceFailed(
                "FunctionNotRecognised",
                f"{file} includes {name}, which is not there",
                fix=f"write {path}, or remove the line {line!r}",
            )
        found += [f"-c {path}"] if constrains else _lines(path, (*above, file.resolve()))
    return found


def _text(file: Path) -> str:
    content = file.read_bytes()
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.removeprefix(mark).decode(encoding, "replace").replace("\r\n", "\n")
    # Names of packages are ASCII; what is not stands in comments.
    return content.decode("utf-8", "replace").replace("\r\n", "\n")
