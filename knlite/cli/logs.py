"""``knlite logs``: what the instances of a service wrote."""

import json
import sys

from knlite.cli.client import Client
from knlite.kinds.catalog import find_kind


def show(
    service: str, namespace: str, admin_port: int, *, follow: bool, tail: int | None, as_json: bool
) -> None:
    """Print log lines. Raises ``NotFound``, ``Unreachable``."""
    client = Client(admin_port)
    info = find_kind("ksvc")
    if info is not None:
        client.one(info, namespace, service)
    try:
        for line in client.log_lines(namespace, service, follow=follow, tail=tail):
            if as_json:
                sys.stdout.write(line + "\n")
            else:
                sys.stdout.write(json.loads(line)["text"] + "\n")
            sys.stdout.flush()
    except KeyboardInterrupt:
        return
