"""How an optional library is brought into the environment that knlite runs in."""

import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from shlex import quote


def installing(extra: str, *, which: Callable[[str], str | None] = shutil.which) -> str:
    """The command that installs *extra* where this knlite will find it.

    A ``pip`` of another Python would install it, and nothing would change.
    """
    python = sys.executable
    pip = which("pip")
    if pip is not None and Path(pip).parent == Path(python).parent:
        return f'pip install "knlite[{extra}]"'
    if find_spec("pip") is not None:
        return f'{quote(python)} -m pip install "knlite[{extra}]"'
    # Made by uv, which comes with knlite and gives environments no pip.
    return f'{quote(python)} -m uv pip install "knlite[{extra}]" --python {quote(python)}'


def installed(package: str) -> str | None:
    """The version of *package* that is installed; None: it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
