"""``knlite get``: objects as a table, as YAML, as JSON."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from knlite.cli import instances
from knlite.cli.client import Client
from knlite.cli.render import clean
from knlite.cli.words import resolve
from knlite.kinds.kindinfo import KindInfo
from knlite.serving.failures import in_short


def show(kind: str, name: str, namespace: str, output: str, admin_port: int) -> None:
    """Print the objects; *output* is ``table``, ``json`` or ``yaml``.

    Raises ``InvalidInput`` (no such kind), ``NotFound``, ``Unreachable``.
    """
    info, name = resolve(kind, name)
    place = namespace or ("default" if name else "")
    client = Client(admin_port)
    if output == "table":
        table = client.table(info, place, name)
        _table(info, table, _instances(client, info, place, table))
        if _any_unready(table):
            _explain([client.one(info, place, name)] if name else client.listed(info, place))
        return
    if name:
        document = client.one(info, place, name)
    else:
        items = client.listed(info, place)
        document = {"apiVersion": "v1", "kind": "List", "items": items}
    if output == "json":
        json.dump(document, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        yaml.safe_dump(document, sys.stdout, sort_keys=False)


def _instances(client: Client, info: KindInfo, place: str, table: dict[str, Any]) -> list[str]:
    """How many instances each row has, where it is about something that has some."""
    if not instances.counted(info.group, info.plural) or not table["rows"]:
        return []
    metas = [row["object"]["metadata"] for row in table["rows"]]
    names = [(meta.get("namespace", ""), meta["name"]) for meta in metas]
    return instances.cells(info.plural, names, client.listed(resolve("pod", "")[0], place))


def _table(info: KindInfo, table: dict[str, Any], counts: list[str]) -> None:
    """As kubectl prints it: as wide as it needs, so that a URL stays in one piece."""
    if not table["rows"]:
        sys.stderr.write(f"No {info.plural} found.\n")
        return
    heads = table["columnDefinitions"]
    shown = [index for index, head in enumerate(heads) if not head["priority"]]
    rows = [[heads[index]["name"].upper() for index in shown]]
    rows += [[_text(row["cells"][index]) for index in shown] for row in table["rows"]]
    if counts:
        for cells, count in zip(rows, (instances.HEAD, *counts), strict=True):
            cells.append(count)
    if info.namespaced:
        rows[0].insert(0, "NAMESPACE")
        for cells, row in zip(rows[1:], table["rows"], strict=True):
            cells.insert(0, row["object"]["metadata"].get("namespace", ""))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        sys.stdout.write("   ".join(cells).rstrip() + "\n")


def _any_unready(table: dict[str, Any]) -> bool:
    heads = [head["name"].upper() for head in table["columnDefinitions"]]
    if "READY" not in heads:
        return False
    at = heads.index("READY")
    return any(row["cells"][at] == "False" for row in table["rows"])


def _explain(objects: Sequence[Mapping[str, Any]]) -> None:
    """Why each that is not ready is not, in a line."""
    for obj in objects:
        conditions = obj.get("status", {}).get("conditions", ())
        meta = obj["metadata"]
        name = "/".join(filter(None, (meta.get("namespace", ""), meta["name"])))
        for ready in conditions:
            if (ready["type"], ready["status"]) == ("Ready", "False") and ready.get("message"):
                sys.stdout.write(f"\n{name}: {clean(in_short(ready['message']))}\n")


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)
