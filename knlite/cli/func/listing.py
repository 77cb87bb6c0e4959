"""``knlite func list``: the functions that a running knlite has.

As with ``func``, every Knative Service is listed that no foreign deployer has made, function or
not.

Source: Knative Functions reference §4.3; knative/func pkg/knative/lister.go, cmd/list.go.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from knlite.cli.client import Client
from knlite.cli.words import resolve
from knlite.functions.service import DEPLOYER, RUNTIME

_COLUMNS = ("name", "namespace", "runtime", "deployer", "url", "ready", "replicas")
Row = dict[str, Any]


def show(namespace: str, output: str, admin_port: int) -> None:
    """Print them; *namespace* "" is all. Raises ``Unreachable``."""
    client = Client(admin_port)
    services = client.listed(resolve("ksvc", "")[0], namespace)
    revisions = client.listed(resolve("revision", "")[0], namespace)
    rows = rows_of(services, revisions)
    if not rows and output in {"human", "plain"}:
        sys.stdout.write(nothing(namespace))
    else:
        sys.stdout.write(written(rows, output))


def rows_of(
    services: Iterable[Mapping[str, Any]], revisions: Iterable[Mapping[str, Any]]
) -> list[Row]:
    """One for each function, with func's names and in its order."""
    replicas = {
        (each["metadata"]["namespace"], each["metadata"]["name"]): each.get("status", {}).get(
            "actualReplicas", 0
        )
        for each in revisions
    }
    return [
        {
            "name": service["metadata"]["name"],
            "namespace": service["metadata"]["namespace"],
            "runtime": service["metadata"].get("labels", {}).get(RUNTIME, ""),
            "url": service.get("status", {}).get("url", ""),
            "ready": ready_of(service),
            "deployer": "knative",
            "replicas": replicas.get(
                (
                    service["metadata"]["namespace"],
                    service.get("status", {}).get("latestReadyRevisionName", ""),
                ),
                0,
            ),
        }
        for service in services
        if is_ours(service)
    ]


def is_ours(service: Mapping[str, Any]) -> bool:
    """Whether *service* is what ``func`` calls deployed by Knative."""
    return bool(service["metadata"].get("annotations", {}).get(DEPLOYER, "knative") == "knative")


def ready_of(service: Mapping[str, Any]) -> str:
    """Its condition Ready: True, False, Unknown."""
    for condition in service.get("status", {}).get("conditions", ()):
        if condition["type"] == "Ready":
            return str(condition["status"])
    return "Unknown"


def written(rows: list[Row], output: str) -> str:
    """*rows* as ``human``, ``plain``, ``json``, ``yaml`` or ``url``."""
    if output == "json":
        return json.dumps(rows) + "\n"
    if output == "yaml":
        import yaml

        return str(yaml.safe_dump(rows, sort_keys=False))
    if output == "url":
        return "".join(f"{row['url']}\n" for row in rows)
    table = [[name.upper() for name in _COLUMNS]]
    table += [[str(row[name]) for name in _COLUMNS] for row in rows]
    widths = [max(len(cells[index]) for cells in table) for index in range(len(_COLUMNS))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        + "\n"
        for cells in table
    )


def nothing(namespace: str) -> str:
    """What is said when there is none."""
    place = f" in namespace '{namespace}'" if namespace else ""
    text = (
        f"no functions found{place}\n\n"
        "To see functions here:\n"
        "  knlite func create --language python myfunction   Create a function\n"
        "  knlite func deploy --path myfunction              Deploy it to the running knlite\n"
    )
    if namespace:
        text += "\nOr in all namespaces:\n  knlite func list --all-namespaces\n"
    return text
