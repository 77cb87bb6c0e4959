"""The dead letter sink in a status, and the condition that says what became of it.

Source: knative/eventing ``pkg/apis/{eventing,messaging}/v1/*_lifecycle.go``; Eventing reference
§1.4, §3, §4, §5.
"""

from typing import TypeVar

import msgspec

from knlite.eventing.destinations import Resolved, resolve
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED, DeliverySpec, DeliveryStatus
from knlite.reconcile import View

D = TypeVar("D", bound=DeliveryStatus)


def with_dead_letter_sink(status: D, sink: Resolved | None) -> D:
    """*status* with *sink*, or without one."""
    return msgspec.structs.replace(
        status,
        dead_letter_sink_uri="" if sink is None else sink.url,
        dead_letter_sink_ca_certs=None if sink is None else sink.ca_certs,
        dead_letter_sink_audience=None if sink is None else sink.audience,
    )


def own_dead_letter_sink(
    delivery: DeliverySpec | None,
    namespace: str,
    unable: str,
    conditions: ConditionEditor,
    view: View,
) -> Resolved | None:
    """The sink of *delivery*; *unable* is the reason where it does not resolve."""
    if delivery is None or delivery.dead_letter_sink is None:
        _none_configured(conditions)
        return None
    sink = resolve(delivery.dead_letter_sink, namespace, view)
    if isinstance(sink, Resolved):
        conditions.true(DEAD_LETTER_SINK_RESOLVED)
        return sink
    conditions.false(DEAD_LETTER_SINK_RESOLVED, unable, sink.message)
    return None


def others_dead_letter_sink(
    delivery: DeliverySpec | None, status: DeliveryStatus, unable: str, conditions: ConditionEditor
) -> Resolved | None:
    """What another object with *delivery* has found, by its *status*; *unable*: it has not."""
    if delivery is None or delivery.dead_letter_sink is None:
        _none_configured(conditions)
        return None
    if not status.dead_letter_sink_uri:
        conditions.false(DEAD_LETTER_SINK_RESOLVED, unable)
        return None
    conditions.true(DEAD_LETTER_SINK_RESOLVED)
    return Resolved(
        status.dead_letter_sink_uri,
        status.dead_letter_sink_ca_certs,
        status.dead_letter_sink_audience,
    )


def _none_configured(conditions: ConditionEditor) -> None:
    conditions.true(
        DEAD_LETTER_SINK_RESOLVED,
        "DeadLetterSinkNotConfigured",
        "No dead letter sink is configured.",
    )
