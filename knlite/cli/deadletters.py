"""``knlite dead-letters list|show``: deliveries that subscribers did not take."""

import base64
import json
import sys
from collections.abc import Mapping
from typing import Any

from knlite.cli.client import Client
from knlite.cli.eventquery import one_event
from knlite.cli.storylines import Line, clock_of, first_line, print_lines, story_lines, style_of
from knlite.errors import NotFound

SHOWN = 4096
"""Bytes of an event's data that are printed."""


def show_list(query: Mapping[str, str], admin_port: int, *, as_json: bool) -> None:
    """Print them. Raises ``InvalidInput``, ``Unreachable``."""
    client = Client(admin_port)
    found = client.asked("GET", "/knlite/dead-letters", query)["deadLetters"]
    if as_json:
        json.dump(found, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    elif found:
        print_lines(line for each in found for line in letter_lines(each))
    else:
        sys.stderr.write("No dead letters found.\n")


def show_one(event: str, source: str, admin_port: int, *, as_json: bool) -> None:
    """Print one with its data and its story. Raises ``NotFound``, ``Unreachable``."""
    query = {**one_event(event), **({"source": source} if source else {})}
    client = Client(admin_port)
    letters = client.asked("GET", "/knlite/dead-letters", query)["deadLetters"]
    if not letters:
        raise NotFound(
            f'no dead letter of event "{event}" is in the log',
            fix="see what is there: knlite dead-letters list",
        )
    arrivals = dict.fromkeys(each["arrival"] for each in letters)
    stories = [client.asked("GET", f"/knlite/events/{arrival}") for arrival in arrivals]
    if as_json:
        shown = [
            {"deadLetters": [one for one in letters if one["arrival"] == story["arrival"]], **story}
            for story in stories
        ]
        json.dump(shown, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    for story in stories:
        print_lines(story_lines(story))
        print_lines(_data_lines(story["event"]))


def letter_lines(letter: Mapping[str, Any]) -> list[Line]:
    """One of the list."""
    egress, state = letter["egress"], letter["state"]
    lines: list[Line] = [
        [
            (f"{clock_of(letter['at'])} ", "dim"),
            (letter["id"], "bold"),
            (f"  {letter['type']}  ", ""),
            (f"{egress['kind']} {egress['namespace']}/{egress['name']}  ", ""),
            (state, style_of(state)),
        ],
        [
            (
                f"    {letter['attempts']} attempts, the last: "
                f"{letter['status'] or 'no answer'} {first_line(letter['why'])}".rstrip(),
                "",
            )
        ],
    ]
    if letter["sink"]:
        lines.append([(f"    sent to {letter['sink']}", "")])
    if letter["again"]:
        again = letter["againState"]
        lines.append([(f"    sent again as {letter['again']}: ", ""), (again, style_of(again))])
    return lines


def _data_lines(event: Mapping[str, Any]) -> list[Line]:
    if "data_base64" in event:
        data = base64.b64decode(event["data_base64"])
        text = data[:SHOWN].decode(errors="replace")
    elif "data" in event:
        text = json.dumps(event["data"], indent=2, ensure_ascii=False)[:SHOWN]
    else:
        return [[("  it has no data", "dim")]]
    kind = event.get("datacontenttype", "application/json")
    return [[(f"  data ({kind})", "dim")], *([(f"    {line}", "")] for line in text.splitlines())]
