"""The files of volumes as an archive that the engine unpacks.

Laid out as the kubelet does: the files lie in a folder of their own, ``..data`` is a link to it
and each name a link through ``..data``, so that all of them change in one step. Two such folders
take turns. An archive cannot delete, but unpacking a file over a folder removes the folder; that
is how the old one goes.

Differs: a link to a file that is no longer there stays, dangling, until the instance ends.

Source: kubernetes pkg/volume/util/atomic_writer.go (the layout).
"""

import io
import tarfile
from collections.abc import Mapping

from knlite.serving.volume import File, FileVolume

_DATA = "..data"
FOLDER_MODE = 0o755
EVERYBODY = 0o777


class Archive:
    """Entries below the root of the container that gets them; owned by root and *group*."""

    def __init__(self, group: int = 0) -> None:
        self._group = group
        self._bytes = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._bytes, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def folder(self, path: str, mode: int = FOLDER_MODE) -> None:
        """A folder; one that is there gets *mode*."""
        member = self._member(path, mode)
        member.type = tarfile.DIRTYPE
        self._tar.addfile(member)

    def file(self, path: str, content: bytes, mode: int) -> None:
        """A file, in the place of whatever is there."""
        member = self._member(path, mode)
        member.size = len(content)
        self._tar.addfile(member, io.BytesIO(content))

    def link(self, path: str, target: str) -> None:
        """A symbolic link, in the place of whatever is there."""
        member = self._member(path, EVERYBODY)
        member.type, member.linkname = tarfile.SYMTYPE, target
        self._tar.addfile(member)

    def volume(self, root: str, volume: FileVolume, turn: int) -> None:
        """What *volume* holds, at *root*; *turn* counts how often it has been written before."""
        new, old = f"..{turn % 2}", f"..{(turn + 1) % 2}"
        self.file(f"{root}/{new}", b"", 0o600)
        self.folder(f"{root}/{new}")
        for folder in _folders(volume.files):
            self.folder(f"{root}/{new}/{folder}")
        for path, file in volume.files.items():
            self.file(f"{root}/{new}/{path}", file.content, file.mode)
        self.link(f"{root}/{_DATA}", new)
        for name in dict.fromkeys(path.partition("/")[0] for path in volume.files):
            self.link(f"{root}/{name}", f"{_DATA}/{name}")
        if turn:
            self.file(f"{root}/{old}", b"", 0o600)

    def done(self) -> bytes:
        """The archive."""
        self._tar.close()
        return self._bytes.getvalue()

    def _member(self, path: str, mode: int) -> tarfile.TarInfo:
        member = tarfile.TarInfo(path)
        member.mode, member.gid = mode, self._group
        return member


def _folders(files: Mapping[str, File]) -> list[str]:
    """The folders in which *files* lie, outer ones first."""
    found: dict[str, None] = {}
    for path in files:
        parts = path.split("/")[:-1]
        for depth in range(len(parts)):
            found["/".join(parts[: depth + 1])] = None
    return list(found)
