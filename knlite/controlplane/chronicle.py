"""Tells of instances: at once as facts, a moment later as their Pods.

Not here: what happens to them (``supervisor.py``, ``kubelet.py``, ``incarnation.py``).
"""

from collections import deque

from knlite.clock import Clock
from knlite.controlplane.pods import PodWriter
from knlite.controlplane.slot import Slot
from knlite.errors import InstanceFailed
from knlite.facts import (
    InstanceChanged,
    InstanceState,
    LogLine,
    PreparationStep,
    ProbeFailed,
    Publish,
)
from knlite.functions import logmark
from knlite.runtime.lastwords import ending
from knlite.runtime.port import Exit, Log, Logs
from knlite.serving.instance import Address
from knlite.serving.podlife import BACK_OFF
from knlite.serving.probing import ProbeSpec

TAIL_LINES = 20
UNHEALTHY = "Unhealthy"


class Tail:
    """The last lines that an instance wrote, for the sentence about its end."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)

    def add(self, line: str) -> None:
        """Another line."""
        self._lines.append(line)

    def text(self) -> str:
        """All of them, as far as a message may hold them."""
        return ending(logmark.last_words(self._lines))


class Chronicle:
    """What becomes of the instances of one run."""

    def __init__(self, pods: PodWriter, clock: Clock, publish: Publish) -> None:
        self._pods = pods
        self._clock = clock
        self._publish = publish
        self._unforked: dict[tuple[str, str], str] = {}

    def preparing(self, slot: Slot) -> None:
        """It waits for its code, its configuration or its place."""
        self._tell(slot, "preparing")
        self._pods.starting(slot.revision, slot.name)

    def starting(self, slot: Slot) -> None:
        """The runtime is told to start it."""
        self._tell(slot, "starting")

    def started(self, slot: Slot, address: Address, label: str) -> None:
        """Its programs run."""
        self._tell(slot, "started", label)
        self._pods.started(slot.revision, slot.name, address)

    def unforked(self, slot: Slot, why: str) -> None:
        """It was started from nothing, for a reason that may stay; told once of a service."""
        service = (slot.revision.namespace, slot.service or slot.revision.name)
        if why and self._unforked.get(service) != why:
            self._unforked[service] = why
            self._publish(
                PreparationStep(
                    at=self._clock.wall(),
                    namespace=slot.revision.namespace,
                    service=slot.service,
                    revision=slot.revision.name,
                    text=f"its instances load everything at each start, since {why}",
                )
            )

    def ready(self, slot: Slot, label: str) -> None:
        """It gets requests from now on."""
        self._tell(slot, "ready", label)

    def unready(self, slot: Slot, why: str) -> None:
        """It gets none any more, until its readiness probes pass again."""
        self._tell(slot, "unready", why, reason=UNHEALTHY)

    def containers_ready(self, slot: Slot, ready: frozenset[str]) -> None:
        """These of its containers are ready."""
        self._pods.answering(slot.revision, slot.name, ready)

    def probe_failed(self, slot: Slot, probe: ProbeSpec, why: str) -> None:
        """An attempt failed."""
        self._publish(
            ProbeFailed(
                at=self._clock.wall(),
                namespace=slot.revision.namespace,
                service=slot.service,
                revision=slot.revision.name,
                instance=slot.name,
                container=probe.container,
                probe=probe.role,
                why=why,
            )
        )

    def restarting(self, slot: Slot, probe: ProbeSpec, why: str) -> None:
        """It is being stopped because *probe* has failed for good."""
        words = f"{probe.role.lower()} probe failed: {why}"
        self._tell(slot, "restarting", words, reason=UNHEALTHY, container=probe.container)
        self._pods.answering(slot.revision, slot.name, frozenset())

    def ended(self, slot: Slot, exit_: Exit, why: str, last_words: str) -> None:
        """One of its programs has ended; *why* is a sentence."""
        reason = "OOMKilled" if exit_.oom else f"ExitCode{exit_.code}"
        # Only what serves is not meant to end.
        state: InstanceState = "failed" if exit_.code or slot.revision.name else "completed"
        if state == "completed":
            reason, why = "", ""
        self._tell(slot, state, why, reason=reason, container=exit_.container)
        self._pods.ended(slot.revision, slot.name, exit_, last_words)

    def failed(self, slot: Slot, exc: InstanceFailed, message: str) -> None:
        """It could not be started, or cannot become ready."""
        self._tell(slot, "failed", str(exc), reason=exc.reason)
        self._pods.failed(slot.revision, slot.name, exc.reason, message)

    def waiting(self, slot: Slot, seconds: float) -> None:
        """It will be started again in *seconds*."""
        if seconds:
            why = f"back-off {seconds:g} s restarting what failed"
            self._tell(slot, "waiting", why, reason=BACK_OFF)
            self._pods.backing_off(slot.revision, slot.name, seconds)

    def draining(self, slot: Slot) -> None:
        """It finishes what it has begun."""
        self._tell(slot, "draining")

    def frozen(self, slot: Slot, size: str) -> None:
        """It is kept in memory; *size* says how much of it."""
        self._tell(slot, "frozen", size)
        self._pods.frozen(slot.revision, slot.name)

    def thawed(self, slot: Slot, containers: frozenset[str]) -> None:
        """It goes on, and all its *containers* are ready."""
        self._tell(slot, "thawed")
        self._pods.answering(slot.revision, slot.name, containers)

    def stopped(self, slot: Slot) -> None:
        """Its programs have ended, and it is kept on disk."""
        self._tell(slot, "stopped")
        self._pods.stopped(slot.revision, slot.name)

    def retired(self, slot: Slot) -> None:
        """It is to go."""
        self._pods.draining(slot.revision, slot.name)

    def gone(self, slot: Slot) -> None:
        """It is no more."""
        self._tell(slot, "gone")
        self._pods.gone(slot.revision, slot.name)

    def over(self, slot: Slot, phase: str) -> None:
        """It has run to its end and is not started again; its Pod stays."""
        self._tell(slot, "gone")
        self._pods.over(slot.revision, slot.name, phase)

    def logs(self, slot: Slot, tail: Tail) -> Logs:
        """Where its containers write to."""

        def of(container: str) -> Log:
            def log(stream: str, line: str) -> None:
                request, text = logmark.split(line)
                tail.add(line)
                self._publish(
                    LogLine(
                        at=self._clock.wall(),
                        namespace=slot.revision.namespace,
                        service=slot.service,
                        revision=slot.revision.name,
                        instance=slot.name,
                        container=container,
                        stream="stderr" if stream == "stderr" else "stdout",
                        text=text,
                        request=request,
                    )
                )

            return log

        return of

    def _tell(
        self,
        slot: Slot,
        state: InstanceState,
        why: str = "",
        *,
        reason: str = "",
        container: str = "",
    ) -> None:
        self._publish(
            InstanceChanged(
                at=self._clock.wall(),
                namespace=slot.revision.namespace,
                service=slot.service,
                revision=slot.revision.name,
                instance=slot.name,
                state=state,
                why=why,
                reason=reason,
                container=container,
                restarts=slot.restarts,
            )
        )
