"""``func run``: a small knlite with one Service, and what its function writes.

It runs the function as a deployed one runs: the same runtime, the same gateway, the same reload.

Source: Knative Functions reference §4.3, §4.5; docs/adr/0038.
"""

import json
import re
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import msgspec
from anyio.abc import TaskStatus

from knlite.cli.func.building import say_builder
from knlite.cli.func.defaults import defaults
from knlite.cli.func.opened import Opened, image_of, open_function
from knlite.cli.output import Output
from knlite.cli.progress import Steps
from knlite.cli.render import clean
from knlite.emulator import Emulator, open_emulator
from knlite.errors import Conflict, InvalidInput, KnliteError
from knlite.facts import Fact, InstanceChanged, LogLine, Notice, PreparationStep, ReadyChanged
from knlite.functions import procfile
from knlite.functions.envs import as_written, changed, read_changes
from knlite.functions.funcproblems import problems
from knlite.functions.funcyaml import FILE
from knlite.functions.ignore import is_code
from knlite.functions.localservice import NAMESPACE, local_service
from knlite.functions.project import ProjectError, project_of
from knlite.functions.runs import recorded
from knlite.kinds.catalog import read as read_object
from knlite.kinds.durations import InvalidDuration, parse_go
from knlite.manifests import Declared, Manifest, Project
from knlite.serving.workload import FunctionProject, Sources
from knlite.settings import Settings, default_runtime, environment
from knlite.watching import Watched, watch

HOST, PORT = "127.0.0.1", 8080
_ADDRESS = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]*)):(\d{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How it is to run."""

    address: str = ""
    """HOST:PORT; empty for 127.0.0.1, on 8080 if that is free."""
    envs: Sequence[str] = ()
    runtime: str = "auto"
    builder: str = ""
    image: str = ""
    registry: str = ""
    base_image: str = ""
    start_seconds: float = 0.0
    """0 for what func.yaml says."""
    watch: bool = True
    as_json: bool = False
    environ: Mapping[str, str] = field(default_factory=environment, repr=False)


def run(opened: Opened, wanted: Wanted) -> int:
    """Run it until Ctrl-C or SIGTERM; the exit code. Raises ``KnliteError``."""
    host, port = place(wanted.address)
    say_builder(wanted.builder)
    project, document = one_service(opened, wanted)
    settings = Settings(
        address=host,
        port=port,
        admin_port=_free_port(HOST),
        runtime=wanted.runtime,
        front=(NAMESPACE, opened.func.name),
    )
    what = declared_by(opened, project, document)
    with ExitStack() as held:
        out = Output(sys.stdout.fileno(), _missing)
        held.callback(out.close)
        err = Output(sys.stderr.fileno(), _missing)
        held.callback(err.close)
        shown = Shown(out, err, as_json=wanted.as_json)
        return anyio.run(
            _run,
            opened,
            wanted,
            settings,
            what,
            shown,
            backend="asyncio",
            backend_options={"use_uvloop": True},
        )


def one_service(opened: Opened, wanted: Wanted) -> tuple[FunctionProject, dict[str, object]]:
    """The project and its Service, as the options change them. Raises ``InvalidInput``."""
    func, folder = opened.func, opened.folder
    envs = changed(func.run.envs, read_changes(wanted.envs))
    func = msgspec.structs.replace(func, run=msgspec.structs.replace(func.run, envs=envs))
    # The file is right, or it would not be open: it is what was given for --env.
    if wrong := [text for _, text in problems(func, wanted.environ)]:
        raise InvalidInput("error(s) while validating envs:\n" + "\n".join(wrong))
    if wanted.registry:
        func = msgspec.structs.replace(func, registry=wanted.registry, image="")
    image = wanted.image or image_of(func, defaults(wanted.environ).registry)
    project = project_of(folder, func, wanted.environ)
    if isinstance(project, ProjectError):
        raise InvalidInput(str(project))
    project = replace(
        project,
        image=image,
        envs={**as_written(envs), **project.envs},
        base_image=wanted.base_image or project.base_image,
    )
    document = local_service(
        func,
        image,
        project.envs,
        start_seconds=wanted.start_seconds or func.start_seconds,
        procfile=procfile.read(folder) is not None,
    )
    return project, document


def declared_by(
    opened: Opened, project: FunctionProject, document: Mapping[str, object]
) -> Project:
    """All that runs. Raises ``InvalidInput``."""
    file = opened.folder / FILE
    found = read_object(document)
    if found.value is None or found.problems:
        raise InvalidInput(
            f"{file} describes no Service that can run",
            cause="; ".join(map(str, found.problems)),
        )
    declared = (Declared(found.value, Manifest(document, str(file), 1, {})),)
    return Project(declared, Sources(projects=(project,)), ())


def runtime_for(container: bool | None, builder: str) -> str:
    """The ``--runtime`` that func's options ask for; the usual one if they do not."""
    if container is None:
        return "process" if builder == "host" else default_runtime()
    return "docker" if container else "process"


def seconds_of(text: str) -> float:
    """A Go duration; 0 for nothing. Raises ``InvalidInput``."""
    try:
        return parse_go(text) if text else 0.0
    except InvalidDuration as exc:
        raise InvalidInput(
            f'--start-timeout "{text}" cannot be read', cause=str(exc), fix="write for example 90s"
        ) from exc


def place(address: str) -> tuple[str, int]:
    """Host and port for ``--address``. Raises ``InvalidInput``, and ``Conflict`` if it is taken."""
    if not address:
        port = PORT if _is_free(HOST, PORT) else _free_port(HOST)
        return HOST, port
    match = _ADDRESS.fullmatch(address)
    if match is None or not 0 < int(match[3]) < 65536:
        raise InvalidInput(
            f'--address "{address}" cannot be read',
            fix="write HOST:PORT, for example 127.0.0.1:8081 or [::]:8081",
        )
    host = match[1] or match[2]
    if not host:
        raise InvalidInput(
            f'--address "{address}" has no host', fix=f"write for example {HOST}:{match[3]}"
        )
    # Where Go listens on "::" it takes IPv4 as well, which is what most clients come by.
    host, port = "0.0.0.0" if host == "::" else host, int(match[3])
    if not _is_free(host, port):
        raise Conflict(
            f"cannot listen on {address}",
            cause="another program does, or this machine has no such address, or root is needed",
            fix="end that program, or choose another port with --address",
        )
    return host, port


class Shown:
    """What the terminal gets: the function's own lines, and what goes wrong."""

    def __init__(self, out: Output, err: Output, *, as_json: bool) -> None:
        self._out, self._err = out, err
        self._as_json = as_json
        self.steps = Steps(quiet=as_json)
        self._waiting: Callable[[], None] | None = None
        self._failure = self._failed = ""
        self._ready = False

    def fact(self, fact: Fact) -> None:
        """Reads all facts of the run."""
        match fact:
            case LogLine():
                # With --json standard output is for the address.
                own = self._out if fact.stream == "stdout" and not self._as_json else self._err
                own.write(f"{fact.text}\n")
            case PreparationStep():
                if self._ready:
                    self.say(fact.text)
                else:
                    self.steps(fact.text, fact.share)
            case InstanceChanged(state="failed"):
                # Tried again and again it fails in the same way; what ends the run is told then.
                if self._ready and fact.why != self._failed:
                    self.say(f"✗ {fact.why}")
                self._failed = fact.why
            case InstanceChanged(state="ready"):
                self._failed = ""
            case Notice() if self._ready or fact.level != "info":
                # Before that it is about the knlite around the function.
                self.say(fact.text)
            case ReadyChanged(kind="Service"):
                self._readiness(fact)
            case _:
                pass

    async def ready(self) -> None:
        """Return once the Service is ready. Raises ``KnliteError`` if it has failed."""
        while not self._ready:
            if self._failure:
                raise KnliteError(f"the function does not run: {self._failed or self._failure}")
            changed_now = anyio.Event()
            self._waiting = changed_now.set
            await changed_now.wait()

    def running(self, host: str, port: int) -> None:
        """Say where it runs."""
        named = f"[{host}]" if ":" in host else host
        if self._as_json:
            told = {"address": f"http://{named}:{port}", "host": host, "port": str(port)}
            self._out.write(json.dumps(told) + "\n")
        else:
            self._err.write(f"Function running on {named}:{port}\n")

    def _readiness(self, fact: ReadyChanged) -> None:
        if fact.status == "True" and not self._ready:
            self._ready = True
            self.steps.done()
        elif fact.status == "False" and not self._ready:
            self._failure = fact.message or fact.reason
        if self._waiting is not None:
            self._waiting()

    def say(self, text: str) -> None:
        """Tell the author."""
        self._err.write("".join(f"{clean(line)}\n" for line in text.splitlines()))


async def _run(
    opened: Opened, wanted: Wanted, settings: Settings, what: Project, shown: Shown
) -> int:
    stop = anyio.CancelScope()
    try:
        async with anyio.create_task_group() as signals:
            # Until the very end: whoever is in a hurry presses Ctrl-C twice.
            await signals.start(_stop_at_signals, stop.cancel)
            with stop:
                async with open_emulator(settings, [shown.fact]) as emulator:
                    _require_valid(emulator, what)
                    await _serve(emulator, what, shown)
                    async with anyio.create_task_group() as group:
                        if wanted.watch:
                            group.start_soon(_follow, opened, wanted, emulator, shown)
                        with recorded(opened.folder, settings.address, settings.port):
                            shown.running(settings.address, settings.port)
                            await anyio.sleep_forever()
            signals.cancel_scope.cancel()
    except* KnliteError as errors:
        raise _leaf(errors) from None
    return 0


async def _serve(emulator: Emulator, what: Project, shown: Shown) -> None:
    with shown.steps:
        await emulator.start()
        emulator.apply(what)
        await shown.ready()


async def _follow(opened: Opened, wanted: Wanted, emulator: Emulator, shown: Shown) -> None:
    """Run what is saved."""
    reloader, watched = emulator.reloader, Watched(is_code)
    file = opened.folder / FILE

    async def tell(changed: frozenset[Path]) -> None:
        folders = await reloader.look(changed)
        if file in changed:
            try:
                again = open_function(opened.folder, "run")
                what = declared_by(again, *one_service(again, wanted))
                if again.func.name != opened.func.name:
                    raise InvalidInput("its name has changed", fix="run it anew")
                _require_valid(emulator, what)
            except KnliteError as exc:
                shown.say(f"{exc}\nnothing has been changed; save the corrected file")
                return
            emulator.apply(what)
        reloader.write(folders)

    reloader.report_to(watched.watch)
    await watch(watched, tell, shown.say)


def _require_valid(emulator: Emulator, what: Project) -> None:
    complaints = emulator.check(what)
    if complaints:
        raise InvalidInput("\n".join(map(str, complaints)))


async def _stop_at_signals(
    stop: Callable[[], None], *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            stop()


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _missing(count: int) -> str:
    return f"[{count} lines are missing here: nobody read them]"


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
