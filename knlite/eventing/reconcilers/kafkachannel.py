"""KafkaChannel: where it takes events in, and whom it delivers them to.

Whether the topic is there is said by the engine that makes it, and how the consumer groups of its
subscribers stand, in the status (``eventing/standings.py``).

Source: knative-extensions/eventing-kafka-broker ``control-plane/pkg/reconciler/channel``; Eventing
reference §17.
"""

from datetime import datetime
from typing import Final

import msgspec

from knlite.eventing.addressing import addressed
from knlite.eventing.backing import Problem
from knlite.eventing.channels import channel_host
from knlite.eventing.deadletters import own_dead_letter_sink, with_dead_letter_sink
from knlite.eventing.kafka.backings import kafka_channel_backing_of
from knlite.eventing.views.channelservice import service_name
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED
from knlite.kinds.eventing.kafkaconditions import (
    CONFIG_MAP_UPDATED,
    CONFIG_PARSED,
    DATA_PLANE_AVAILABLE,
    DEFAULT_TOPIC,
    PROBE_SUCCEEDED,
)
from knlite.kinds.messaging.channelable import ChannelableStatus, SubscriberStatus
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import (
    CHANNEL_SERVICE_READY,
    CONDITIONS,
    SUBSCRIBERS,
    KafkaChannel,
)
from knlite.kinds.names import label_1035_problems
from knlite.reconcile import Key, Outcome, View, concluded

_CONTRACT: Final = "knative-eventing/kafka-channel-channels-subscriptions"
"""Where upstream tells its data plane of channels."""


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The status of the KafkaChannel at *key*."""
    channel = view.get(KafkaChannel, key.namespace, key.name)
    if channel is None or channel.metadata.deletion_timestamp is not None:
        return Outcome()
    conditions = CONDITIONS.edit(channel.status.conditions, now)
    status = _reconciled(channel, conditions, view)
    if all(conditions.is_true(each) for each in CONDITIONS.dependents if each != SUBSCRIBERS):
        subscribers = _subscribers(channel)
        _mark_subscribers(subscribers, conditions)
        status = msgspec.structs.replace(status, subscribers=subscribers)
    return concluded(channel, status, conditions)


def _reconciled(
    channel: KafkaChannel, conditions: ConditionEditor, view: View
) -> ChannelableStatus:
    """Step by step; the first failure leaves the later conditions as they were."""
    conditions.true(DATA_PLANE_AVAILABLE)
    backing = kafka_channel_backing_of(channel, view)
    if isinstance(backing, Problem):
        conditions.false(CONFIG_PARSED, backing.reason, backing.message)
        return channel.status
    conditions.true(CONFIG_PARSED)
    conditions.true(CONFIG_MAP_UPDATED, f"Config map {_CONTRACT} updated")
    status = msgspec.structs.replace(
        channel.status,
        annotations={**channel.status.annotations, DEFAULT_TOPIC: backing.topics[0]},
    )
    problem = _service_problem(channel, view)
    if problem:
        message = f"Channel Service failed: {problem}"
        conditions.false(CHANNEL_SERVICE_READY, "ChannelServiceFailed", message)
        return status
    conditions.true(CHANNEL_SERVICE_READY)
    namespace, unable = channel.metadata.namespace, "Unable to get the DeadLetterSink's URI"
    sink = own_dead_letter_sink(channel.spec.delivery, namespace, unable, conditions, view)
    status = with_dead_letter_sink(status, sink)
    if not conditions.is_true(DEAD_LETTER_SINK_RESOLVED):
        return status
    conditions.true(PROBE_SUCCEEDED)
    url = f"http://{channel_host(namespace, channel.metadata.name)}"
    return addressed(channel, status, url, conditions, view, listed=True)


def _service_problem(channel: KafkaChannel, view: View) -> str:
    """Why it cannot have the name in the cluster's DNS by which it is called."""
    namespace, name = channel.metadata.namespace, channel.metadata.name
    service = service_name(channel)
    if problems := label_1035_problems(service):
        text = f'Service "{service}" is invalid: metadata.name: Invalid value: "{service}"'
        return f"{text}: {', '.join(problems)}"
    if view.get(InMemoryChannel, namespace, name) is not None:
        return f'kafkachannel: {namespace}/{name} does not own Service: "{service}"'
    return ""


def _subscribers(channel: KafkaChannel) -> tuple[SubscriberStatus, ...]:
    """What is said of the subscribers: events are delivered to all whose group is well."""
    told = {each.uid: each for each in channel.status.subscribers}
    new = SubscriberStatus(ready="True")
    return tuple(
        SubscriberStatus(
            uid=each.uid,
            observed_generation=each.generation,
            ready=told.get(each.uid, new).ready,
            message=told.get(each.uid, new).message,
            auth=each.auth,
        )
        for each in channel.spec.subscribers
    )


def _mark_subscribers(
    subscribers: tuple[SubscriberStatus, ...], conditions: ConditionEditor
) -> None:
    """Differs: that a group is refused makes it False, in the server's words, and not Unknown."""
    refused = [each.message for each in subscribers if each.ready == "False"]
    coming = [each.message for each in subscribers if each.ready == "Unknown"]
    if refused:
        conditions.false(SUBSCRIBERS, "failed to reconcile all subscribers", refused[0])
    elif coming:
        conditions.unknown(SUBSCRIBERS, "all subscribers not ready", coming[0])
    else:
        conditions.true(SUBSCRIBERS)
