"""``func logs``: what a deployed function writes.

Source: Knative Functions reference §4.3 (logs).
"""

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from knlite.cli.client import Client
from knlite.cli.func.defaults import namespace_of
from knlite.cli.func.describe import deployed
from knlite.cli.func.opened import open_function
from knlite.cli.logtext import of_request
from knlite.clock import present
from knlite.errors import InvalidInput
from knlite.kinds.durations import InvalidDuration, parse_go


def show(
    path: Path | None,
    name: str,
    namespace: str,
    since: str,
    admin_port: int,
    environ: Mapping[str, str],
    *,
    follow: bool,
    as_json: bool,
) -> None:
    """Print what was written *since* then. Raises ``KnliteError``."""
    func = None if name else open_function(path, "logs").func
    where = namespace_of(func, namespace, environ)
    who = func.name if func is not None else name
    oldest = _moment(since)
    client = Client(admin_port)
    deployed(client, who, where)
    if follow:
        sys.stderr.write(
            f"Streaming logs for function '{who}' in namespace '{where}'...\n"
            "Press Ctrl+C to stop.\n\n"
        )
        sys.stderr.flush()
    with suppress(KeyboardInterrupt):
        for line in client.log_lines(where, who, follow=follow, tail=None):
            found = json.loads(line)
            if datetime.fromisoformat(found["at"]) >= oldest:
                text = line if as_json else of_request(found.get("request", ""), found["text"])
                sys.stdout.write(f"{text}\n")
                sys.stdout.flush()


def _moment(since: str) -> datetime:
    try:
        return present() - timedelta(seconds=parse_go(since))
    except (InvalidDuration, OverflowError) as exc:
        raise InvalidInput(
            f'--since "{since}" cannot be read', cause=str(exc), fix="write for example 5m"
        ) from exc
