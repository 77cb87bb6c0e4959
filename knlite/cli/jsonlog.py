"""What ``knlite up`` shows, as one JSON object a line, for whatever collects logs.

The same lines as at a person's terminal, in the same words, neither more nor fewer; every fact with
all its fields is what ``--json`` prints.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from rich.text import Text

from knlite.cli.news import News
from knlite.cli.output import Output
from knlite.cli.render import SEPARATOR
from knlite.cli.screen import rows
from knlite.clock import present
from knlite.emulator import Emulator
from knlite.facts import (
    CertificateDoubted,
    ColdStart,
    DeliveryAttempted,
    EventRefused,
    Fact,
    InstanceChanged,
    LogLine,
    Notice,
    PreparationStep,
    ReadyChanged,
    RequestDone,
    ScaleDecided,
    SourceSent,
)

Level = Literal["info", "warning", "error"]
_UNSEEN = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What JSON leaves as it is and a terminal may obey, in ids that anybody may send: controls, ends
of lines and changes of direction."""


class JSONLog:
    """Implements what ``Screen`` is to a run."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._news = News()

    def fact(self, fact: Fact) -> None:
        line = self._news.line(fact)
        if line is not None:
            self._write(fact.at, level_of(fact), type(fact).__name__, _message(line), **_of(fact))

    def notice(self, text: str, level: str = "info") -> None:
        self._write(present(), level, Notice.__name__, text)

    def table(self, emulator: Emulator, kubeconfig: Path | None) -> None:
        """One line for each object, and one that says where everything is."""
        for kind, name, ready, url in rows(emulator):
            level: Level = "info" if ready == "True" else "warning"
            message = f"ready: {ready}{f', {url}' if url else ''}"
            self._write(present(), level, "Settled", message, object=f"{kind}/{name}")
        self._news.settled()
        settings = emulator.settings
        where: dict[str, str] = {"gateway": settings.gateway, "console": settings.admin}
        if kubeconfig is not None:
            where["kubeconfig"] = str(kubeconfig)
        self._write(present(), "info", "Settled", f"all addresses: {settings.gateway}/", **where)

    @staticmethod
    def missing(count: int) -> str:
        """In place of *count* lines."""
        text = f"{count} lines are missing here: nobody read them"
        return _line(present(), "warning", Notice.__name__, text)

    def _write(self, at: datetime, level: str, event: str, message: str, **more: str) -> None:
        self._output.write(_line(at, level, event, message, **more) + "\n")


def level_of(fact: Fact) -> Level:
    """How bad it is."""
    match fact:
        case Notice(level=level):
            return level
        case RequestDone() | InstanceChanged(state="failed") | ReadyChanged(status="False"):
            return "error"
        case DeliveryAttempted(outcome="failed" | "dead-lettered", ended=True):
            return "error"
        case (
            InstanceChanged(state="unready" | "restarting")
            | DeliveryAttempted()
            | EventRefused()
            | SourceSent()
            | CertificateDoubted()
        ):
            return "warning"
        case _:
            return "info"


def _line(at: datetime, level: str, event: str, message: str, **more: str) -> str:
    stamp = at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    known = {name: text for name, text in more.items() if text}
    told = {"at": stamp, "level": level, "event": event, **known, "message": message}
    return _UNSEEN.sub(_escaped, json.dumps(told, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _message(line: Text) -> str:
    """What follows the name at a terminal, which is an entry of its own here."""
    name, separator, text = line.plain.partition(SEPARATOR)
    return text if separator else name


def _of(fact: Fact) -> dict[str, str]:
    """The object that *fact* is about, and what leads to more."""
    match fact:
        case DeliveryAttempted():
            whose = f"{fact.egress_kind}/{fact.egress_namespace}/{fact.egress_name}"
            more = {"event_id": fact.event_id, "arrival": str(fact.arrival)}
            return {"object": whose, **more, **_trace(fact.trace)}
        case RequestDone():
            more = {"request_id": fact.request_id.decode("latin-1"), "instance": fact.instance}
            return {**_revision(fact), **more, **_trace(fact.trace.decode("latin-1"))}
        case LogLine():
            more = {"instance": fact.instance, "stream": fact.stream}
            if fact.container:
                more["container"] = fact.container
            if fact.request:
                more["request_id"] = fact.request
            return {**_revision(fact), **more}
        case InstanceChanged() | ColdStart():
            return {**_revision(fact), "instance": fact.instance}
        case ScaleDecided() | PreparationStep():
            return _revision(fact)
        case ReadyChanged():
            return {"object": f"{fact.kind}/{fact.namespace}/{fact.name}"}
        case EventRefused():
            whose = f"{fact.kind}/{fact.namespace}/{fact.name}"
            return {"object": whose, "event_id": fact.event_id}
        case SourceSent():
            whose = f"{fact.kind}/{fact.namespace}/{fact.name}"
            return {"object": whose, "event_id": fact.event_id, **_trace(fact.trace)}
        case CertificateDoubted():
            return {"object": f"DomainMapping/{fact.namespace}/{fact.host}"}
        case _:
            return {}


def _revision(
    fact: RequestDone | LogLine | InstanceChanged | ColdStart | ScaleDecided | PreparationStep,
) -> dict[str, str]:
    """The revision it happens in, or the Deployment or Job that people know."""
    kind, name = ("Revision", fact.revision) if fact.revision else ("Workload", fact.service)
    return {"object": f"{kind}/{fact.namespace}/{name}", "service": fact.service}


def _trace(traceparent: str) -> dict[str, str]:
    if not traceparent:
        return {}
    return {"trace_id": traceparent[3:35], "span_id": traceparent[36:52]}
