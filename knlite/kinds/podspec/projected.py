"""A projected volume: several sources in one folder.

Validation looks at it as decoded (``volumes.py``), since upstream's paths do; here it is typed.

Source: Kubernetes core/v1 ProjectedVolumeSource, DownwardAPIVolumeFile.
"""

from typing import Any

import msgspec

from knlite.kinds.meta import Fields
from knlite.kinds.podspec.fields import KeyToPath


class ObjectProjection(Fields):
    """Keys of a ConfigMap or a Secret; all of them without ``items``."""

    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    optional: bool | None = None


class TokenProjection(Fields):
    """A token of the service account."""

    audience: str = ""
    expiration_seconds: int | None = None
    path: str = ""


class DownwardFile(Fields):
    """One fact about the instance as a file."""

    path: str = ""
    field_ref: Any = None
    resource_field_ref: Any = None
    mode: int | None = None


class DownwardProjection(Fields):
    """Facts about the instance as files."""

    items: tuple[DownwardFile, ...] = ()


class Projection(Fields):
    """Exactly one source."""

    config_map: ObjectProjection | None = None
    secret: ObjectProjection | None = None
    service_account_token: TokenProjection | None = None
    downward_api: DownwardProjection | None = msgspec.field(default=None, name="downwardAPI")


class ProjectedVolume(Fields):
    """The sources in the manifest's order; where two give one path the later one wins."""

    sources: tuple[Projection, ...] = ()
    default_mode: int | None = None


def read_projected(value: object) -> ProjectedVolume:
    """*value* as decoded from a manifest. Raises ``msgspec.ValidationError``."""
    return msgspec.convert(value, ProjectedVolume)
