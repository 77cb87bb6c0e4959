"""The last words that an ended container has left in a file. Blocks.

Differs: what lies in ``/dev`` (the path unless the manifest names another) is memory that has gone
with the container; the end of its log stands in.

Source: Kubernetes ``terminationMessagePath``.
"""

import io
import tarfile
from typing import TYPE_CHECKING

from knlite.runtime.lastwords import BYTES

if TYPE_CHECKING:
    from docker import APIClient

_LARGEST = 64 * 1024
"""Bytes; what is larger is no message."""
_GO_DIRECTORY = 1 << 31
"""Of a file's mode, as the engine's language writes it."""


def termination_message(client: "APIClient", container: str, path: str) -> str:
    """What *container* left at *path*; empty if nothing."""
    from docker.errors import APIError

    if path.startswith("/dev/"):
        return ""
    try:
        parts, about = client.get_archive(container, path)
        # The archive of a folder has all that is in it, which may be the whole container.
        if int(about["mode"]) & _GO_DIRECTORY or int(about["size"]) > _LARGEST:
            return ""
        with tarfile.open(fileobj=io.BytesIO(b"".join(parts))) as archive:
            member = archive.next()
            file = archive.extractfile(member) if member is not None else None
            return file.read(2 * BYTES).decode(errors="replace") if file is not None else ""
    except (APIError, tarfile.TarError, KeyError):
        return ""  # It left none.
