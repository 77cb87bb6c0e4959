"""``knlite logs``: what the instances of a service wrote."""

import json
import sys
from contextlib import suppress

from knlite.cli.client import Client
from knlite.kinds.catalog import info_of
from knlite.kinds.serving.service import Service


def show(
    service: str, namespace: str, admin_port: int, *, follow: bool, tail: int | None, as_json: bool
) -> None:
    """Print log lines. Raises ``NotFound``, ``Unreachable``."""
    with suppress(KeyboardInterrupt), Client(admin_port) as client:
        # An unknown service has no lines, which would look like a silent one.
        client.one(info_of(Service), namespace, service)
        for line in client.log_lines(namespace, service, follow=follow, tail=tail):
            sys.stdout.write((line if as_json else json.loads(line)["text"]) + "\n")
            sys.stdout.flush()
