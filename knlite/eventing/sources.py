"""Sources as the data plane sees them: what each of them sends, when, and where to.

Only a source that is Ready sends. A plan says all that there is to know; two that are equal mean
that nothing has changed.

Source: knative/eventing ``pkg/adapter/{mtping,apiserver}``; Eventing reference §9, §10.
Not here: schedules (``kinds/schedule.py``), the events of an ApiServerSource
(``eventing/apichanges.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from knlite.eventing.cloudevent import CloudEvent, timestamp
from knlite.eventing.identities import account_in
from knlite.kinds import schedule
from knlite.kinds.conditions import is_true
from knlite.kinds.sources.apiserversource import ApiServerSource
from knlite.kinds.sources.pingsource import EVENT_TYPE, PingSource, data_of, event_source
from knlite.kinds.sources.source import CloudEventOverrides
from knlite.reconcile import View

_CONTEXT = frozenset(
    ("specversion", "id", "source", "type", "subject", "time", "dataschema", "datacontenttype")
)
"""What ``ceOverrides`` cannot set: it has extensions only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A source, and where its events go."""

    kind: str
    namespace: str
    name: str
    uid: str
    sink: str
    ca_certs: str = ""
    extensions: Mapping[str, str] = field(default_factory=dict)
    """Set on every event, also in the place of others of their names."""
    account: str = ""
    """The ServiceAccount in whose name it sends."""
    audience: str = ""
    """To whom a token for the sink is addressed; empty: it gets none."""

    def finished(self, event: CloudEvent) -> CloudEvent:
        """*event* with the extensions of this source."""
        if not self.extensions:
            return event
        return event.with_attributes(**self.extensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class PingPlan:
    """One PingSource."""

    outlet: Outlet
    schedule: schedule.Schedule
    content_type: str
    data: bytes | None

    def event(self, new_id: str, now: datetime) -> CloudEvent:
        """The event of a tick; its content type is told only of data."""
        outlet = self.outlet
        attributes = {
            "specversion": "1.0",
            "id": new_id,
            "source": event_source(outlet.namespace, outlet.name),
            "type": EVENT_TYPE,
            "time": timestamp(now),
        }
        content_type = self.content_type if self.data is not None else ""
        return outlet.finished(CloudEvent(attributes, content_type or None, self.data))


def ping_plans(view: View) -> tuple[PingPlan, ...]:
    """The PingSources that send, sorted by namespace and name."""
    plans = (_ping(each) for each in view.listed(PingSource, "") if sends(each))
    return tuple(plan for plan in plans if plan is not None)


def sends(source: PingSource | ApiServerSource) -> bool:
    """Whether *source* is ready, and not about to go."""
    return is_true(source.status.conditions) and source.metadata.deletion_timestamp is None


def extensions_of(overrides: CloudEventOverrides | None) -> Mapping[str, str]:
    """The extensions that *overrides* sets, in small letters as the wire has them."""
    if overrides is None:
        return {}
    found = {name.lower(): value for name, value in overrides.extensions.items()}
    return {name: value for name, value in found.items() if name not in _CONTEXT}


def outlet_of(source: PingSource | ApiServerSource) -> Outlet:
    """Where *source* sends, as its status says."""
    meta, status = source.metadata, source.status
    account = account_in(status.auth)
    return Outlet(
        kind=type(source).__name__,
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        sink=status.sink_uri,
        ca_certs=status.sink_ca_certs or "",
        extensions=extensions_of(source.spec.ce_overrides),
        account=account,
        audience=(status.sink_audience or "") if account else "",
    )


def _ping(source: PingSource) -> PingPlan | None:
    spec = source.spec
    try:
        when = schedule.parse(spec.schedule, spec.timezone)
    except schedule.InvalidSchedule:
        # It was one when it was stored; its reconciler is about to say so.
        return None
    return PingPlan(
        outlet=outlet_of(source),
        schedule=when,
        content_type=spec.content_type,
        data=data_of(spec),
    )
