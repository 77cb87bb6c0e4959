"""What ``knlite up`` shows: what there is, then what happens, to a person or a script."""

import json
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import IO, cast

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from knlite.cli.news import News, place
from knlite.cli.output import Output
from knlite.cli.progressline import ProgressLine
from knlite.controlplane.addresses import address_of
from knlite.controlplane.readiness import ADDRESSED, ready_condition, why
from knlite.emulator import Emulator
from knlite.facts import (
    EgressChanged,
    EventAccepted,
    Fact,
    InstanceChanged,
    Notice,
    PreparationStep,
    ReadyChanged,
    RequestDone,
)
from knlite.kinds.conditions import Condition, find
from knlite.kinds.core.cronjob import CronJob
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.core.job import Job, status_column
from knlite.kinds.core.pod import Pod
from knlite.kinds.core.pod import status_column as status_of_pod
from knlite.kinds.meta import Object, controller_of, described
from knlite.telemetry.accesslog import record

WIDEST = 500
"""Columns of the table at most."""
_UNSHOWN = frozenset(("data", "headers", "filter_spec"))
"""What an event holds may be anything; and a filter may hold the key of a RequestReply."""


class Screen:
    """The terminal of a person."""

    def __init__(self, output: Output) -> None:
        self._output = cast("IO[str]", output)
        self._console = Console(file=self._output, highlight=False, soft_wrap=True)
        self._progress = ProgressLine(self._console)
        self._news = News()

    def fact(self, fact: Fact) -> None:
        line = self._news.line(fact)
        if self._moved(fact) or line is not None:
            self._print(line)

    def _moved(self, fact: Fact) -> bool:
        """Whether *fact* changes what the foot of the terminal says."""
        match fact:
            case PreparationStep():
                self._progress.step(fact)
                return True
            case InstanceChanged():
                return self._progress.over(place(fact))
            case ReadyChanged(kind="Revision"):
                return self._progress.over((fact.namespace, fact.name))
            case _:
                return False

    def _print(self, line: Text | None) -> None:
        with self._progress.aside():
            if line is not None:
                self._console.print(line)

    def notice(self, text: str, level: str = "info") -> None:
        style = {"warning": "yellow", "error": "red"}.get(level, "bold")
        self._print(Text(text, style=style))

    def table(self, emulator: Emulator, kubeconfig: Path | None) -> None:
        with self._progress.aside():
            self._table(emulator, kubeconfig)

    def _table(self, emulator: Emulator, kubeconfig: Path | None) -> None:
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for head in ("KIND", "NAME", "READY", "URL"):
            table.add_column(head, overflow="fold", max_width=90)
        for kind, name, ready, url in rows(emulator):
            colour = {"True": "green", "False": "red"}.get(ready.partition(" ")[0], "yellow")
            table.add_row(kind, Text(name), Text(ready, style=colour), Text(url))
        if table.rows:
            # As wide as it needs: a URL that is broken in two cannot be clicked.
            Console(file=self._output, highlight=False, width=WIDEST).print(table)
        else:
            self._console.print(Text("Nothing runs yet: kubectl apply or kn service create."))
        self.settled()
        base = f"http://localhost:{emulator.settings.port}/"
        self._console.print(Text(f"\nAll addresses: {base}   Ctrl-C stops everything."))
        asks = "   (password: the token in the kubeconfig)" if emulator.settings.admin_token else ""
        self._console.print(Text(f"The console:   {emulator.settings.admin}/{asks}"))
        if kubeconfig is not None:
            path = quote(str(kubeconfig))
            self._console.print(Text(f"For kubectl and kn: export KUBECONFIG={path}"))
        self._console.print()

    def settled(self) -> None:
        """What becomes unready from now on is news."""
        self._news.settled()

    @staticmethod
    def missing(count: int) -> str:
        """In place of *count* lines."""
        return f"[{count} lines are missing here: nobody read them]"


class JSONLines:
    """The standard output of a script: one JSON object a line."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def fact(self, fact: Fact) -> None:
        # Of a request only what its record shows: as a whole it holds whatever the client sent. So
        # it is with an event.
        shown = record(fact) if isinstance(fact, RequestDone) else msgspec.to_builtins(fact)
        if isinstance(fact, EventAccepted | EgressChanged):
            shown = {name: value for name, value in shown.items() if name not in _UNSHOWN}
        self._write({"fact": type(fact).__name__, **shown})

    def notice(self, text: str, level: str = "info") -> None:
        self._write({"fact": Notice.__name__, "level": level, "text": text})

    def table(self, emulator: Emulator, kubeconfig: Path | None) -> None:
        objects = [
            {"kind": kind, "name": name, "ready": ready, "url": url}
            for kind, name, ready, url in rows(emulator)
        ]
        self._write({"fact": "Settled", "objects": objects, "kubeconfig": kubeconfig})

    @staticmethod
    def missing(count: int) -> str:
        """In place of *count* facts."""
        text = f"{count} facts are missing here: nobody read them"
        return json.dumps({"fact": Notice.__name__, "level": "warning", "text": text})

    def _write(self, value: object) -> None:
        self._output.write(json.dumps(value, default=str) + "\n")


def rows(emulator: Emulator) -> list[tuple[str, str, str, str]]:
    """(kind, namespace/name, Ready with its reason, URL) of everything that people address."""
    found: list[tuple[str, str, str, str]] = []
    view, port = emulator.registry.view, emulator.settings.port
    for kind in ADDRESSED:
        for obj in view.listed(kind, ""):
            condition = ready_condition(obj)
            if condition is not None and condition.status == "True" and controller_of(obj):
                # What belongs to something else is only shown when it is in its way.
                continue
            ready = _in_words(obj, condition)
            found.append((kind.__name__, described(obj), ready, address_of(obj, port)))
    found.extend(_workloads(emulator))
    return found


def _workloads(emulator: Emulator) -> Iterator[tuple[str, str, str, str]]:
    """The same of what no request wakes, and nobody but its author has made."""
    stored = emulator.registry.recording_view()
    for deployment in stored.listed(Deployment, ""):
        if controller_of(deployment) is None:
            available = find(deployment.status.conditions, "Available")
            yield "Deployment", described(deployment), _in_words(deployment, available), ""
    for pod in stored.listed(Pod, ""):
        if controller_of(pod) is None:
            yield "Pod", described(pod), status_of_pod(pod), ""
    for job in stored.listed(Job, ""):
        if controller_of(job) is None:
            yield "Job", described(job), status_column(job), ""
    for cron in stored.listed(CronJob, ""):
        yield "CronJob", described(cron), "Suspended" if cron.spec.suspend else "True", ""


def _in_words(obj: Object, condition: Condition | None) -> str:
    """The status, and if it is not the wanted one its reason in a line."""
    if condition is None:
        return "Unknown"
    if condition.status == "True" or not condition.reason:
        return condition.status
    first = why(obj, condition).strip().partition("\n")[0]
    return f"{condition.status} {condition.reason}: {first}"
