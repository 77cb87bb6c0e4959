"""``knlite get``: objects as a table, as YAML, as JSON."""

import json
import sys
from typing import Any

import yaml

from knlite.cli.client import Client
from knlite.errors import InvalidInput
from knlite.kinds.catalog import KINDS, find_kind
from knlite.kinds.kindinfo import KindInfo


def show(kind: str, name: str, namespace: str, output: str, admin_port: int) -> None:
    """Print the objects. Raises ``InvalidInput`` (no such kind), ``NotFound``, ``Unreachable``."""
    info, name = resolve(kind, name)
    client = Client(admin_port)
    if output == "table":
        at = namespace or ("default" if name else "")
        _table(info, client.table(info, at, name))
        return
    if name:
        found = [client.one(info, namespace or "default", name)]
    else:
        found = client.listed(info, namespace)
    match output:
        case "json":
            json.dump(_whole(info, found, single=bool(name)), sys.stdout, indent=2)
            sys.stdout.write("\n")
        case _:
            yaml.safe_dump(_whole(info, found, single=bool(name)), sys.stdout, sort_keys=False)


def resolve(kind: str, name: str) -> tuple[KindInfo, str]:
    """The kind and the name that ``KIND NAME`` or ``KIND/NAME`` mean. Raises ``InvalidInput``."""
    word, slash, rest = kind.partition("/")
    if slash and name:
        raise InvalidInput(f"{kind} {name} gives two names", fix="write KIND NAME or KIND/NAME")
    info = find_kind(word)
    if info is None:
        words = ", ".join(
            each.short_names[0] if each.short_names else each.plural for each in KINDS
        )
        raise InvalidInput(f'there is no kind "{word}"', fix=f"known are: {words}")
    return info, name or rest


def _whole(info: KindInfo, found: list[dict[str, Any]], *, single: bool) -> dict[str, Any]:
    if single:
        return found[0]
    return {"apiVersion": "v1", "kind": "List", "items": found}


def _table(info: KindInfo, table: dict[str, Any]) -> None:
    """As kubectl prints it: as wide as it needs, so that a URL stays in one piece."""
    if not table["rows"]:
        sys.stderr.write(f"No {info.plural} found.\n")
        return
    heads = table["columnDefinitions"]
    shown = [index for index, head in enumerate(heads) if not head["priority"]]
    rows = [[heads[index]["name"].upper() for index in shown]]
    rows += [[_text(row["cells"][index]) for index in shown] for row in table["rows"]]
    if info.namespaced:
        rows[0].insert(0, "NAMESPACE")
        for cells, row in zip(rows[1:], table["rows"], strict=True):
            cells.insert(0, row["object"]["metadata"].get("namespace", ""))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        sys.stdout.write("   ".join(cells).rstrip() + "\n")


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)
