"""``func run``: a small knlite with one Service, and what its function writes.

It runs the function as a deployed one runs: the same runtime, the same gateway, the same reload.

Source: Knative Functions reference §4.3, §4.5; docs/adr/0038.
"""

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import msgspec
from anyio.abc import TaskStatus

from knlite.cli.func.address import HOST, free_port, place
from knlite.cli.func.building import say_builder
from knlite.cli.func.defaults import defaults
from knlite.cli.func.opened import Opened, image_of, open_function
from knlite.cli.func.shown import Shown
from knlite.cli.output import Output
from knlite.emulator import Emulator, open_emulator
from knlite.errors import InvalidInput, KnliteError
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
from knlite.manifests.declared import Declared
from knlite.manifests.documents import Manifest
from knlite.manifests.project import Project
from knlite.serving.workload import FunctionProject, Sources
from knlite.settings import Settings, default_runtime, environment
from knlite.watching import Watched, watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How it is to run."""

    address: str = ""
    """HOST:PORT; empty for 127.0.0.1, on 8080 if that is free."""
    envs: Sequence[str] = field(default=(), repr=False)
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
        admin_port=free_port(HOST),
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
                        where = settings.address, settings.port
                        with recorded(opened.folder, *where, shown.say):
                            shown.running(*where)
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
        changes = await reloader.look(changed)
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
            reloader.take(changes)
            emulator.apply(what)
        else:
            reloader.take(changes)
        reloader.write(changes)

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


def _missing(count: int) -> str:
    return f"[{count} lines are missing here: nobody read them]"


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
