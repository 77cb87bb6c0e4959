"""``knlite events``: what brokers and channels have taken, and what became of it."""

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from knlite.cli.client import Client
from knlite.cli.storylines import clock_of, counts_of, print_lines, style_of

_WIDTHS = (12, 17, 18, 18)
"""Of the columns before the last; what is longer pushes the others to the right."""
_HEADS = ("TIME", "STATE", "TO", "TYPE", "ID")


def show(query: Mapping[str, str], admin_port: int, *, follow: bool, as_json: bool) -> None:
    """Print the events. Raises ``InvalidInput``, ``Unreachable``."""
    with suppress(KeyboardInterrupt), Client(admin_port) as client:
        if follow:
            if not as_json:
                _print_heads()
            for line in client.lines("/knlite/events", {**query, "follow": "true"}):
                if as_json:
                    sys.stdout.write(line + "\n")
                else:
                    _print(json.loads(line))
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
        _print_heads()
        for event in found:
            _print(event)


def _print_heads() -> None:
    heads = [head.ljust(width) for head, width in zip(_HEADS, (*_WIDTHS, 0), strict=True)]
    print_lines([[(" ".join(heads), "bold")]])


def _print(event: Mapping[str, Any]) -> None:
    place = event["to"]
    to = f"{place['namespace']}/{place['name']}"
    note = f" (repeats {event['replayOf']})" if event["replayOf"] else ""
    time, state, to, kind = (
        text.ljust(width)
        for text, width in zip(
            (clock_of(event["at"]), counts_of(event), to, event["type"]), _WIDTHS, strict=True
        )
    )
    print_lines(
        [[(f"{time} ", "dim"), (state, style_of(event["state"])), (f" {to} {kind} ", ""),
          (event["id"], "bold"), (note, "dim")]]
    )  # fmt: skip
