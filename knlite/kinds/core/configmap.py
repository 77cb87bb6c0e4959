"""ConfigMap: named texts for services, and (``config-*``) the settings of the platform itself."""

from collections.abc import Mapping

import msgspec

from knlite.kinds.meta import Object


class ConfigMap(Object):
    """Texts by key. ``binary_data`` holds base64."""

    data: Mapping[str, str] = msgspec.field(default_factory=dict)
    binary_data: Mapping[str, str] = msgspec.field(default_factory=dict)
    immutable: bool | None = None
