"""The four panes: what each is called, what stands in it, and what it says when it is empty."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from knlite.cli.top import rows
from knlite.cli.top.rows import Row
from knlite.cli.top.sight import Pane, Sight


@dataclass(frozen=True, slots=True)
class About:
    """One pane."""

    title: str
    heads: Sequence[str]
    rows: Callable[[Sight], list[Row]]
    empty: str


PANES: dict[Pane, About] = {
    "services": About(
        "1 Services",
        rows.SERVICES,
        rows.services,
        "No services yet. Apply one: kubectl apply -f service.yaml",
    ),
    "starts": About(
        "2 Cold starts",
        rows.STARTS,
        rows.starts,
        "No cold starts yet: call a service that is at zero.",
    ),
    "events": About(
        "3 Events",
        rows.EVENTS,
        rows.events,
        "No events yet. Send one: knlite send --type hello",
    ),
    "notices": About(
        "4 Notices",
        rows.NOTICES,
        rows.notices,
        "Nothing has happened yet.",
    ),
}
LOWER: tuple[Pane, ...] = ("starts", "events", "notices")
"""Of which one is shown at a time, below the services."""
