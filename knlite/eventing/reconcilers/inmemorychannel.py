"""InMemoryChannel: where it takes events in, and whom it delivers them to.

Differs: nothing has to be started for it. The dispatcher is a part of this process, so the
conditions about its deployment, its service and its endpoints are True from the start, and
``eventing.knative.dev/scope`` changes nothing.

Source: knative/eventing ``pkg/reconciler/inmemorychannel/{controller,dispatcher}``; Eventing
reference §5.
"""

from datetime import datetime

import msgspec

from knlite.eventing.addressing import addressed
from knlite.eventing.channels import channel_host
from knlite.eventing.deadletters import own_dead_letter_sink, with_dead_letter_sink
from knlite.eventing.views.channelservice import service_name
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED
from knlite.kinds.messaging.channelable import ChannelableStatus, SubscriberStatus
from knlite.kinds.messaging.inmemorychannel import (
    CHANNEL_SERVICE_READY,
    CONDITIONS,
    DISPATCHER_READY,
    ENDPOINTS_READY,
    SERVICE_READY,
    InMemoryChannel,
)
from knlite.kinds.names import label_1035_problems
from knlite.reconcile import Key, Outcome, View, concluded


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The status of the InMemoryChannel at *key*."""
    channel = view.get(InMemoryChannel, key.namespace, key.name)
    if channel is None or channel.metadata.deletion_timestamp is not None:
        return Outcome()
    conditions = CONDITIONS.edit(channel.status.conditions, now)
    status = _reconciled(channel, conditions, view)
    if conditions.is_true():
        status = msgspec.structs.replace(status, subscribers=_subscribers(channel))
    return concluded(channel, status, conditions)


def _reconciled(
    channel: InMemoryChannel, conditions: ConditionEditor, view: View
) -> ChannelableStatus:
    """Step by step; the first failure leaves the later conditions as they were."""
    for condition in (DISPATCHER_READY, SERVICE_READY, ENDPOINTS_READY):
        conditions.true(condition)
    service = service_name(channel)
    problems = label_1035_problems(service)
    if problems:
        # A cluster refuses the Service, and its DNS could not have the name.
        text = f'Service "{service}" is invalid: metadata.name: Invalid value: "{service}"'
        message = f"Channel Service failed: {text}: {', '.join(problems)}"
        conditions.false(CHANNEL_SERVICE_READY, "ChannelServiceFailed", message)
        return channel.status
    conditions.true(CHANNEL_SERVICE_READY)
    namespace, unable = channel.metadata.namespace, "Unable to get the DeadLetterSink's URI"
    sink = own_dead_letter_sink(channel.spec.delivery, namespace, unable, conditions, view)
    status = with_dead_letter_sink(channel.status, sink)
    if not conditions.is_true(DEAD_LETTER_SINK_RESOLVED):
        return status
    url = f"http://{channel_host(namespace, channel.metadata.name)}"
    return addressed(channel, status, url, conditions, view)


def _subscribers(channel: InMemoryChannel) -> tuple[SubscriberStatus, ...]:
    """What the dispatcher says of the subscribers: it delivers to all of them."""
    return tuple(
        SubscriberStatus(
            uid=each.uid, observed_generation=each.generation, ready="True", auth=each.auth
        )
        for each in channel.spec.subscribers
    )
