"""Which instances there are now, and where each is in its life."""

from datetime import datetime

import msgspec

from knlite.facts import ColdStart, Fact, InstanceChanged, InstanceState
from knlite.telemetry.live.deltas import Keyed
from knlite.telemetry.live.hub import Hub

TOPIC = "instances"
READ = (InstanceChanged, ColdStart)
FORKED = ", forked"
"""How what a running instance calls itself ends if it was forked."""


class InstanceNow(msgspec.Struct, frozen=True, kw_only=True):
    """One instance; *at* is since when it is in *state*."""

    instance: str
    namespace: str
    service: str
    revision: str
    state: InstanceState
    why: str
    reason: str
    at: datetime
    how: str
    """How it was last started, where that is known: ``forked``, ``spawned``, ``container``; or
    ``thawed``."""
    restarts: int


class Instances:
    """A reader of facts that keeps one value for each instance that there is."""

    def __init__(self, live: Hub) -> None:
        self._live = live
        self._known: dict[tuple[str, str], InstanceNow] = {}
        live.topic(TOPIC, self._snapshot)

    def read(self, fact: Fact) -> None:
        """Take note of *fact*, one of ``READ``."""
        match fact:
            case InstanceChanged():
                self._changed(fact)
            case ColdStart():
                known = self._known.get((fact.namespace, fact.instance))
                if known is not None and fact.how and fact.how != known.how:
                    self._keep(msgspec.structs.replace(known, how=fact.how))
            case _:
                pass

    def _changed(self, fact: InstanceChanged) -> None:
        known = self._known.get((fact.namespace, fact.instance))
        how = known.how if known is not None else ""
        match fact.state:
            case "preparing" | "starting":
                how = ""
            case "started" | "ready" if fact.why.endswith(FORKED):
                how = "forked"
            case "thawed":
                how = "thawed"
            case _:
                pass
        self._keep(
            InstanceNow(
                instance=fact.instance,
                namespace=fact.namespace,
                service=fact.service,
                revision=fact.revision,
                state=fact.state,
                why=fact.why,
                reason=fact.reason,
                at=fact.at,
                how=how,
                restarts=fact.restarts,
            )
        )

    def _keep(self, now: InstanceNow) -> None:
        key = (now.namespace, now.instance)
        if now.state == "gone":
            self._known.pop(key, None)
        else:
            self._known[key] = now
        if self._live.watched(TOPIC):
            self._live.tell(TOPIC, Keyed("instances", {key: now}))

    def _snapshot(self) -> object:
        return {"instances": list(self._known.values()), "whole": True}
