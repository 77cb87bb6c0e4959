"""``knlite delete``: one object of a running knlite."""

import json
import sys

from knlite.cli.client import Client
from knlite.cli.words import resolve
from knlite.errors import InvalidInput


def delete(kind: str, name: str, namespace: str, admin_port: int, *, as_json: bool) -> None:
    """Delete the object. Raises ``InvalidInput``, ``NotFound``, ``Unreachable``."""
    info, name = resolve(kind, name)
    if not name:
        raise InvalidInput(
            f"which {info.singular}?", fix=f"give a name: knlite delete {info.singular} NAME"
        )
    client = Client(admin_port)
    client.delete(info, namespace, name)
    if as_json:
        json.dump({"kind": info.kind, "namespace": namespace, "name": name}, sys.stdout)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(f'{info.resource} "{name}" deleted\n')
