"""Secret: like a ConfigMap, but its values are never logged or printed."""

from collections.abc import Mapping

import msgspec

from knlite.kinds.meta import Object


class Secret(Object):
    """``data`` is base64; ``string_data`` is write-only plain text that admission moves there."""

    type: str = "Opaque"
    data: Mapping[str, str] = msgspec.field(default_factory=dict)
    string_data: Mapping[str, str] = msgspec.field(default_factory=dict)
    immutable: bool | None = None
