"""Credentials for a registry, from the Secrets that ``imagePullSecrets`` names.

Source: Kubernetes Secret types ``kubernetes.io/dockerconfigjson`` and ``kubernetes.io/dockercfg``.
"""

import binascii
import json
from base64 import b64decode
from collections.abc import Iterable, Mapping

from knlite.kinds.core.secret import Secret
from knlite.serving.imagename import registry_of

_HUB = "index.docker.io"


def credentials(image: str, secrets: Iterable[Secret]) -> Mapping[str, str] | None:
    """``username`` and ``password`` for the registry of *image*; None if no secret knows it."""
    wanted = registry_of(image)
    for secret in secrets:
        for address, entry in _entries(secret).items():
            if _host(address) == wanted and isinstance(entry, Mapping):
                found = _credentials(entry)
                if found is not None:
                    return found
    return None


def _entries(secret: Secret) -> Mapping[str, object]:
    try:
        if ".dockerconfigjson" in secret.data:
            config = json.loads(b64decode(secret.data[".dockerconfigjson"]))
            entries = config.get("auths") if isinstance(config, Mapping) else None
        else:
            entries = json.loads(b64decode(secret.data.get(".dockercfg", "e30=")))
    except (ValueError, binascii.Error):
        return {}
    return entries if isinstance(entries, Mapping) else {}


def _host(address: str) -> str:
    host = address.partition("://")[2] or address
    host = host.partition("/")[0]
    return _HUB if host in ("docker.io", "registry-1.docker.io") else host


def _credentials(entry: Mapping[str, object]) -> Mapping[str, str] | None:
    user, password = entry.get("username"), entry.get("password")
    if not user:
        try:
            user, _, password = b64decode(str(entry.get("auth", ""))).decode().partition(":")
        except (ValueError, binascii.Error):
            return None
    return {"username": str(user), "password": str(password or "")} if user else None
