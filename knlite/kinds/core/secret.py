"""Secret: like a ConfigMap, but its values are never logged or printed.

Source: Kubernetes core/v1 Secret.
"""

from base64 import b64encode
from collections.abc import Mapping

import msgspec

from knlite.kinds.config.bundle import Config
from knlite.kinds.core.entries import base64_errors, immutable_errors, key_errors
from knlite.kinds.fielderror import Errors, invalid
from knlite.kinds.meta import Object
from knlite.kinds.objectname import name_errors


class Secret(Object):
    """``data`` is base64; ``string_data`` is write-only plain text that admission moves there."""

    type: str = ""
    data: Mapping[str, str] = msgspec.field(default_factory=dict)
    string_data: Mapping[str, str] = msgspec.field(default_factory=dict)
    immutable: bool | None = None


def defaulted(obj: Secret, old: Secret | None, config: Config) -> Secret:
    """*obj* with a type, and its plain texts moved into ``data``, where they win."""
    moved = {key: b64encode(text.encode()).decode() for key, text in obj.string_data.items()}
    return msgspec.structs.replace(
        obj, type=obj.type or "Opaque", data={**obj.data, **moved}, string_data={}
    )


def validated(obj: Secret, old: Secret | None, config: Config) -> Errors:
    """What is wrong with *obj*, whose plain texts have been moved."""
    errors = [*name_errors(obj), *key_errors("data", obj.data), *base64_errors("data", obj.data)]
    if old is not None:
        if old.type != obj.type:
            errors.append(invalid(obj.type, "type", "field is immutable"))
        entries = {"data": (old.data, obj.data)}
        errors.extend(immutable_errors(old.immutable, obj.immutable, entries))
    return tuple(errors)
