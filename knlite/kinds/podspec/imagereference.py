"""Whether a text names an image: ``[registry/]repository[:tag][@sha256:…]``.

Source: google/go-containerregistry ``pkg/name`` with weak validation, as Knative uses it;
Knative reference §1.6. Not here: which registry or store the image comes from.
"""

import re

_REGISTRY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.~!$&'()*+,;=_-]*)(:\d*)?", re.ASCII)
_REPOSITORY = re.compile(r"[a-z0-9_./-]{2,255}", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


def is_image_reference(text: str) -> bool:
    """Whether a registry client would take *text*."""
    name, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        return False
    return _is_tagged(name) or (bool(at) and _is_repository(name))


def _is_tagged(text: str) -> bool:
    base, colon, tag = text.rpartition(":")
    if not colon or "/" in tag:
        # The colon, if any, belongs to the registry's port.
        return _is_repository(text)
    return (not tag or _TAG.fullmatch(tag) is not None) and _is_repository(base)


def _is_repository(text: str) -> bool:
    first, slash, rest = text.partition("/")
    if slash and ("." in first or ":" in first):
        return bool(_REGISTRY.fullmatch(first)) and bool(_REPOSITORY.fullmatch(rest))
    return _REPOSITORY.fullmatch(text) is not None
