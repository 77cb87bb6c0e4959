"""``func subscribe``: which events a function wants, in ``func.yaml``.

Source: Knative Functions reference §4.3 (subscribe).
"""

import sys
from collections.abc import Sequence

from msgspec.structs import replace

from knlite.cli.func.opened import Opened
from knlite.functions import funcyaml
from knlite.functions.funcspec import FuncYaml, Subscription


def subscribe(opened: Opened, filters: Sequence[str], source: str) -> None:
    """Write down that the function wants events of the Broker *source*."""
    wanted, skipped = filters_of(filters)
    for text in skipped:
        sys.stdout.write(f"Invalid pair: {text}\n")
    funcyaml.save(opened.folder, subscribed(opened.func, source, wanted))


def filters_of(texts: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Attributes and their values; and what is no such pair."""
    wanted: dict[str, str] = {}
    skipped = []
    for text in texts:
        parts = text.split("=")
        if len(parts) == 2:
            wanted[parts[0]] = parts[1]
        else:
            skipped.append(text)
    return wanted, skipped


def subscribed(func: FuncYaml, source: str, wanted: dict[str, str]) -> FuncYaml:
    """*func* with *wanted* among the filters of the first subscription to *source*."""
    found = list(func.deploy.subscriptions)
    place = next((n for n, each in enumerate(found) if each.source == source), None)
    if place is None:
        found.append(Subscription(source=source, filters=wanted))
    else:
        found[place] = replace(found[place], filters={**found[place].filters, **wanted})
    return replace(func, deploy=replace(func.deploy, subscriptions=tuple(found)))
