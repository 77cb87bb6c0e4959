"""Make a virtual environment with pip, also where the system's Python came without ensurepip.

Some distributions split ``ensurepip`` off into a package that only root can install. Then pip's own
wheel is fetched from the package index (``PIP_INDEX_URL``, else pypi.org), checked against the
hash that the index gives, and asked to install itself.
"""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import venv
from pathlib import Path

LINK = re.compile(
    r'href="([^"]+/pip-(\d+)\.(\d+)(?:\.(\d+))?-py3-none-any\.whl)#sha256=([0-9a-f]{64})"'
)


def main() -> None:
    if sys.version_info < (3, 11):
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(
            f"knlite needs Python 3.11 or newer; {sys.executable} is {found}. "
            "Give another one: make PYTHON=python3.12 …"
        )
    folder = Path(sys.argv[1])
    if importlib.util.find_spec("ensurepip") is not None:
        venv.create(folder, with_pip=True)
    else:
        venv.create(folder, with_pip=False)
        install_pip(folder / "bin" / "python")


def install_pip(python: Path) -> None:
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    with urllib.request.urlopen(index, timeout=60) as answer:
        page = answer.read().decode()
    found = max(
        LINK.finditer(page),
        key=lambda m: tuple(int(n or 0) for n in m.group(2, 3, 4)),
        default=None,
    )
    if found is None:
        sys.exit(
            f"no pip at {index}; install the system's package for Python's venv (python3-venv)"
        )
    with urllib.request.urlopen(urllib.parse.urljoin(index, found[1]), timeout=60) as answer:
        wheel = answer.read()
    if hashlib.sha256(wheel).hexdigest() != found[5]:
        sys.exit(f"{found[1]} does not have the hash that the index gives")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(urllib.parse.urlsplit(found[1]).path).name
        path.write_bytes(wheel)
        subprocess.run([python, f"{path}/pip", "install", "-q", "pip"], check=True)


def version(link: re.Match[str]) -> tuple[int, ...]:
    return tuple(int(number or 0) for number in link.group(2, 3, 4))


main()
