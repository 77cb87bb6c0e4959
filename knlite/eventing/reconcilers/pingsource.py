"""PingSource: finds its sink, and says that it sends.

Differs: there is no Deployment that sends; the part of knlite that does so is always there.

Source: knative/eventing ``pkg/reconciler/pingsource/pingsource.go``; Eventing reference §9.
"""

from datetime import datetime

import msgspec

from knlite.eventing.finalizers import held, released
from knlite.eventing.identities import identified
from knlite.eventing.sinks import mapped, with_sink
from knlite.kinds import schedule
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.sources.pingsource import (
    CONDITIONS,
    EVENT_TYPE,
    FINALIZER,
    PingSource,
    event_source,
)
from knlite.kinds.sources.source import (
    DEPLOYED,
    OIDC_IDENTITY_CREATED,
    CloudEventAttributes,
    SourceStatus,
)
from knlite.reconcile import Change, Key, Outcome, Update, View, concluded


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The finalizer and the status of the PingSource at *key*."""
    source = view.get(PingSource, key.namespace, key.name)
    if source is None:
        return Outcome()
    if source.metadata.deletion_timestamp is not None:
        free = released(source, FINALIZER)
        return Outcome() if free is source else Outcome((Update(free),))
    changes: list[Change] = []
    if (holding := held(source, FINALIZER)) is not source:
        changes.append(Update(holding))
    conditions = CONDITIONS.edit(source.status.conditions, now)
    status = _reconciled(source, conditions, view, changes)
    return concluded(source, status, conditions, changes)


def _reconciled(
    source: PingSource, conditions: ConditionEditor, view: View, changes: list[Change]
) -> SourceStatus:
    namespace, name = source.metadata.namespace, source.metadata.name
    sink = source.spec.sink
    known = mapped(sink, namespace, view)
    status = with_sink(source.status, sink, namespace, conditions, view, known)
    if status is None:
        return source.status
    auth, accounts = identified(source, OIDC_IDENTITY_CREATED, conditions, view)
    changes += accounts
    status = msgspec.structs.replace(status, auth=auth)
    if not conditions.is_true(OIDC_IDENTITY_CREATED):
        return status
    _deploy(source, conditions)
    sent = CloudEventAttributes(type=EVENT_TYPE, source=event_source(namespace, name))
    return msgspec.structs.replace(status, ce_attributes=(sent,))


def _deploy(source: PingSource, conditions: ConditionEditor) -> None:
    try:
        schedule.parse(source.spec.schedule, source.spec.timezone)
    except schedule.InvalidSchedule as exc:
        # An earlier run has kept it, on a machine that knew this time zone.
        conditions.false(DEPLOYED, "ScheduleInvalid", str(exc))
    else:
        conditions.true(DEPLOYED)
