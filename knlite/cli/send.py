"""``knlite send``: an event to a broker, a channel or a URL, and who wants it."""

import json
import sys
from dataclasses import dataclass
from typing import Any

from knlite.cli.client import TIMEOUT, Client
from knlite.cli.eventquery import parameters
from knlite.cli.storylines import print_lines, row_lines, story_lines
from knlite.errors import InvalidInput
from knlite.eventing import jsonformat
from knlite.eventing.cloudevent import CloudEvent

FAILED, UNWANTED, UNENDED = 1, 5, 6
"""Exit codes."""
_OPEN = frozenset(("delivering", "waiting"))


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes; nothing means the only broker."""

    broker: str = ""
    channel: str = ""
    to: str = ""


def send_event(
    event: CloudEvent, target: Target, admin_port: int, *, wait: float | None, as_json: bool
) -> int:
    """Send *event*; with *wait* until all deliveries have ended, at most so many seconds.

    Returns the exit code. Raises ``InvalidInput``, ``NotFound``, ``Unreachable``.
    """
    if sum(map(bool, (target.broker, target.channel, target.to))) > 1:
        raise InvalidInput("one of --broker, --channel and --to")
    if target.to and wait is not None:
        raise InvalidInput(
            "--wait needs no --to", cause="what is sent to a URL ends with its answer"
        )
    where = parameters(broker=target.broker, channel=target.channel, to=target.to)
    body = jsonformat.encode(event)
    client = Client(admin_port)
    # Straight to a URL: as long as that takes, which may be a cold start.
    seconds = 30.0 if target.to else 0.0
    sent = client.asked("POST", "/knlite/events", where, body, seconds)
    if target.to:
        return _straight(sent, as_json=as_json)
    story = _story(client, sent["arrival"], wait)
    if as_json:
        json.dump(story, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    elif wait is None:
        place = f"{story['to']['kind']} {story['to']['namespace']}/{story['to']['name']}"
        rows = story["rows"]
        count = sum(row["matched"] for row in rows)
        print_lines(
            [
                [(f"sent {event.id} to {place}: {count} of {len(rows)} want it", "bold")],
                *(line for row in rows for line in row_lines(row, attempts=False)),
            ]
        )
    else:
        print_lines(story_lines(story))
    return _code(story, waited=wait is not None)


def _story(client: Client, arrival: int, wait: float | None) -> dict[str, Any]:
    path = f"/knlite/events/{arrival}"
    if wait is None:
        return client.asked("GET", path)
    # At least a second, as fractions are not said.
    seconds = max(1, round(wait))
    return client.asked("GET", path, {"wait": str(seconds)}, seconds=seconds + TIMEOUT)


def _code(story: dict[str, Any], *, waited: bool) -> int:
    state = story["state"]
    if state == "unmatched":
        return UNWANTED
    if not waited:
        return 0
    if state in _OPEN:
        return UNENDED
    return 0 if state == "delivered" else FAILED


def _straight(sent: dict[str, Any], *, as_json: bool) -> int:
    taken = 200 <= sent["status"] < 300
    if as_json:
        json.dump(sent, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        said = str(sent["status"] or "no answer")
        why = f": {sent['why']}" if sent["why"] else ""
        style = "green" if taken else "red"
        print_lines([[(f"sent {sent['id']} to {sent['url']} → ", ""), (said + why, style)]])
    return 0 if taken else FAILED
