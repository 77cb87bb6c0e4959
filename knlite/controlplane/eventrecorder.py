"""Records Events from facts and from changes of objects, a moment after they happened.

A cold start records nothing before its first byte, and a warm request never does.

Source: ``docs/adr/0007``; Kubernetes core/v1 Event.
Not here: what is told (``serving/happenings.py``), how it is kept (``eventledger.py``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from knlite.clock import Clock
from knlite.controlplane.eventledger import EventLedger
from knlite.controlplane.reporting import Reporter
from knlite.eventing.happenings import of_change as eventing_change
from knlite.facts import Fact
from knlite.kinds.catalog import KINDS
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.happening import Happening
from knlite.reconcile import Key
from knlite.registry.registry import Notification, Registry
from knlite.serving.happenings import Telling, of_addition, of_change, of_fact

READ: tuple[type[Fact], ...] = get_args(Telling)
"""The facts that something is told of."""

_KINDS = {info.type.__name__: info.type for info in KINDS}


@dataclass(slots=True)
class _Pending:
    at: datetime
    happening: Happening
    uid: str
    tried: bool = False


class EventRecorder:
    """Writes to one ledger."""

    def __init__(
        self, registry: Registry, ledger: EventLedger, reporter: Reporter, clock: Clock
    ) -> None:
        self._registry = registry
        self._ledger = ledger
        self._reporter = reporter
        self._clock = clock
        self._pending: list[_Pending] = []
        ledger.report_to(registry.next_version, registry.derived_changed)

    def read(self, fact: Fact) -> None:
        """A reader of the bus."""
        if isinstance(fact, Telling):
            self._add(fact.at, of_fact(fact))

    def note(self, notification: Notification) -> None:
        """A listener of the registry."""
        match notification.change:
            case "added":
                self._add(self._clock.wall(), of_addition(notification.obj))
            case "modified" if notification.old is not None:
                self._add(self._clock.wall(), of_change(notification.old, notification.obj))
                self._add(self._clock.wall(), eventing_change(notification.old, notification.obj))
            case "deleted" if isinstance(notification.obj, Namespace):
                self._ledger.forget(notification.obj.metadata.name)
            case _:
                pass

    def _add(self, at: datetime, happenings: Iterable[Happening]) -> None:
        for happening in happenings:
            # A Pod may be gone when this is written; what else there is stays longer.
            uid = self._uid(happening) if happening.kind == "Pod" else ""
            self._pending.append(_Pending(at, happening, uid))
            self._reporter.report(self, self._write)

    def _write(self) -> None:
        pending, self._pending = self._pending, []
        for each in pending:
            uid = each.uid or self._uid(each.happening)
            if uid or each.tried:
                self._ledger.record(each.at, each.happening, uid)
                continue
            # The object may be about to be written, as a Pod is after what happens to it.
            each.tried = True
            self._pending.append(each)
            self._reporter.report(self, self._write)

    def _uid(self, happening: Happening) -> str:
        key = Key(_KINDS[happening.kind], happening.namespace, happening.name)
        found = self._registry.at(key)
        return "" if found is None else found.metadata.uid
