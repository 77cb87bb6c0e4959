"""``knlite replay`` and ``knlite dead-letters redrive``: events once more, because you say so."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from knlite.cli.client import Client
from knlite.cli.eventquery import EVERYTHING
from knlite.cli.storylines import Line, print_lines
from knlite.errors import InvalidInput

_PATIENCE = 600.0
"""Seconds for an answer: each event is kept, or sent, one after the other."""


def replay(query: Mapping[str, str], admin_port: int, *, dry_run: bool, as_json: bool) -> int:
    """Send events again; the exit code. Raises ``InvalidInput``, ``NotFound``, ``Unreachable``."""
    if not query.keys() & {"id", "arrival", "since"}:
        raise InvalidInput("which events?", fix="give an id, or --since, as --since 10m")
    return _send_again("/knlite/replay", query, admin_port, dry_run=dry_run, as_json=as_json)


def redrive(
    query: Mapping[str, str], admin_port: int, *, everything: bool, dry_run: bool, as_json: bool
) -> int:
    """Send dead letters again; the exit code.

    Raises ``InvalidInput``, ``NotFound``, ``Unreachable``.
    """
    if everything == bool(query.keys() & {"id", "arrival"}):
        raise InvalidInput("which dead letters?", fix="give an id, or --all")
    path = "/knlite/dead-letters/redrive"
    return _send_again(path, query, admin_port, dry_run=dry_run, as_json=as_json)


def _send_again(
    path: str, query: Mapping[str, str], admin_port: int, *, dry_run: bool, as_json: bool
) -> int:
    asked = {"limit": str(EVERYTHING), **query, **({"dryRun": "true"} if dry_run else {})}
    client = Client(admin_port)
    sent = client.asked("POST", path, asked, seconds=_PATIENCE)["sent"]
    if as_json:
        json.dump(sent, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    elif sent:
        print_lines([*map(_line, sent), _total(sent, dry_run=dry_run)])
    else:
        sys.stderr.write("There is nothing to send again.\n")
    if len(sent) >= EVERYTHING:
        sys.stderr.write(
            f"Only the newest {EVERYTHING} were looked at: select fewer, as by --type.\n"
        )
    return int(any(_failed(each) for each in sent))


def _failed(sent: Mapping[str, Any]) -> bool:
    """Whether it was tried in vain; what was left out has no status."""
    if sent["url"]:
        return bool(sent["why"]) or sent["status"] >= 300
    return bool(sent["status"] >= 300)


def _line(sent: Mapping[str, Any]) -> Line:
    egress, to = sent["egress"], sent["to"]
    if sent["url"]:
        place = sent["url"]
    elif egress:
        place = f"{egress['kind']} {egress['namespace']}/{egress['name']}"
    else:
        place = f"{to['kind']} {to['namespace']}/{to['name']}" if to else ""
    line: list[tuple[str, str]] = [
        (sent["id"], "bold"),
        (f" ({sent['replayOf']}) → {place}  ", ""),
    ]
    if _failed(sent):
        line.append((f"{sent['status'] or 'not sent'} {sent['why']}".rstrip(), "red"))
    elif sent["why"]:
        line.append((f"left out: {sent['why']}", "yellow"))
    elif sent["status"]:
        told = f": knlite explain {sent['arrival']}" if sent["arrival"] else ""
        line.append((f"{sent['status']}{told}", "green"))
    return line


def _total(sent: Sequence[Mapping[str, Any]], *, dry_run: bool) -> Line:
    good = sum(not each["why"] and not _failed(each) for each in sent)
    if dry_run:
        return [(f"{good} would be sent again; nothing was sent", "bold")]
    return [(f"{good} of {len(sent)} sent again", "bold")]
