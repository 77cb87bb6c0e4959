"""What of a ``func.yaml`` is code: the fields that change how its function runs.

``func build`` and ``func deploy`` write into it where an image is and what has been deployed; that
is no other function, and must not become another revision.

Source: Knative Functions reference §4.1.
Not here: reading it (``funcyaml.py``), the other files (``contents.py``).
"""

import json
from collections.abc import Mapping

import yaml

FILE = "func.yaml"

_BOOKKEEPING = frozenset(
    ("specVersion", "version", "created", "image", "imageDigest", "registry", "registryInsecure",
     "namespace", "deployer")
)  # fmt: skip
_OF_BUILD = frozenset(("baseImage", "buildEnvs", "volumes"))
_OF_DEPLOY = frozenset(("healthEndpoints",))


def essence(content: bytes) -> bytes:
    """The same for two contents that run alike; one that cannot be read is all code."""
    try:
        document = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return content
    if not isinstance(document, dict):
        return content
    kept = {name: value for name, value in document.items() if name not in _BOOKKEEPING}
    for name, fields in (("build", _OF_BUILD), ("deploy", _OF_DEPLOY)):
        if isinstance(kept.get(name), Mapping):
            kept[name] = {field: kept[name][field] for field in kept[name] if field in fields}
            if not kept[name]:
                del kept[name]
    return json.dumps(kept, sort_keys=True, default=str).encode()
