"""What ConfigMaps and Secrets hold, as bytes by key.

Source: Kubernetes core/v1 ConfigMap (``data``, ``binaryData``), Secret (``data``).
"""

from base64 import b64decode
from collections.abc import Mapping

from knlite.errors import InstanceFailed
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.secret import Secret
from knlite.reconcile import View


def config_map(name: str, namespace: str, view: View) -> Mapping[str, bytes] | None:
    """Those of a ConfigMap; None if there is none of that name."""
    found = view.get(ConfigMap, namespace, name)
    if found is None:
        return None
    texts = {key: text.encode() for key, text in found.data.items()}
    return {**texts, **{key: b64decode(text) for key, text in found.binary_data.items()}}


def secret(name: str, namespace: str, view: View) -> Mapping[str, bytes] | None:
    """Those of a Secret; None if there is none of that name."""
    found = view.get(Secret, namespace, name)
    if found is None:
        return None
    return {key: b64decode(value) for key, value in found.data.items()}


def missing(what: str) -> InstanceFailed:
    """A container needs what is not there; it starts once it is."""
    return InstanceFailed(
        "CreateContainerConfigError", what, fix="add it to the manifests, or mark it optional"
    )
