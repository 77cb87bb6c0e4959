"""What the feed only says has changed, and is read as it is now."""

from collections.abc import Callable, Sequence
from typing import Any

from knlite.cli.client import Client
from knlite.cli.top.sight import KEPT, Document, Name, Pane, Sight
from knlite.kinds.catalog import info_of
from knlite.kinds.serving.service import Service

Learn = Callable[[Sight], set[Pane]]
"""Puts what was read into the sight; the panes that look different."""


def services(client: Client) -> Learn:
    """All Knative Services."""
    found: dict[Name, Document] = {
        (each["metadata"]["namespace"], each["metadata"]["name"]): each
        for each in client.listed(info_of(Service), "")
    }

    def learn(sight: Sight) -> set[Pane]:
        sight.services = found
        return {"services"}

    return learn


def starts(client: Client) -> Learn:
    """The last cold starts, the newest first."""
    params = {"cold": "true", "limit": str(KEPT)}
    found: list[Document] = client.asked("GET", "/knlite/requests", params)["requests"]

    def learn(sight: Sight) -> set[Pane]:
        sight.take_starts(found)
        return {"starts"}

    return learn


def events(client: Client) -> Learn:
    """The last events."""
    params = {"limit": str(KEPT)}
    found: Sequence[Document] = client.asked("GET", "/knlite/events", params)["events"]

    def learn(sight: Sight) -> set[Pane]:
        sight.take_events(found)
        return {"events"}

    return learn


def story(client: Client, arrival: int) -> dict[str, Any]:
    """The story of one event. Raises ``NotFound``."""
    return client.asked("GET", f"/knlite/events/{arrival}")


def latency(client: Client, name: Name) -> Document:
    """How long the requests and the cold starts of a service take."""
    return client.asked("GET", "/knlite/latency", {"service": f"{name[0]}/{name[1]}"})
