"""ConfigMap: named texts for services, and (``config-*``) the settings of the platform itself.

Source: Kubernetes core/v1 ConfigMap. Not here: what a ``config-*`` may say (``kinds/config/``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import msgspec

from knlite.kinds.config import eventingfeatures
from knlite.kinds.config.bundle import EVENTING_NAMESPACE, Config
from knlite.kinds.core.entries import base64_errors, immutable_errors, key_errors
from knlite.kinds.fielderror import Errors, FieldError, generic
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
    errors.extend(_warnings(obj))
    return tuple(errors)


def _warnings(obj: ConfigMap) -> Iterator[FieldError]:
    """What a person should hear of who sets a feature flag that does not do what they may think."""
    if (obj.metadata.namespace, obj.metadata.name) == (EVENTING_NAMESPACE, eventingfeatures.NAME):
        for key, text in eventingfeatures.warnings(obj.data):
            yield replace(generic(text, f"data[{key}]"), level="warning")
