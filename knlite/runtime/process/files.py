"""Files for local programs that are told where to find them.

A process has no mounts. But where a variable says at which path a volume is mounted, it can as well
say another one: the files are laid out in a folder of the run, and the variable gets its path.

Differs: they are written once, at the start, and belong to whoever runs knlite, with nobody else's
access.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from knlite.errors import InstanceFailed
from knlite.runtime.port import Launch
from knlite.runtime.process import owner as owners
from knlite.serving.volume import FileVolume


class Files:
    """The files of one run, below *folder*; *marker* names the run."""

    def __init__(self, folder: Path, marker: str) -> None:
        self._folder = folder
        self._own = folder / quote(marker, safe="")

    def lay_out(self, launch: Launch, user: int | None) -> Mapping[str, str]:
        """Write the files that *launch* mounts; gives the variables that change.

        They are *user*'s, if that is not None. Blocks. Raises ``InstanceFailed``.
        """
        env = launch.serving.env
        changed: dict[str, str] = {}
        for mount in launch.serving.mounts:
            content = launch.volumes.get(mount.volume)
            told = [name for name, value in env.items() if value == mount.path]
            if not told or not isinstance(content, FileVolume):
                continue
            place = self._own / quote(launch.instance, safe="") / quote(mount.volume, safe="")
            try:
                self._write(place, content, user)
            except OSError as exc:
                raise InstanceFailed(
                    "FailedMount",
                    f"the volume {mount.volume} cannot be written to {place}",
                    cause=str(exc),
                    fix="set XDG_CACHE_HOME to a folder that you may write to",
                ) from exc
            changed.update(dict.fromkeys(told, str(place / mount.sub_path)))
        return changed

    def remove(self, instance: str) -> None:
        """Forget the files of *instance*. Blocks."""
        shutil.rmtree(self._own / quote(instance, safe=""), ignore_errors=True)

    def close(self) -> None:
        """Forget all files of this run. Blocks."""
        shutil.rmtree(self._own, ignore_errors=True)

    def sweep(self) -> None:
        """Remove the files of runs that have ended. Blocks."""
        if self._folder.is_dir():
            for found in self._folder.iterdir():
                if not owners.alive(unquote(found.name)):
                    shutil.rmtree(found, ignore_errors=True)

    def _write(self, place: Path, content: FileVolume, user: int | None) -> None:
        shutil.rmtree(place, ignore_errors=True)
        self._make(place, user)
        for path, file in content.files.items():
            target = place.joinpath(path)
            self._make(target.parent, user)
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(file.content)
            _give(target, user)

    def _make(self, folder: Path, user: int | None) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._own.chmod(0o711 if user is not None else 0o700)
        _give(folder, user)


def _give(path: Path, user: int | None) -> None:
    if user is not None:
        os.chown(path, user, -1)
