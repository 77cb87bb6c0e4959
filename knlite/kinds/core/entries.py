"""What the entries of ConfigMaps and Secrets have in common: keys, base64, and being immutable.

Errors name keys and never show values, so that they may be printed for Secrets too.

Source: Kubernetes ``pkg/apis/core/validation`` (``ValidateConfigMap``, ``ValidateSecret``),
``apimachinery/pkg/util/validation`` (``IsConfigMapKey``).
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Final

from knlite.kinds.fielderror import Errors, generic, invalid_key
from knlite.kinds.names import MAX_SUBDOMAIN

IMMUTABLE: Final = "field is immutable when `immutable` is set"
NOT_BASE64: Final = "value is not base64"

_KEY = re.compile(r"[-._a-zA-Z0-9]+", re.ASCII)
_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g."
    " 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


def key_errors(path: str, entries: Mapping[str, str]) -> Errors:
    """Keys that could not be file names."""
    return tuple(
        invalid_key(key, f"{path}[{key}]", problem)
        for key in entries
        for problem in _key_problems(key)
    )


def base64_errors(path: str, entries: Mapping[str, str]) -> Errors:
    """Values that are not base64."""
    return tuple(
        generic(NOT_BASE64, f"{path}[{key}]")
        for key, value in entries.items()
        if not _is_base64(value)
    )


def immutable_errors(
    was_immutable: bool | None,
    is_immutable: bool | None,
    entries: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]],
) -> Errors:
    """What changed although ``immutable`` was set; *entries* is path to (old, new)."""
    if not was_immutable:
        return ()
    paths = [path for path, (old, new) in entries.items() if old != new]
    if not is_immutable:
        paths.append("immutable")
    return tuple(generic(IMMUTABLE, path) for path in paths)


def _key_problems(key: str) -> tuple[str, ...]:
    found = []
    if len(key) > MAX_SUBDOMAIN:
        found.append(f"must be no more than {MAX_SUBDOMAIN} characters")
    if not _KEY.fullmatch(key):
        found.append(_KEY_TEXT)
    elif key == ".":
        found.append("must not be '.'")
    elif key.startswith(".."):
        found.append("must not be '..'" if key == ".." else "must not start with '..'")
    return tuple(found)


def _is_base64(value: str) -> bool:
    try:
        # Line breaks are allowed, as in Go's decoder.
        b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
