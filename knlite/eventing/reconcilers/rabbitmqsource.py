"""RabbitmqSource: finds its sink and its server, and says that it reads.

ExchangeReady is what the engine has told last of its queue (``eventing/rabbitmq/standing.py``).

Differs: there is no Deployment that reads; the part of knlite that does so is always there.

Source: knative-extensions/eventing-rabbitmq ``pkg/reconciler/source``; Eventing reference §17.
"""

from datetime import datetime

import msgspec

from knlite.eventing.backing import Problem
from knlite.eventing.rabbitmq.resources import rabbitmq_source_backing_of
from knlite.eventing.rabbitmq.standing import server_known, server_unknown
from knlite.eventing.sinks import with_sink
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.sources.rabbitmqsource import (
    CONDITIONS,
    EVENT_TYPE,
    RabbitmqSource,
    event_source,
)
from knlite.kinds.sources.source import (
    DEPLOYED,
    SINK_PROVIDED,
    CloudEventAttributes,
    SourceStatus,
)
from knlite.reconcile import Key, Outcome, View, concluded


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The status of the RabbitmqSource at *key*."""
    source = view.get(RabbitmqSource, key.namespace, key.name)
    if source is None or source.metadata.deletion_timestamp is not None:
        return Outcome()
    conditions = CONDITIONS.edit(source.status.conditions, now)
    return concluded(source, _reconciled(source, conditions, view), conditions)


def _reconciled(source: RabbitmqSource, conditions: ConditionEditor, view: View) -> SourceStatus:
    namespace, name = source.metadata.namespace, source.metadata.name
    sink, resources = source.spec.sink, source.spec.rabbitmq_resources_config
    if sink is None:
        conditions.false(SINK_PROVIDED, "SinkMissing")
        return source.status
    status = with_sink(source.status, sink, namespace, conditions, view)
    if status is None:
        return source.status
    backing = rabbitmq_source_backing_of(source, view)
    if isinstance(backing, Problem):
        server_unknown(backing, conditions)
        return status
    if not server_known(conditions) or resources is None:
        return status
    conditions.true(DEPLOYED)
    sent = CloudEventAttributes(
        type=EVENT_TYPE, source=event_source(namespace, name, resources.queue_name)
    )
    return msgspec.structs.replace(status, ce_attributes=(sent,))
