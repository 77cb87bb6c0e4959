"""``knlite restart``: new instances for a Service of a running knlite, one after the other."""

import json
import sys
from urllib.parse import quote

from knlite.cli.client import Client

SECONDS = 3600.0
"""Each new instance may take two minutes to start, and its predecessor as long to finish."""


def restart(name: str, namespace: str, admin_port: int, *, as_json: bool) -> None:
    """Return when it is done. Raises ``NotFound``, ``Conflict``, ``Unreachable``."""
    name = name.removeprefix("service/").removeprefix("ksvc/")
    path = f"/knlite/services/{quote(namespace, safe='')}/{quote(name, safe='')}/restart"
    answer = Client(admin_port).asked("POST", path, seconds=SECONDS)
    if as_json:
        json.dump(answer, sys.stdout)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(f"{answer['message']}\n")
