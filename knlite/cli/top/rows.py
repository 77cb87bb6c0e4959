"""What stands in the rows of each pane: texts with colors, and a sign where a color says something.

What comes from outside is shown as text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.text import Text

from knlite.cli.render import clean
from knlite.cli.storylines import style_of
from knlite.cli.top.sight import Document, Name, Sight

Cells = Sequence[Text]
MOST_SIGNS = 10
"""Instances of a service that are drawn one by one."""
BAR = 24
"""Characters of the longest waterfall."""

READY, STARTING, FROZEN, FAILED, GONE = (
    ("●", "green"), ("◐", "yellow"), ("❄", "blue"), ("▲", "red"), ("○", "dim"),
)  # fmt: skip
_SIGNS = {
    "preparing": STARTING, "starting": STARTING, "started": STARTING, "restarting": STARTING,
    "waiting": STARTING, "ready": READY, "thawed": READY, "unready": FAILED, "failed": FAILED,
    "frozen": FROZEN, "stopped": FROZEN, "draining": GONE, "completed": GONE,
}  # fmt: skip
RUNNING = frozenset(("started", "ready", "thawed", "unready", "restarting", "draining"))
"""States in which an instance has processor time."""
_LEVELS = {"info": ("·", ""), "warning": ("!", "yellow"), "error": ("✗", "red")}
_STATES = {
    "delivered": "✓", "delivering": "…", "waiting": "…", "dead-lettered": "✗", "failed": "✗",
    "unmatched": "·", "gone": "?", "cut off": "?",
}  # fmt: skip
STAGES = {
    "queued": ("·", "dim"), "prepare": ("▒", "magenta"), "create": ("▓", "blue"),
    "thaw": ("▓", "blue"), "ready": ("░", "cyan"), "hand over": ("-", "dim"),
    "app": ("█", "green"), "body": ("▄", "green"),
}  # fmt: skip
"""Of a waterfall: the sign and the color of each stage."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row; *about* is the service, request, event or notice that it is of."""

    key: str
    cells: Cells
    about: Document | Name


def plain(text: object, style: str = "", width: int = 0) -> Text:
    """*text* on one line; with a *width*, cut to it."""
    line = Text(clean(" ".join(str(text).split())), style=style, no_wrap=True)
    if width:
        line.truncate(width, overflow="ellipsis")
    return line


def time_of(at: str) -> Text:
    """The time of day here."""
    return Text(f"{datetime.fromisoformat(at).astimezone():%H:%M:%S}", style="dim")


def chosen(rows: Iterable[Row], wanted: str) -> list[Row]:
    """Those whose text has all the words of *wanted*."""
    words = wanted.lower().split()
    if not words:
        return list(rows)
    found = []
    for row in rows:
        text = " ".join(cell.plain for cell in row.cells).lower()
        if all(word in text for word in words):
            found.append(row)
    return found


# Services.

SERVICES = ("STATE", "SERVICE", "INSTANCES", "AT ONCE", "REQ/S", "QUEUED", "MODE")


def services(sight: Sight) -> list[Row]:
    """One row for each Knative Service."""
    instances: dict[Name, list[Document]] = {}
    for each in sight.instances.values():
        if each["revision"]:
            instances.setdefault((each["namespace"], each["service"]), []).append(each)
    load: dict[Name, list[Document]] = {}
    for each in sight.load.values():
        load.setdefault((each["namespace"], each["service"]), []).append(each)
    names = sorted({*sight.services, *instances, *load})
    return [
        _service(name, sight.services.get(name), instances.get(name, []), load.get(name, []))
        for name in names
        # Revisions without a Service belong to a Configuration, which has no row.
        if name[1]
    ]


def _service(
    name: Name,
    document: Document | None,
    instances: Sequence[Document],
    load: Sequence[Document],
) -> Row:
    word, (sign, style) = state_of(document, instances)
    busiest = max(load, key=lambda each: (each["requests"], each["ready"]), default=None)
    return Row(
        key=f"{name[0]}/{name[1]}",
        cells=(
            Text(f"{sign} {word}", style=style),
            plain(f"{name[0]}/{name[1]}", "bold", 28),
            signs(instances),
            plain(_at_once(load, busiest)),
            plain(sum(each["requests"] for each in load) or ""),
            plain(sum(each["queued"] for each in load) or "", "yellow"),
            Text("panic", style="bold red") if any(each["panic"] for each in load) else Text(""),
        ),
        about=name,
    )


def state_of(
    document: Document | None, instances: Sequence[Document]
) -> tuple[str, tuple[str, str]]:
    """A word, and its sign and color."""
    ready = ready_of(document)
    if ready.get("status") == "False":
        return "failed", FAILED
    found = {_SIGNS.get(each["state"], STARTING) for each in instances}
    if READY in found:
        return "ready", READY
    if STARTING in found or ready.get("status") == "Unknown":
        return "starting", STARTING
    if FAILED in found:
        return "failing", FAILED
    return ("frozen", FROZEN) if FROZEN in found else ("at zero", GONE)


def ready_of(document: Document | None) -> Mapping[str, Any]:
    """The Ready condition; empty if there is none."""
    conditions = (document or {}).get("status", {}).get("conditions", ())
    return next((each for each in conditions if each.get("type") == "Ready"), {})


def signs(instances: Sequence[Document]) -> Text:
    """A sign for each instance; of many, the first and how many more."""
    text = Text(no_wrap=True)
    ordered = sorted(instances, key=lambda each: str(each["at"]))
    for each in ordered[:MOST_SIGNS]:
        sign, style = _SIGNS.get(each["state"], STARTING)
        text.append(sign, style=style)
    if len(ordered) > MOST_SIGNS:
        text.append(f" +{len(ordered) - MOST_SIGNS}", style="dim")
    return text


def _at_once(load: Sequence[Document], busiest: Document | None) -> str:
    if busiest is None:
        return ""
    if busiest["metric"] == "rps":
        return f"{busiest['stable']:.3g}/{busiest['target']:g} rps"
    now = sum(each["concurrency"] for each in load)
    return f"{now:.1f}/{busiest['target']:g}" if busiest["metric"] else f"{now:.1f}"


# Cold starts.

STARTS = ("TIME", "SERVICE", "TOOK", "HOW", "WHERE THE TIME WENT")


def starts(sight: Sight) -> list[Row]:
    """One row for each request that found no instance."""
    longest = max((each["seconds"] for each in sight.starts), default=0.0)
    return [
        Row(
            key=f"{each['id']} {each['number']}",
            cells=(
                time_of(each["at"]),
                plain(f"{each['namespace']}/{each['service']}", "bold", 26),
                plain(milliseconds(each["seconds"])),
                plain(each["how"] or ("" if each["instance"] else "none"), "", 9),
                bar(each["stages"], longest),
            ),
            about=each,
        )
        for each in sight.starts
    ]


def bar(stages: Sequence[Document], longest: float) -> Text:
    """The stages as lengths, of which *longest* seconds are ``BAR`` characters."""
    text = Text(no_wrap=True)
    drawn = 0
    for stage in stages:
        # To the nearest character of the whole, so that no rounding adds up.
        end = round(stage["end"] / longest * BAR) if longest else 0
        sign, style = STAGES.get(stage["name"], ("?", ""))
        text.append(sign * max(0, end - drawn), style=style)
        drawn = max(drawn, end)
    return text


def milliseconds(seconds: float) -> str:
    """As people say it."""
    if seconds >= 10:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


# Events.

EVENTS = ("TIME", "STATE", "TYPE", "ID", "TO", "FROM")


def events(sight: Sight) -> list[Row]:
    """One row for each event, the newest first."""
    return [_event(each) for _, each in sorted(sight.events.items(), reverse=True)]


def _event(event: Document) -> Row:
    state, place = event["state"], event["to"]
    deliveries = event["deliveries"]
    total = sum(deliveries.values())
    count = f" {deliveries.get(state, 0)}/{total}" if total else ""
    return Row(
        key=str(event["arrival"]),
        cells=(
            time_of(event["at"]),
            plain(f"{_STATES.get(state, ' ')} {state}{count}", style_of(state)),
            plain(event["type"], "", 26),
            plain(event["id"], "bold", 16),
            plain(f"{place['namespace']}/{place['name']}", "", 20),
            plain(event["sender"], "dim", 40),
        ),
        about=event,
    )


# Notices.

NOTICES = ("TIME", "", "WHAT", "HAPPENED")


def notices(sight: Sight) -> list[Row]:
    """One row for each sentence, the newest first."""
    found = []
    for each in reversed(sight.notices):
        sign, style = _LEVELS.get(each["level"], ("·", ""))
        about = each.get("object", "").partition("/")
        found.append(
            Row(
                key=f"{each['at']} {each.get('object', '')} {each['text']}",
                cells=(
                    time_of(each["at"]),
                    Text(sign, style=style),
                    plain(f"{about[0]} {about[2]}".strip(), "bold", 30),
                    plain(each["text"], style),
                ),
                about=each,
            )
        )
    return found
