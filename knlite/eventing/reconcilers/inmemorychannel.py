"""InMemoryChannel: where it takes events in, and whom it delivers them to.

Differs: nothing has to be started for it. The dispatcher is a part of this process, so the
conditions about its deployment, its service and its endpoints are True from the start, and
``eventing.knative.dev/scope`` changes nothing.

Source: knative/eventing ``pkg/reconciler/inmemorychannel/{controller,dispatcher}``; Eventing
reference §5.
"""

from datetime import datetime

import msgspec

from knlite.eventing.channels import channel_host
from knlite.eventing.destinations import Resolved, resolve
from knlite.eventing.identities import audience_of
from knlite.eventing.policies import applied_policies
from knlite.eventing.views.channelservice import service_name
from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.messaging.channelable import ChannelableStatus, SubscriberStatus
from knlite.kinds.messaging.inmemorychannel import (
    ADDRESSABLE,
    CHANNEL_SERVICE_READY,
    CONDITIONS,
    DEAD_LETTER_SINK_RESOLVED,
    DISPATCHER_READY,
    ENDPOINTS_READY,
    SERVICE_READY,
    InMemoryChannel,
)
from knlite.kinds.names import label_1035_problems
from knlite.reconcile import Key, Outcome, UpdateStatus, View


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The status of the InMemoryChannel at *key*."""
    channel = view.get(InMemoryChannel, key.namespace, key.name)
    if channel is None or channel.metadata.deletion_timestamp is not None:
        return Outcome()
    conditions = CONDITIONS.edit(channel.status.conditions, now)
    status = _reconciled(channel, conditions, view)
    if conditions.is_true():
        status = msgspec.structs.replace(status, subscribers=_subscribers(channel))
    status = msgspec.structs.replace(
        status,
        observed_generation=channel.metadata.generation,
        conditions=conditions.result(),
    )
    if status == channel.status:
        return Outcome()
    return Outcome((UpdateStatus(msgspec.structs.replace(channel, status=status)),))


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
    status = _with_dead_letter_sink(channel, conditions, view)
    if not conditions.is_true(DEAD_LETTER_SINK_RESOLVED):
        return status
    url = f"http://{channel_host(channel.metadata.namespace, channel.metadata.name)}"
    conditions.true(ADDRESSABLE)
    return msgspec.structs.replace(
        status,
        address=Addressable(name="http", url=url, audience=audience_of(channel, view)),
        policies=applied_policies(channel, conditions, view),
    )


def _with_dead_letter_sink(
    channel: InMemoryChannel, conditions: ConditionEditor, view: View
) -> ChannelableStatus:
    cleared = msgspec.structs.replace(
        channel.status,
        dead_letter_sink_uri="",
        dead_letter_sink_ca_certs=None,
        dead_letter_sink_audience=None,
    )
    delivery = channel.spec.delivery
    if delivery is None or delivery.dead_letter_sink is None:
        conditions.true(
            DEAD_LETTER_SINK_RESOLVED,
            "DeadLetterSinkNotConfigured",
            "No dead letter sink is configured.",
        )
        return cleared
    sink = resolve(delivery.dead_letter_sink, channel.metadata.namespace, view)
    if not isinstance(sink, Resolved):
        reason = "Unable to get the DeadLetterSink's URI"
        conditions.false(DEAD_LETTER_SINK_RESOLVED, reason, sink.message)
        return cleared
    conditions.true(DEAD_LETTER_SINK_RESOLVED)
    return msgspec.structs.replace(
        cleared,
        dead_letter_sink_uri=sink.url,
        dead_letter_sink_ca_certs=sink.ca_certs,
        dead_letter_sink_audience=sink.audience,
    )


def _subscribers(channel: InMemoryChannel) -> tuple[SubscriberStatus, ...]:
    """What the dispatcher says of the subscribers: it delivers to all of them."""
    return tuple(
        SubscriberStatus(
            uid=each.uid, observed_generation=each.generation, ready="True", auth=each.auth
        )
        for each in channel.spec.subscribers
    )
