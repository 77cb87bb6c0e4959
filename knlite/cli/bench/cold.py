"""Cold starts: bring the Service to zero, send one request, take down where its time went.

Source: knlite's own; the stages are those that the gateway tells in ``Server-Timing``.
Not here: warm requests (``warm.py``).
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event

from knlite.cli.client import Client
from knlite.cli.exchange import Call, exchanged
from knlite.errors import Conflict, KnliteError

SECONDS = 310.0
"""For a cold request: a little more than one may take by Knative's default."""
TO_REST = 300.0
"""Seconds that instances may take to end."""
OWN = 1.0
"""Seconds for a request of our own to be over for the gateway as well; what is under way for longer
is somebody else's."""
TO_START = 60.0
"""Seconds to wait for an instance that is starting already."""
AGAIN = 0.01

_STAGE = re.compile(r"([\w-]+)(?:;desc=([\w-]+))?;dur=([0-9.]+)")


@dataclass(frozen=True, slots=True)
class Cold:
    """One cold request; times in seconds."""

    seconds: float
    """To the last byte of the answer."""
    stages: Mapping[str, float]
    how: str
    """``spawned``, ``forked``, ``container``, ``thawed``."""


def cold(
    client: Client, namespace: str, name: str, call: Call, count: int, step: Callable[[int], None]
) -> list[Cold]:
    """*count* cold requests, after one that is not counted; *step* is told how many are done.

    Raises ``Conflict`` if the Service cannot be at zero, or somebody else needs it.
    """
    found: list[Cold] = []
    for index in range(count + 1):
        step(index)
        bring_to_zero(client, namespace, name)
        sample = _asked(call)
        if index:
            found.append(sample)
    return found


def bring_to_zero(client: Client, namespace: str, name: str) -> None:
    """Return when the Service has no instance that runs. Raises ``Conflict``."""
    began = time.perf_counter()
    while True:
        try:
            client.rest(namespace, name, TO_REST)
        except Conflict as exc:
            reasons = {cause.reason for cause in exc.causes}
            waited = time.perf_counter() - began
            if "Starting" in reasons and waited < TO_START:
                Event().wait(AGAIN)
            elif "RequestsUnderWay" in reasons:
                if waited > OWN:
                    raise Conflict(
                        f"{name} is needed by somebody else, whom the measurement would disturb",
                        cause=f"requests of theirs under way: {exc.causes[0].message}",
                        fix="run it when nobody else sends requests",
                        causes=exc.causes,
                    ) from exc
                Event().wait(AGAIN)
            else:
                raise
        else:
            return


def stages_of(timing: str) -> tuple[dict[str, float], str]:
    """The stages of a ``Server-Timing``, in seconds, and how the instance was started."""
    stages: dict[str, float] = {}
    how = ""
    for name, description, milliseconds in _STAGE.findall(timing):
        stages[name] = float(milliseconds) / 1000
        how = description or ("thawed" if name == "thaw" else how)
    return stages, how


def _asked(call: Call) -> Cold:
    began = time.perf_counter()
    with exchanged(call, SECONDS) as reply:
        reply.body()
        seconds = time.perf_counter() - began
        if not 200 <= reply.status < 400:
            raise KnliteError(
                f"{call.url} answers {reply.status} {reply.reason}",
                cause="the time of an error says nothing about the Service",
                fix="give what it takes: --path, --data, --header; or see knlite logs",
            )
        stages, how = stages_of(reply.header("server-timing"))
        return Cold(seconds, stages, how)
