"""Which zygotes there are: one for each set of things to load, as long as they are used.

They are made in the background, one at a time, when code is prepared. A start never waits for one:
while there is none, or when it cannot be forked for this start, the program is spawned and a reason
is given. What was unfit once is not tried again.

A variable that a module reads while it is loaded has to have for the zygote the value that it has
for the instance. So has every variable that the interpreter or the C library read at their start.
Instances that set them otherwise than this machine does get a zygote of their own.

Not here: what one zygote does (``zygote.py``).
"""

import asyncio
import os
import re
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from knlite.functions.plan import Warm
from knlite.runtime.process.usage import proportional
from knlite.runtime.process.zygote import ENDED, LOADING, Forked, Zygote

COUNT = 16
"""As many are kept; those used least recently go first."""
SHARE = 8
"""All of them may hold this part of the machine's memory, if nothing else was said."""
DEATHS = 3
"""After as many that ended by themselves, no more are made of the kind."""
VARIANTS = 8
"""As many are made of a kind for other variables before one of them has been of use."""
LOAD_PATIENCE = 60.0
"""Seconds that loading may take; until then no other zygote is made."""
PER_INSTANCE = frozenset({"PORT", "LISTEN_ADDRESS", "FUNC_PORT"})
AT_START = re.compile(
    r"PYTHON|LD_|DYLD_|GLIBC_|MALLOC_|LC_|LANG(UAGE)?$|TZ|OPENSSL_|SSL_|OMP_|MKL_|OPENBLAS_|BLIS_"
)
"""Variables that are read by other means than ``os.environ``."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a zygote is made for."""

    key: str
    user: int | None
    group: int | None
    env: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    """Variables that differ from this machine's."""


class Zygotes:
    """All zygotes of a runtime.

    *environ* is what they and the instances inherit. *adopt* and *drop* are told of each process
    group that begins, and of zygotes' that end. All zygotes together may hold *memory* bytes.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        adopt: Callable[[int], None],
        drop: Callable[[int], None],
        memory: int | None = None,
    ) -> None:
        self._environ = environ
        self._adopt = adopt
        self._drop = drop
        self._memory = _physical() // SHARE if memory is None else memory
        self._zygotes: OrderedDict[Kind, Zygote] = OrderedDict()
        self._ending: set[Zygote] = set()
        self._sizes: dict[Zygote, int] = {}
        self._waiting: deque[tuple[Kind, Warm]] = deque()
        self._unfit: dict[str, str] = {}
        self._reads: dict[str, set[str]] = {}
        self._deaths: Counter[str] = Counter()
        self._variants: Counter[str] = Counter()
        self._impossible = ""
        """Why there are none at all."""
        if not (hasattr(os, "pidfd_open") and hasattr(os, "memfd_create")):
            self._impossible = "this system has no descriptors of processes"
        elif not self._memory:
            self._impossible = "nothing may be kept in memory (--memory 0)"

    def warm(self, warm: Warm) -> None:
        """Have a zygote for *warm* soon."""
        self._want(Kind(warm.key, None, None), warm)

    async def fork(
        self, warm: Warm, folder: Path, env: Mapping[str, str], user: int | None, group: int | None
    ) -> Forked | str:
        """A program forked from a zygote; or why it has to be spawned, empty if that is only for
        now."""
        forked = await self._fork(warm, folder, env, user, group)
        return "" if forked in (LOADING, ENDED) else forked

    async def _fork(
        self, warm: Warm, folder: Path, env: Mapping[str, str], user: int | None, group: int | None
    ) -> Forked | str:
        if self._impossible:
            return self._impossible
        if warm.key in self._unfit:
            return self._unfit[warm.key]
        read = self._reads.get(warm.key, set())
        own = read & PER_INSTANCE & env.keys()
        if own:
            return f"what it imports reads {min(own)}, which differs for each instance"
        differing = frozenset(
            (name, value)
            for name, value in env.items()
            if (name in read or AT_START.match(name)) and self._environ.get(name) != value
        )
        kind = Kind(warm.key, user, group, differing)
        zygote = self._zygotes.get(kind)
        if zygote is None:
            self._want(kind, warm)
            return self._unfit.get(warm.key, LOADING)
        self._zygotes.move_to_end(kind)
        forked = await zygote.fork(warm.arguments, folder, env, self._adopt)
        if isinstance(forked, Forked):
            self._variants[warm.key] = 0
        return forked

    def sizes(self) -> Mapping[str, int]:
        """Bytes that the zygotes of each key held when they were loaded; those used least recently
        come first."""
        sizes: Counter[str] = Counter()
        for kind, zygote in self._zygotes.items():
            sizes[kind.key] += self._sizes.get(zygote, 0)
        return dict(sizes)

    async def aclose(self) -> None:
        """End all of them; returns when they are gone."""
        self._impossible = "the run ends"
        self._waiting.clear()
        for kind in list(self._zygotes):
            self._end(kind)
        for zygote in tuple(self._ending):
            await zygote.gone.wait()

    def _want(self, kind: Kind, warm: Warm) -> None:
        if (
            not self._impossible
            and kind.key not in self._unfit
            and kind not in self._zygotes
            and all(kind != waiting for waiting, _ in self._waiting)
        ):
            self._waiting.append((kind, warm))
            self._begin()

    def _begin(self) -> None:
        """Make the next one that is wanted, unless one is being made."""
        loading = any(zygote.state == "loading" for zygote in self._zygotes.values())
        while self._waiting and not loading:
            kind, warm = self._waiting.popleft()
            if kind.env:
                if self._variants[kind.key] >= VARIANTS:
                    continue
                self._variants[kind.key] += 1
            while len(self._zygotes) >= COUNT:
                self._end(self._dispensable())
            env = {**self._environ, **dict(kind.env)}
            try:
                zygote = Zygote(
                    warm,
                    env,
                    partial(self._changed, kind),
                    user=kind.user,
                    group=kind.group,
                )
            except OSError as error:
                self._unfit[kind.key] = f"its parent process cannot be started: {error.strerror}"
                continue
            self._adopt(zygote.pid)
            self._zygotes[kind] = zygote
            loading = True
            self._limit(kind, zygote)

    def _limit(self, kind: Kind, zygote: Zygote) -> None:
        """Give it some time for what it loads now."""
        loop = asyncio.get_running_loop()
        loop.call_later(LOAD_PATIENCE, self._give_up, kind, zygote, zygote.loads)

    def _give_up(self, kind: Kind, zygote: Zygote, loads: int) -> None:
        """End it if it is still loading what it began as its *loads*-th."""
        still = zygote.state == "loading" and zygote.loads == loads
        if still and self._zygotes.get(kind) is zygote:
            self._unfit[kind.key] = f"what it imports takes longer than {LOAD_PATIENCE:g} s to load"
            self._end(kind)
            self._begin()

    def _changed(self, kind: Kind, zygote: Zygote) -> None:
        """It loads more, has been loaded, or has ended."""
        if zygote.state == "loading":
            self._limit(kind, zygote)
        elif zygote.state == "ready":
            self._reads.setdefault(kind.key, set()).update(zygote.reads)
            self._sizes[zygote] = proportional(zygote.pid) or 0
            while sum(self._sizes.values()) > self._memory and self._zygotes:
                self._end(self._dispensable())
            if kind not in self._zygotes:
                self._unfit[kind.key] = "its parent process would hold more memory than it may"
        elif zygote.state == "unfit":
            self._unfit[kind.key] = zygote.why
            self._end(kind)
        elif self._zygotes.get(kind) is zygote:
            self._deaths[kind.key] += not zygote.stale
            if self._deaths[kind.key] >= DEATHS:
                self._unfit[kind.key] = zygote.why
            self._end(kind)
        self._begin()

    def _dispensable(self) -> Kind:
        """The one used least recently, if possible without instances whose exit codes it knows."""
        without = (kind for kind, zygote in self._zygotes.items() if not zygote.instances)
        return next(without, next(iter(self._zygotes)))

    def _end(self, kind: Kind) -> None:
        zygote = self._zygotes.pop(kind)
        self._sizes.pop(zygote, None)
        self._ending = {each for each in self._ending if not each.gone.is_set()} | {zygote}
        zygote.kill()
        self._drop(zygote.pid)


def _physical() -> int:
    """Bytes of memory that the machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
