"""``knlite up``: apply manifests, show what runs, stream what happens, apply again on changes."""

import gc
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import IO, cast

import anyio
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from knlite.cli.kubeconfig import written_kubeconfig
from knlite.cli.openfiles import allow_open_files
from knlite.cli.output import Output
from knlite.cli.render import line_of
from knlite.controlplane.addresses import address_of
from knlite.controlplane.readiness import ADDRESSED, ready_condition, why
from knlite.emulator import Emulator, open_emulator
from knlite.errors import InvalidInput, KnliteError
from knlite.facts import EgressChanged, EventAccepted, Fact, Notice, ReadyChanged, RequestDone
from knlite.kinds.conditions import READY, Condition, find
from knlite.kinds.core.cronjob import CronJob
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.core.job import Job, status_column
from knlite.kinds.meta import controller_of, described
from knlite.manifests import Project, read_project
from knlite.nearby import code_below
from knlite.settings import Settings
from knlite.telemetry.accesslog import record

READY_WITHIN = 10.0
"""Seconds to wait for one more object to be ready before the table is shown as it is then."""
GARBAGE = (50_000, 20, 100)
"""When the garbage collector looks: objects that are new, and how often through the older ones."""
WIDEST = 500
WATCH_STEP = 300
"""Milliseconds between looks at what the file system has reported."""


def run(paths: Sequence[Path], settings: Settings, *, as_json: bool) -> int:
    """Run until Ctrl-C or SIGTERM; returns the exit code. Raises ``KnliteError``."""
    # Nearly all that is made on the way up stays: with thousands of services a third of the time
    # would go into looking for what does not.
    gc.disable()
    allow_open_files()
    if paths:
        project = read_project(paths, settings.environ)
    else:
        project = Project((), code_below(Path(), settings.environ), ())
    if _complained(project):
        return 2
    if paths and not project.declared:
        raise InvalidInput(
            f"no manifest in {', '.join(str(path) for path in paths)}",
            fix="give a folder with YAML files that hold Knative objects",
        )
    return anyio.run(
        _up,
        paths,
        project,
        settings,
        as_json,
        backend="asyncio",
        backend_options={"use_uvloop": True},
    )


async def _up(paths: Sequence[Path], project: Project, settings: Settings, as_json: bool) -> int:
    output = Output(sys.stdout.fileno(), _left_out_json if as_json else _left_out)
    screen = _Json(output) if as_json else _Screen(output)
    try:
        async with open_emulator(settings, [screen.fact]) as emulator:
            complaints = emulator.check(project)
            if complaints:
                _print_complaints(complaints)
                return 2
            async with anyio.create_task_group() as group:
                group.start_soon(_until_signal, group.cancel_scope.cancel)
                group.start_soon(_serve, emulator, paths, project, screen)
            screen.notice("stopping …")
    except* KnliteError as errors:
        raise _leaf(errors) from None
    finally:
        output.close()
    return 0


async def _serve(
    emulator: Emulator, paths: Sequence[Path], project: Project, screen: "_Screen | _Json"
) -> None:
    await emulator.start()
    with written_kubeconfig(emulator.settings) as kubeconfig:
        async with anyio.create_task_group() as group:
            # Watching begins at once, so that a file saved while all that settles is not missed.
            settled = anyio.Event()
            group.start_soon(_reapply, emulator, paths, screen, settled)
            await _settle(emulator, paths, project, screen, kubeconfig)
            settled.set()


async def _settle(
    emulator: Emulator,
    paths: Sequence[Path],
    project: Project,
    screen: "_Screen | _Json",
    kubeconfig: Path | None,
) -> None:
    # Without files nothing is said about what those of an earlier run have declared.
    emulator.apply(project, declares=bool(paths))
    await emulator.settling.wait(READY_WITHIN)
    screen.table(emulator, kubeconfig)
    # What has been loaded by now stays; looking through it again and again would show in the
    # slowest requests (a full collection takes some ten milliseconds).
    gc.collect()
    gc.freeze()
    gc.enable()
    # Requests under way are no garbage, and with hundreds of them the collector would look through
    # them all the time: a quarter of the requests per second.
    gc.set_threshold(*GARBAGE)


async def _until_signal(stop: Callable[[], None]) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            stop()
            return


async def _reapply(
    emulator: Emulator, paths: Sequence[Path], screen: "_Screen | _Json", settled: anyio.Event
) -> None:
    """Apply again whenever a file changes, once *settled*; files with mistakes change nothing."""
    if not paths:
        await anyio.sleep_forever()
    from watchfiles import awatch

    folders = [path if path.is_dir() else path.parent for path in paths]
    # The folder of a single manifest may be somebody's home.
    deep = any(path.is_dir() for path in paths)
    before = None
    async for _ in awatch(*folders, step=WATCH_STEP, watch_filter=_is_yaml, recursive=deep):
        await settled.wait()
        try:
            project = read_project(paths, emulator.settings.environ)
            complaints = [*project.complaints, *emulator.check(project)]
        except InvalidInput as exc:
            screen.notice(str(exc), "error")
            continue
        if complaints:
            texts = [str(complaint) for complaint in complaints]
            if texts != before:
                screen.notice("\n".join(texts), "error")
                screen.notice("nothing has been changed; save the corrected file", "warning")
            before = texts
            continue
        before = None
        if emulator.apply(project):
            screen.notice("manifests have changed and were applied again")


def _is_yaml(_change: object, path: str) -> bool:
    return path.endswith((".yaml", ".yml", ".json", "Dockerfile"))


def _complained(project: Project) -> bool:
    _print_complaints(project.complaints)
    return bool(project.complaints)


def _print_complaints(complaints: Sequence[object]) -> None:
    for complaint in complaints:
        sys.stderr.write(f"{complaint}\n")
    if complaints:
        noun = "mistake" if len(complaints) == 1 else "mistakes"
        sys.stderr.write(f"knlite: {len(complaints)} {noun}; nothing was started\n")


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class _Screen:
    """The terminal of a person."""

    def __init__(self, output: Output) -> None:
        self._output = cast("IO[str]", output)
        self._console = Console(file=self._output, highlight=False, soft_wrap=True)
        self._settled = False

    def fact(self, fact: Fact) -> None:
        if isinstance(fact, ReadyChanged) and not self._settled:
            # On the way up everything is unready once; the table will say what is left.
            return
        line = line_of(fact)
        if line is not None:
            self._console.print(line)

    def notice(self, text: str, level: str = "info") -> None:
        style = {"warning": "yellow", "error": "red"}.get(level, "bold")
        self._console.print(Text(text, style=style))

    def table(self, emulator: Emulator, kubeconfig: Path | None) -> None:
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
        self._settled = True
        base = f"http://localhost:{emulator.settings.port}/"
        self._console.print(Text(f"\nAll addresses: {base}   Ctrl-C stops everything."))
        if kubeconfig is not None:
            path = quote(str(kubeconfig))
            self._console.print(Text(f"For kubectl and kn: export KUBECONFIG={path}"))
        self._console.print()


_UNSHOWN = frozenset(("data", "headers", "filter_spec"))
"""What an event holds may be anything; and a filter may hold the key of a RequestReply."""


class _Json:
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

    def _write(self, value: object) -> None:
        self._output.write(json.dumps(value, default=str) + "\n")


def _left_out(count: int) -> str:
    return f"[{count} lines are missing here: nobody read them]"


def _left_out_json(count: int) -> str:
    text = f"{count} facts are missing here: nobody read them"
    return json.dumps({"fact": Notice.__name__, "level": "warning", "text": text})


def rows(emulator: Emulator) -> list[tuple[str, str, str, str]]:
    """(kind, namespace/name, Ready with its reason, URL) of everything that people address."""
    found: list[tuple[str, str, str, str]] = []
    view, port = emulator.registry.view, emulator.settings.port
    for kind in ADDRESSED:
        for obj in view.listed(kind, ""):
            condition = ready_condition(obj) or Condition(type=READY, status="Unknown")
            ready: str = condition.status
            if ready == "True" and controller_of(obj) is not None:
                # What belongs to something else is only shown when it is in its way.
                continue
            if ready != "True" and condition.reason:
                first = why(obj, condition).strip().partition("\n")[0]
                ready = f"{ready} {condition.reason}: {first}"
            found.append((kind.__name__, described(obj), ready, address_of(obj, port)))
    found.extend(_workloads(emulator))
    return found


def _workloads(emulator: Emulator) -> Iterator[tuple[str, str, str, str]]:
    """The same of what no request wakes, and nobody but its author has made."""
    stored = emulator.registry.recording_view()
    for deployment in stored.listed(Deployment, ""):
        if controller_of(deployment) is None:
            available = find(deployment.status.conditions, "Available")
            ready = "Unknown" if available is None else available.status
            yield "Deployment", described(deployment), ready, ""
    for job in stored.listed(Job, ""):
        if controller_of(job) is None:
            yield "Job", described(job), status_column(job), ""
    for cron in stored.listed(CronJob, ""):
        yield "CronJob", described(cron), "Suspended" if cron.spec.suspend else "True", ""
