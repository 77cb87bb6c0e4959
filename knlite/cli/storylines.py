"""The stories of events as lines for the terminal; what comes from outside stays text."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from knlite.cli.render import after, clean
from knlite.clock import present

Line = Sequence[tuple[str, str]]
"""Texts with their styles."""

_STYLES = {
    "delivered": "green",
    "delivering": "cyan",
    "waiting": "yellow",
    "dead-lettered": "red",
    "failed": "red",
    "gone": "yellow",
    "cut off": "yellow",
    "unmatched": "dim",
}
_MARKS = {
    "delivered": "✓", "dead-lettered": "✗", "failed": "✗", "unmatched": "·", "waiting": "…",
    "delivering": "…", "gone": "?", "cut off": "?",
}  # fmt: skip


def print_lines(lines: Iterable[Line]) -> None:
    """Print them, coloured where a person looks."""
    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        text = Text()
        for part, style in line:
            text.append(clean(part), style=style)
        console.print(text)


def style_of(state: str) -> str:
    """The colour of a state."""
    return _STYLES.get(state, "")


def clock_of(at: str) -> str:
    """The time of day here, with the date if it is not today's."""
    moment = datetime.fromisoformat(at).astimezone()
    if moment.date() != present().astimezone().date():
        return f"{moment:%m-%d %H:%M}"
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}"


def counts_of(event: Mapping[str, Any]) -> str:
    """The state of an event, and at how many of those who want it."""
    state, deliveries = event["state"], event["deliveries"]
    total = sum(deliveries.values())
    return f"{state} {deliveries[state]}/{total}" if total > 1 else str(state)


def story_lines(story: Mapping[str, Any]) -> list[Line]:
    """A story from the beginning."""
    event, place = story["event"], story["to"]
    lines: list[Line] = [
        [(f"{event['id']}  ", "bold"), (f"type {event['type']}  source {event['source']}", "")],
        [
            (f"  came {clock_of(story['at'])} to {place['kind']} ", ""),
            (f"{place['namespace']}/{place['name']}", ""),
            (f" from {story['sender']}" if story["sender"] else "", ""),
        ],
        [(f"  {story['state']}: ", style_of(story["state"])), (story["why"], "")],
    ]
    if story["replayOf"]:
        lines.append([(f"  it repeats: knlite explain {story['replayOf']}", "dim")])
    lines += [[(f"  repeated as: knlite explain {each}", "dim")] for each in story["replays"]]
    for row in story["rows"]:
        lines += row_lines(row)
    return lines


def row_lines(row: Mapping[str, Any], *, attempts: bool = True) -> list[Line]:
    """One trigger or subscription: wanted or not, why, and its attempts."""
    state = row["state"]
    path = f"  [{row['path']}]" if row["path"] else ""
    lines: list[Line] = [
        [
            (f"{_MARKS.get(state, ' ')} ", style_of(state)),
            (f"{row['kind']} {row['namespace']}/{row['name']}", "bold"),
            (f"  {'not wanted' if state == 'unmatched' else state}", style_of(state)),
        ],
        [(f"    {row['why']}", ""), (path, "dim")],
    ]
    if not attempts:
        return lines
    for each in row["attempts"]:
        lines += _attempt_lines(each)
    if row["leftOut"]:
        lines.append([(f"    ({row['leftOut']} attempts like these are not kept)", "dim")])
    return lines


def _attempt_lines(attempt: Mapping[str, Any]) -> list[Line]:
    what = "" if attempt["leg"] == "subscriber" else f"{attempt['leg']} "
    if attempt["outcome"] == "waiting":
        return [[(f"    {clock_of(attempt['at'])} waits: {attempt['why']}", "yellow")]]
    status = str(attempt["status"] or "no answer")
    took = f" in {attempt['seconds'] * 1000:.0f} ms" if attempt["seconds"] else ""
    good = attempt["outcome"] in {"delivered", "dead-lettered"}
    first: Line = [
        (f"    {clock_of(attempt['at'])} {what}#{attempt['attempt']} ", "dim"),
        (f"{status}{took}", "green" if good else "red"),
        (f"  {attempt['target']}", ""),
        (f"  ({attempt['instance']})" if attempt["instance"] else "", "dim"),
    ]
    lines: list[Line] = [first]
    if attempt["why"] and not good:
        lines.append([(f"       {first_line(attempt['why'])}", "red")])
    if attempt["again"]:
        lines.append([("       delivered again after a restart", "yellow")])
    if attempt["nextIn"] is not None:
        lines.append([(f"       next attempt {after(attempt['nextIn'])}", "dim")])
    if attempt["entered"]:
        there = _THERE[attempt["leg"]]
        lines.append([(f"       {there}: knlite explain {attempt['entered']}", "dim")])
    return lines


_THERE = {
    "subscriber": "it went on",
    "reply": "the reply",
    "dead letter sink": "the dead letter",
}


def first_line(text: str) -> str:
    """Of what may have many."""
    return text.strip().partition("\n")[0]
