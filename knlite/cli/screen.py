"""What ``knlite up`` shows: what there is, then what happens, to a person or a script."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from shlex import quote
from typing import IO, cast

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from knlite.cli.output import Output
from knlite.cli.progressline import ProgressLine
from knlite.cli.render import line_of, ready_now
from knlite.cli.repeats import Repeats
from knlite.cli.restarts import Restarts
from knlite.controlplane.addresses import address_of
from knlite.controlplane.readiness import ADDRESSED, ready_condition, why
from knlite.emulator import Emulator
from knlite.facts import (
    EgressChanged,
    EventAccepted,
    EventRefused,
    Fact,
    InstanceChanged,
    LogLine,
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
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.trigger import Trigger
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
        self._settled = False
        self._unready: dict[tuple[str, str, str], tuple[str, str]] = {}
        """What people know of as not ready, and why."""
        self._refused = Repeats(timedelta(seconds=10))
        self._failed = Repeats(timedelta(minutes=1))
        self._prepared = Repeats(timedelta(minutes=1))
        self._restarts = Restarts()

    def fact(self, fact: Fact) -> None:
        line = line_of(fact)
        match fact:
            case ReadyChanged():
                line = self._readiness(fact, line)
            case EventRefused() if line is not None:
                who, why = (fact.kind, fact.namespace, fact.name), (fact.status, fact.why)
                line = self._refused.line(who, why, fact.at, line)
            case InstanceChanged():
                self._restarts.see(fact)
                if fact.state == "failed" and line is not None:
                    line = self._failed.line(_place(fact), fact.why, fact.at, line)
                elif fact.state in {"ready", "gone"}:
                    self._failed.over(_place(fact))
                    self._prepared.over(_place(fact))
            case PreparationStep() if line is not None:
                line = self._prepared.line(_place(fact), fact.text, fact.at, line)
            case LogLine() if self._restarts.is_repeated(fact):
                line = None
            case _:
                pass
        if self._moved(fact) or line is not None:
            self._print(line)

    def _moved(self, fact: Fact) -> bool:
        """Whether *fact* changes what the foot of the terminal says."""
        match fact:
            case PreparationStep():
                self._progress.step(fact)
                return True
            case InstanceChanged():
                return self._progress.over(_place(fact))
            case ReadyChanged(kind="Revision"):
                return self._progress.over((fact.namespace, fact.name))
            case _:
                return False

    def _print(self, line: Text | None) -> None:
        with self._progress.aside():
            if line is not None:
                self._console.print(line)

    def _readiness(self, fact: ReadyChanged, line: Text | None) -> Text | None:
        who, why = (fact.kind, fact.namespace, fact.name), (fact.reason, fact.message)
        known = who in self._unready
        if fact.status == "False":
            if fact.kind == Trigger.__name__ and self._is_said_of_a_broker(fact.namespace, why):
                # It waits for its Broker: one line for all that do is enough.
                return None
            self._unready[who] = why
        elif fact.status == "True" and known:
            del self._unready[who]
            line = ready_now(fact)
        # On the way up everything is unready once; the table will say what is left.
        return line if self._settled else None

    def _is_said_of_a_broker(self, namespace: str, why: tuple[str, str]) -> bool:
        return any(
            kind == Broker.__name__ and where == namespace and said == why
            for (kind, where, _), said in self._unready.items()
        )

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
        if kubeconfig is not None:
            path = quote(str(kubeconfig))
            self._console.print(Text(f"For kubectl and kn: export KUBECONFIG={path}"))
        self._console.print()

    def settled(self) -> None:
        """What becomes unready from now on is news."""
        self._settled = True

    @staticmethod
    def missing(count: int) -> str:
        """In place of *count* lines."""
        return f"[{count} lines are missing here: nobody read them]"


def _place(fact: InstanceChanged | PreparationStep) -> tuple[str, str]:
    return fact.namespace, fact.revision or fact.service


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
