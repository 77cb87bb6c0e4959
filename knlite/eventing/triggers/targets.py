"""Where a Trigger sends to: its subscriber, and its dead letter sink.

Source: Eventing reference §1.4, §4.
"""

import msgspec

from knlite.eventing.deadletters import own_dead_letter_sink
from knlite.eventing.destinations import Resolved, resolve
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.eventing.trigger import SUBSCRIBER_RESOLVED, Trigger, TriggerStatus
from knlite.reconcile import View


def with_subscriber(
    trigger: Trigger,
    status: TriggerStatus,
    unable: str,
    conditions: ConditionEditor,
    view: View,
) -> TriggerStatus:
    """*status* with where the subscriber is; *unable* is the reason where it does not resolve."""
    subscriber = resolve(trigger.spec.subscriber, trigger.metadata.namespace, view)
    if not isinstance(subscriber, Resolved):
        conditions.false(SUBSCRIBER_RESOLVED, unable, subscriber.message)
        return msgspec.structs.replace(
            status, subscriber_uri="", subscriber_ca_certs=None, subscriber_audience=None
        )
    conditions.true(SUBSCRIBER_RESOLVED)
    return msgspec.structs.replace(
        status,
        subscriber_uri=subscriber.url,
        subscriber_ca_certs=subscriber.ca_certs,
        subscriber_audience=subscriber.audience,
    )


def own_sink(
    trigger: Trigger, unable: str, conditions: ConditionEditor, view: View
) -> Resolved | None:
    """Its own dead letter sink; None if it has none, or *unable*."""
    namespace = trigger.metadata.namespace
    return own_dead_letter_sink(trigger.spec.delivery, namespace, unable, conditions, view)
