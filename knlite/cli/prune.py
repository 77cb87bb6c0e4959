"""``knlite prune``: shows what nobody uses in the cache and in the engine, asks, removes it.

What is shown is looked at again while no code can be prepared; only what is still unused then, and
has been shown, goes.

Not here: what there is (``functions/cachecontents.py``, ``runtime/docker/unused.py``) and who uses
it (``functions/cacheuse.py``).
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
import anyio.to_thread
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from knlite.errors import InvalidInput
from knlite.functions import cachecontents, cacheuse
from knlite.functions.cachecontents import KINDS, LEFT_BEHIND
from knlite.runtime.docker import unused
from knlite.runtime.docker.engine import Engine, NoEngine, find_engine
from knlite.runtime.docker.unused import MadeImage
from knlite.settings import Settings

IMAGES = "images"
LEFTOVERS = "locks, and what killed runs left"


@dataclass(frozen=True, slots=True)
class Unused:
    """What would go."""

    entries: tuple[cachecontents.Entry, ...] = ()
    images: tuple[MadeImage, ...] = ()

    @property
    def size(self) -> int:
        """Bytes."""
        return _size(self.entries) + _size(self.images)


def run(settings: Settings, *, yes: bool, dry_run: bool, everything: bool, as_json: bool) -> int:
    """Prune; the exit code. Raises ``KnliteError``."""
    if not (yes or dry_run or sys.stdin.isatty()):
        raise InvalidInput(
            "nobody is there to be asked",
            cause="standard input is no terminal",
            fix="add --yes, or --dry-run to see what would go",
        )
    return anyio.run(_run, settings, yes, dry_run, everything, as_json)


async def _run(
    settings: Settings, yes: bool, dry_run: bool, everything: bool, as_json: bool
) -> int:
    engine = None if settings.runtime == "process" else await find_engine(settings.environ)
    with _waiting("looking what is in the cache …", shown=not as_json):
        found = await anyio.to_thread.run_sync(_unused, settings, engine, everything)
    if not as_json:
        _show(found, engine)
    if dry_run or not (found.entries or found.images):
        if as_json:
            _print_json(found, removed=())
        return 0
    if not (yes or _agreed(found.size)):
        sys.stdout.write("Nothing was removed.\n")
        return 1
    removed, failed = await _remove(settings, engine, found, everything)
    freed = _size([each for each in found.entries if each.name in removed])
    freed += _size([each for each in found.images if each.id in removed])
    if as_json:
        _print_json(found, removed=removed)
    else:
        sys.stdout.write(f"Removed {in_words(freed)}.\n")
    for each in failed:
        sys.stderr.write(f"knlite: {each}\n")
    return int(bool(failed))


def _unused(settings: Settings, engine: Engine | NoEngine | None, everything: bool) -> Unused:
    used = cacheuse.used(settings.cache_dir)
    entries = cachecontents.unused(cachecontents.entries(settings.cache_dir), used)
    images: list[MadeImage] = []
    if isinstance(engine, Engine):
        images = unused.unused_images(
            engine.client, settings.cache_dir, used, everything=everything
        )
    return Unused(tuple(entries), tuple(images))


async def _remove(
    settings: Settings, engine: Engine | NoEngine | None, shown: Unused, everything: bool
) -> tuple[list[str], list[str]]:
    """Remove what was *shown* and is still unused; the names of what went, and what failed."""
    failed: list[str] = []
    async with cacheuse.pruning(settings.cache_dir):
        still = await anyio.to_thread.run_sync(_unused, settings, engine, everything)
        names = {each.name for each in still.entries} & {each.name for each in shown.entries}
        images = [each for each in still.images if each.id in {one.id for one in shown.images}]
        away = await anyio.to_thread.run_sync(
            cachecontents.take_out, settings.cache_dir, sorted(names)
        )
        removed = sorted(names)
        if isinstance(engine, Engine):
            for image in images:
                if await anyio.to_thread.run_sync(
                    unused.remove_image, engine.client, settings.cache_dir, image
                ):
                    removed.append(image.id)
                else:
                    failed.append(f"the engine keeps image {image.id}: something needs it")
    try:
        await anyio.to_thread.run_sync(cachecontents.remove, away)
    except OSError as error:
        failed.append(f"{error.filename or away} cannot be removed: {error.strerror}")
    return removed, failed


def _show(found: Unused, engine: Engine | NoEngine | None) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if isinstance(engine, NoEngine):
        console.print(Text(f"Images are left out: {engine.why}.", style="dim"))
    lines = list(_lines(found))
    if not lines:
        console.print("Nothing is unused.")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in ("WHAT", "NUMBER", "SIZE"):
        table.add_column(head, justify="left" if head == "WHAT" else "right")
    for what, number, size in lines:
        table.add_row(Text(what), str(number), in_words(size))
    table.add_row(Text("all"), "", in_words(found.size), style="bold")
    console.print(table)


def _lines(found: Unused) -> Iterable[tuple[str, int, int]]:
    """(what, how many, bytes) for people."""
    whole = [each for each in found.entries if not each.leftover]
    for kind, what in KINDS.items():
        of_kind = [each for each in whole if each.name.startswith(f"{kind}/")]
        if of_kind:
            yield what, len(of_kind), sum(each.size for each in of_kind)
    left = [each for each in found.entries if each.leftover]
    if left:
        yield LEFTOVERS, len(left), sum(each.size for each in left)
    superseded = [each for each in found.images if not each.names]
    if superseded:
        yield "superseded images", len(superseded), sum(each.size for each in superseded)
    for image in found.images:
        if image.names:
            yield f"image {', '.join(image.names)}", 1, image.size


def _agreed(size: int) -> bool:
    sys.stdout.write(f"Remove all of this, {in_words(size)}? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _print_json(found: Unused, removed: Sequence[str]) -> None:
    entries = [
        {"kind": _kind(each), "name": each.name, "bytes": each.size, "leftover": each.leftover}
        for each in found.entries
    ]
    images = [
        {"kind": IMAGES, "name": each.id, "names": each.names, "bytes": each.size}
        for each in found.images
    ]
    document = {"unused": [*entries, *images], "bytes": found.size, "removed": list(removed)}
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def _kind(entry: cachecontents.Entry) -> str:
    return "leftovers" if entry.name.startswith(LEFT_BEHIND) else entry.name.partition("/")[0]


def _size(found: Iterable[cachecontents.Entry] | Iterable[MadeImage]) -> int:
    return sum(each.size for each in found)


def in_words(size: int) -> str:
    """*size* bytes as people say it: ``42.0 MB``."""
    amount, units = float(size), ["B", "kB", "MB", "GB"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"


@contextmanager
def _waiting(text: str, *, shown: bool) -> Iterator[None]:
    """Say *text* on a terminal for as long as the context lasts."""
    shown = shown and sys.stderr.isatty()
    if shown:
        sys.stderr.write(text)
        sys.stderr.flush()
    yield
    if shown:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
