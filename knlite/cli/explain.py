"""``knlite explain``: the story of an event, or who would get one."""

import json
import sys
from collections.abc import Mapping

from knlite.cli.client import Client
from knlite.cli.storylines import Line, print_lines, row_lines, story_lines
from knlite.cli.written import read_file

UNWANTED = 5
"""Exit code."""


def tell(event_id: str, source: str, admin_port: int, *, as_json: bool) -> None:
    """Print the stories of all events of that id. Raises ``NotFound``, ``Unreachable``."""
    query = {"id": event_id, **({"source": source} if source else {})}
    client = Client(admin_port)
    stories = client.asked("GET", "/knlite/explain", query)["stories"]
    if as_json:
        json.dump(stories, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    lines: list[Line] = []
    # The newest last, where a person looks first.
    for story in reversed(stories):
        lines += [[("", "")]] if lines else []
        lines += story_lines(story)
    print_lines(lines)


def foretell(file: str, where: Mapping[str, str], admin_port: int, *, as_json: bool) -> int:
    """Print who would get the event in *file*; the exit code.

    Raises ``InvalidInput``, ``Unreachable``.
    """
    body = sys.stdin.buffer.read() if file == "-" else read_file(file)
    client = Client(admin_port)
    rows = client.asked("POST", "/knlite/explain", where, body)["rows"]
    wanted = [row for row in rows if row["matched"]]
    if as_json:
        json.dump(rows, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        head = f"{len(wanted)} of {len(rows)} would get it; nothing was sent"
        shown = [{**row, "state": "wanted" if row["matched"] else "unmatched"} for row in rows]
        lines = [line for row in shown for line in row_lines(row, attempts=False)]
        print_lines([[(head, "bold")], *lines])
    return 0 if wanted else UNWANTED
