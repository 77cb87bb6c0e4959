"""What of a ``func.yaml`` is code: the fields that change how its function runs.

``func build`` and ``func deploy`` write into it where an image is and what has been deployed; that
is no other function, and must not become another revision.

Source: Knative Functions reference §4.1.
Not here: reading it (``funcyaml.py``), the other files (``contents.py``).
"""

import json
from collections.abc import Mapping

from knlite.functions.yamltree import Unreadable, parsed

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
        document = parsed(content.decode()).tree
    except (Unreadable, UnicodeDecodeError):
        return content
    kept = {name: value for name, value in document.items() if name not in _BOOKKEEPING}
    for name, fields in (("build", _OF_BUILD), ("deploy", _OF_DEPLOY)):
        group = kept.get(name)
        if isinstance(group, Mapping):
            kept[name] = {field: value for field, value in group.items() if field in fields}
            if not kept[name]:
                del kept[name]
    return json.dumps(kept, sort_keys=True).encode()
