"""Files that only their owner may read."""

import os
from pathlib import Path
from tempfile import mkstemp


def write_private(file: Path, text: str) -> None:
    """Replace *file* whole, readable by its owner alone; a link stays a link.

    Raises ``OSError``.
    """
    real = file.resolve()
    real.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = mkstemp(dir=real.parent, prefix=f".{real.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
        Path(name).replace(real)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
