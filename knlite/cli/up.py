"""``knlite up``: apply manifests, show what runs, stream what happens, apply again on changes."""

import gc
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio

from knlite.cli.jsonlog import JSONLog
from knlite.cli.kubeconfig import written_kubeconfig
from knlite.cli.openfiles import allow_open_files
from knlite.cli.output import Output
from knlite.cli.reapply import reapply
from knlite.cli.screen import JSONLines, Screen
from knlite.emulator import Emulator, open_emulator
from knlite.errors import InvalidInput, KnliteError
from knlite.manifests.project import Project, read_project
from knlite.nearby import code_below
from knlite.settings import Settings

READY_WITHIN = 10.0
"""Seconds to wait for one more object to be ready before the table is shown as it is then."""
GARBAGE = (50_000, 20, 100)
"""When the garbage collector looks: objects that are new, and how often through the older ones."""


Show = type[Screen] | type[JSONLog] | type[JSONLines]
Shown = Screen | JSONLog | JSONLines


def run(paths: Sequence[Path], settings: Settings, show: Show = Screen) -> int:
    """Run until Ctrl-C or SIGTERM; returns the exit code. Raises ``KnliteError``.

    *show* is how standard output tells what happens.
    """
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
            f"no manifest and no function in {', '.join(str(path) for path in paths)}",
            fix="give a folder with YAML files that hold Knative objects, or with a func.yaml",
        )
    return anyio.run(
        _up,
        paths,
        project,
        settings,
        show,
        backend="asyncio",
        backend_options={"use_uvloop": True},
    )


async def _up(paths: Sequence[Path], project: Project, settings: Settings, show: Show) -> int:
    output = Output(sys.stdout.fileno(), show.missing)
    screen = show(output)
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
    emulator: Emulator, paths: Sequence[Path], project: Project, screen: Shown
) -> None:
    await emulator.start()
    with written_kubeconfig(emulator.settings) as kubeconfig:
        async with anyio.create_task_group() as group:
            # Watching begins at once, so that a file saved while all that settles is not missed.
            settled = anyio.Event()
            if emulator.settings.watch:
                group.start_soon(reapply, emulator, paths, screen.notice, settled)
            await _settle(emulator, paths, project, screen, kubeconfig)
            settled.set()


async def _settle(
    emulator: Emulator,
    paths: Sequence[Path],
    project: Project,
    screen: Shown,
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
