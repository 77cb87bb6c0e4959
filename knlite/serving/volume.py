"""What a volume of one instance holds, as a runtime is told.

Where the files come from (ConfigMaps, Secrets, fields of the instance) is settled before; a
runtime sees bytes and modes. Source: Kubernetes core/v1 Volume; Knative reference §4.4.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class File:
    """One file; *mode* is its permission bits."""

    content: bytes
    mode: int = 0o644

    def __repr__(self) -> str:
        # It may be a Secret's, and reprs end up in logs.
        return f"File(<{len(self.content)} bytes>, 0o{self.mode:o})"


@dataclass(frozen=True, slots=True)
class FileVolume:
    """Files by their path below the mount; always read-only for the instance."""

    files: Mapping[str, File]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyDir:
    """An empty folder, writable for every user, that lives as long as the instance."""

    in_memory: bool = False
    size_limit: int | None = None
    """Bytes; None means no limit of its own."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The lasting volume of that name, writable for every user, made when it is not there."""

    volume: str
    claim: str
    """NAMESPACE/NAME of the claim, for people who find the volume."""


VolumeContent = FileVolume | EmptyDir | Claimed
