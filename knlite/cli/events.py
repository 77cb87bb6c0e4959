"""``knlite events``: what brokers and channels have taken, and what became of it."""

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from knlite.cli.client import Client
from knlite.cli.storylines import clock_of, counts_of, print_lines, style_of

_HEADS = ("TIME", "STATE", "TO", "TYPE", "ID")
_Widths = tuple[int, ...]
_USUAL: _Widths = (12, 17, 18, 18)
"""Of the columns before the last, where nobody knows what comes."""


def show(query: Mapping[str, str], admin_port: int, *, follow: bool, as_json: bool) -> None:
    """Print the events. Raises ``InvalidInput``, ``Unreachable``."""
    client = Client(admin_port)
    with suppress(KeyboardInterrupt):
        if follow:
            if not as_json:
                _print_heads(_USUAL)
            for line in client.lines("/knlite/events", {**query, "follow": "true"}):
                if as_json:
                    sys.stdout.write(line + "\n")
                else:
                    _print(json.loads(line), _USUAL)
                sys.stdout.flush()
            return
        found = client.asked("GET", "/knlite/events", query)["events"]
        if as_json:
            json.dump(found, sys.stdout, indent=2, ensure_ascii=False)
            sys.stdout.write("\n")
            return
        if not found:
            sys.stderr.write("No events found.\n")
            return
        rows = [_HEADS[:-1], *map(_cells, found)]
        widths = tuple(max(map(len, column)) for column in zip(*rows, strict=True))
        _print_heads(widths)
        for event in found:
            _print(event, widths)


def _print_heads(widths: _Widths) -> None:
    heads = [head.ljust(width) for head, width in zip(_HEADS, (*widths, 0), strict=True)]
    print_lines([[(" ".join(heads), "bold")]])


def _print(event: Mapping[str, Any], widths: _Widths) -> None:
    cells = zip(_cells(event), widths, strict=True)
    time, state, to, kind = (text.ljust(width) for text, width in cells)
    note = f" (repeats {event['replayOf']})" if event["replayOf"] else ""
    print_lines(
        [[(f"{time} ", "dim"), (state, style_of(event["state"])), (f" {to} {kind} ", ""),
          (event["id"], "bold"), (note, "dim")]]
    )  # fmt: skip


def _cells(event: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """What stands before the id."""
    to = f"{event['to']['namespace']}/{event['to']['name']}"
    return clock_of(event["at"]), counts_of(event), to, event["type"]
