"""What is known of a run: messages of its live feed in, what is true now out.

Pure: it waits for nothing and draws nothing. Documents stay what the feed says
(``docs/console.md``).
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Pane = Literal["services", "starts", "events", "notices"]
Document = Mapping[str, Any]
Name = tuple[str, str]
"""Namespace and name."""

TOPICS = ("objects", "instances", "load", "requests", "events", "notices")
KEPT = 200
"""Cold starts, events, notices: of each so many, the newest."""


@dataclass(slots=True)
class Sight:
    """The state behind all panes."""

    services: dict[Name, Document] = field(default_factory=dict)
    """Knative Services as the Kubernetes API has them."""
    instances: dict[Name, Document] = field(default_factory=dict)
    load: dict[Name, Document] = field(default_factory=dict)
    """By namespace and revision."""
    starts: list[Document] = field(default_factory=list)
    """Requests that found no instance, the newest first."""
    events: dict[int, Document] = field(default_factory=dict)
    """By arrival, in its order."""
    notices: deque[Document] = field(default_factory=lambda: deque(maxlen=KEPT))
    """The newest last."""
    skipped: int = 0
    """What this terminal was too slow for."""

    def take(self, topic: str, data: Document) -> set[Pane]:
        """Learn from a message; the panes that look different now."""
        match topic:
            case "instances":
                self._instances(data)
                return {"services"}
            case "load":
                self._load(data)
                return {"services"}
            case "requests":
                return self.take_starts(data["items"])
            case "events":
                self.take_events(data["items"])
                return {"events"}
            case "notices":
                return self._notices(data["items"])
            case "skipped":
                self.skipped += data["count"]
                return set()
            case _:
                return set()

    def begin(self) -> None:
        """The feed begins, perhaps of another run: what can be asked for is asked for anew."""
        self.starts = []
        self.events = {}

    def take_starts(self, items: Iterable[Document]) -> set[Pane]:
        """Learn of requests, of which those that found no instance are kept."""
        cold = {each["number"]: each for each in items if each["cold"]}
        if not cold:
            return set()
        known = {each["number"]: each for each in self.starts} | cold
        self.starts = [known[number] for number in sorted(known, reverse=True)[:KEPT]]
        return {"starts"}

    def take_events(self, items: Iterable[Document]) -> None:
        """Learn of events, each in a list's form; one of an event that ended may have no more."""
        for item in items:
            if "id" in item:
                self.events[item["arrival"]] = item
        if len(self.events) > KEPT:
            self.events = dict(sorted(self.events.items())[-KEPT:])

    def starts_are_asked_for(self, topic: str, data: Document) -> bool:
        """Whether a message tells of a cold start, which a flood of requests may have left out."""
        return topic == "notices" and any(each["kind"] == "ColdStart" for each in data["items"])

    def services_are_asked_for(self, topic: str, data: Document) -> bool:
        """Whether a message tells that a Service is another than before."""
        return topic == "objects" and any(
            each["kind"] == "Service" and each["apiVersion"].startswith("serving.")
            for each in data["changed"]
        )

    def _instances(self, data: Document) -> None:
        if data.get("whole"):
            self.instances.clear()
        for each in data["instances"]:
            name = (each["namespace"], each["instance"])
            if each["state"] == "gone":
                self.instances.pop(name, None)
            else:
                self.instances[name] = each

    def _load(self, data: Document) -> None:
        if data.get("whole"):
            self.load.clear()
        for each in data["revisions"]:
            name = (each["namespace"], each["revision"])
            if each["gone"]:
                self.load.pop(name, None)
            else:
                self.load[name] = each

    def _notices(self, items: Iterable[Document]) -> set[Pane]:
        known = {(each["at"], each["text"]) for each in self.notices}
        # A snapshot repeats what is known.
        self.notices.extend(each for each in items if (each["at"], each["text"]) not in known)
        return {"notices"}
