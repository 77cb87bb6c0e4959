"""What was last built of a function: files below ``.func`` that ``func`` reads and writes, too.

``built-image`` is the image's name. ``built-hash`` tells whether anything has changed since: func
writes a hash over paths and times of files; here it is the digest of the code, so that touching a
file, or moving the project, is no change. Each takes the other's hash for "changed", and builds.

Source: Knative Functions reference §4.1 (beside func.yaml), §4.7; knative/func
pkg/functions/function.go.
"""

from pathlib import Path

from knlite.functions.gitignore import keep_func_out

FOLDER = ".func"
IMAGE, HASH = "built-image", "built-hash"


def built_image(folder: Path) -> str:
    """The image that was last built of the function in *folder*; empty if none was."""
    return _read(folder / FOLDER / IMAGE)


def is_built(folder: Path, image: str, code: str) -> bool:
    """Whether *image* was built of what has the digest *code*."""
    return (built_image(folder), _read(folder / FOLDER / HASH)) == (image, code)


def stamp(folder: Path, image: str, code: str) -> None:
    """Write down that *image* was built of what has the digest *code*. Raises ``OSError``."""
    own = folder / FOLDER
    own.mkdir(exist_ok=True)
    (own / HASH).write_text(code)
    (own / IMAGE).write_text(image)
    keep_func_out(folder)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
