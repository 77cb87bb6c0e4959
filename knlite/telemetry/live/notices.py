"""What has happened that a person may want to know, as sentences; the last of them are kept.

Kept as facts: most are never asked for.
"""

from collections import deque
from datetime import datetime
from functools import partial
from typing import Literal

import msgspec

from knlite.facts import (
    CertificateDoubted,
    ColdStart,
    EventRefused,
    Fact,
    InstanceChanged,
    Notice,
    PathChanged,
    PreparationStep,
    ReadyChanged,
    ReconcileFailed,
    ScaleDecided,
    SourceSent,
)
from knlite.serving.happenings import of_fact
from knlite.telemetry.live.hub import Hub
from knlite.telemetry.sentences import cold_start

TOPIC = "notices"
READ = (
    CertificateDoubted,
    ColdStart,
    EventRefused,
    InstanceChanged,
    Notice,
    PathChanged,
    PreparationStep,
    ReadyChanged,
    ReconcileFailed,
    ScaleDecided,
    SourceSent,
)
KEPT = 100
LONGEST = 500
"""Characters of a sentence; the object it is about has the rest."""
_TOLD_STATES = frozenset(("failed", "unready", "restarting"))
"""Of instances; their ordinary life is told by topic ``instances``."""

Level = Literal["info", "warning", "error"]


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One sentence."""

    at: datetime
    level: Level
    kind: str
    """The fact's: ``ScaleDecided``, ``ColdStart``, …"""
    text: str
    object: str = ""
    """``Kind/namespace/name``, if it is about one."""


class Notices:
    """A reader of facts that keeps those that make a sentence."""

    def __init__(self, live: Hub) -> None:
        self._live = live
        self._kept: deque[Fact] = deque(maxlen=KEPT)
        live.topic(TOPIC, self._snapshot)

    def read(self, fact: Fact) -> None:
        """Take note of *fact*, one of ``READ``."""
        if _worth(fact):
            self._kept.append(fact)
            self._live.add(TOPIC, partial(told, fact))

    def _snapshot(self) -> object:
        return {"items": [told(fact) for fact in self._kept], "skipped": 0}


def _worth(fact: Fact) -> bool:
    match fact:
        case InstanceChanged():
            return fact.state in _TOLD_STATES
        case SourceSent():
            return fact.outcome == "failed"
        case PreparationStep():
            # Has been told when it began.
            return not fact.share
        case ReadyChanged():
            return fact.status != "Unknown"
        case _:
            return True


def told(fact: Fact) -> Told:
    """*fact* as a sentence."""
    level, about, text = _sentence(fact)
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return Told(at=fact.at, level=level, kind=type(fact).__name__, object=about, text=text)


def _sentence(fact: Fact) -> tuple[Level, str, str]:
    """The level, the object and the words."""
    level: Level
    match fact:
        case Notice():
            return fact.level, "", fact.text
        case ColdStart():
            return "info", _of(fact.namespace, fact.service, fact.revision), cold_start(fact)
        case ScaleDecided():
            panic = ", in panic mode" if fact.panic else ""
            text = f"{fact.was} → {fact.desired} instances{panic}: {fact.why}"
            return "info", _of(fact.namespace, fact.service, fact.revision), text
        case EventRefused():
            about = f"{fact.kind}/{fact.namespace}/{fact.name}"
            which = f"event {fact.event_id}" if fact.event_id else "what was sent"
            return "warning", about, f"{which} was refused with {fact.status}: {fact.why}"
        case SourceSent():
            about = f"{fact.kind}/{fact.namespace}/{fact.name}"
            return "warning", about, f"{fact.target} has not taken {fact.event_id}: {fact.why}"
        case InstanceChanged():
            level = "error" if fact.state == "failed" else "warning"
            text = f"{fact.instance} {fact.state}: {fact.why}".removesuffix(": ")
            if not fact.revision:
                return level, f"Pod/{fact.namespace}/{fact.instance}", text
            return level, _of(fact.namespace, fact.service, fact.revision), text
        case PreparationStep():
            about = _of(fact.namespace, fact.service, fact.revision) if fact.revision else ""
            return "info", about, fact.text
        case ReadyChanged() | PathChanged() | ReconcileFailed() | CertificateDoubted():
            happening = next(of_fact(fact))
            about = f"{happening.kind}/{happening.namespace}/{happening.name}"
            level = "info" if happening.type == "Normal" else "warning"
            return level, about, happening.message
        case _:
            return "info", "", type(fact).__name__


def _of(namespace: str, service: str, revision: str) -> str:
    """What a person knows: the Service, else the revision."""
    return f"Service/{namespace}/{service}" if service else f"Revision/{namespace}/{revision}"
