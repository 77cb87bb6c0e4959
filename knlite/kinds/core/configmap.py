"""ConfigMap: named texts for services, and (``config-*``) the settings of the platform itself.

Source: Kubernetes core/v1 ConfigMap. Not here: what a ``config-*`` may say (``kinds/config/``).
"""

from collections.abc import Mapping

import msgspec

from knlite.kinds.config.bundle import Config
from knlite.kinds.core.entries import base64_errors, immutable_errors, key_errors
from knlite.kinds.fielderror import Errors, generic
from knlite.kinds.meta import Object
from knlite.kinds.objectname import name_errors


class ConfigMap(Object):
    """Texts by key. ``binary_data`` holds base64."""

    data: Mapping[str, str] = msgspec.field(default_factory=dict)
    binary_data: Mapping[str, str] = msgspec.field(default_factory=dict)
    immutable: bool | None = None


def validated(obj: ConfigMap, old: ConfigMap | None, config: Config) -> Errors:
    """What is wrong with *obj*."""
    errors = [
        *name_errors(obj),
        *key_errors("data", obj.data),
        *key_errors("binaryData", obj.binary_data),
        *base64_errors("binaryData", obj.binary_data),
    ]
    errors.extend(
        generic("duplicate of key present in data", f"binaryData[{key}]")
        for key in obj.binary_data
        if key in obj.data
    )
    if old is not None:
        entries = {
            "data": (old.data, obj.data),
            "binaryData": (old.binary_data, obj.binary_data),
        }
        errors.extend(immutable_errors(old.immutable, obj.immutable, entries))
    return tuple(errors)
