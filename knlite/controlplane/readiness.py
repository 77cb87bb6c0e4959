"""What is not ready yet, in words; and a fact whenever an object's readiness changes."""

from collections.abc import Callable, Hashable
from datetime import datetime
from functools import partial

from knlite.controlplane.pods import is_of_revision
from knlite.eventing.sinks import sink_missing
from knlite.facts import Publish, ReadyChanged
from knlite.kinds.conditions import Condition, find
from knlite.kinds.core.pod import Pod, PodContainerStatus
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.eventtransform import EventTransform
from knlite.kinds.eventing.kafkasink import KafkaSink
from knlite.kinds.eventing.requestreply import RequestReply
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object, controller_of
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.domainmapping import DomainMapping
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import Route
from knlite.kinds.serving.service import Service
from knlite.kinds.sinks.jobsink import JobSink
from knlite.kinds.sources.apiserversource import ApiServerSource
from knlite.kinds.sources.container import ContainerSource
from knlite.kinds.sources.kafkasource import KafkaSource
from knlite.kinds.sources.pingsource import PingSource
from knlite.kinds.sources.rabbitmqsource import RabbitmqSource
from knlite.kinds.sources.sinkbinding import SinkBinding
from knlite.reconcile import Key, key_of
from knlite.registry.registry import Notification
from knlite.serving.podlife import COMING
from knlite.workloads.pods import has_ended, is_leaving, ready_since

ADDRESSED = (
    Service,
    DomainMapping,
    Broker,
    Trigger,
    Sequence,
    Parallel,
    Channel,
    InMemoryChannel,
    KafkaChannel,
    Subscription,
    EventTransform,
    RequestReply,
    SinkBinding,
    ContainerSource,
    PingSource,
    RabbitmqSource,
    ApiServerSource,
    KafkaSource,
    JobSink,
    KafkaSink,
)
"""Kinds whose readiness people ask for."""
_WITH_CONDITIONS = (*ADDRESSED, Configuration, Revision, Route)
_AWAITED = (*_WITH_CONDITIONS, Pod)


_IN_STEPS = (Sequence, Parallel, Channel, InMemoryChannel, KafkaChannel, Subscription)
"""Kinds that become ready by what is done to others."""
_CONCLUDED = frozenset(
    (
        "ChannelReferenceFailed",
        "SubscriptionNotMarkedReadyByChannel",
        "ChannelsNotReady",
        "SubscriptionsNotReady",
        # Of a RequestReply: its Trigger is asked itself, and a Broker that is missing stays so.
        "TriggersNotReady",
        "TriggerReconcileError",
        "NotFound",
    )
)
"""Reasons for Unknown that stay until something else changes, which is waited for by itself."""


def ready_condition(obj: Object) -> Condition | None:
    """The Ready condition of *obj*, if it is of a kind that has one and has one yet."""
    if not isinstance(obj, _WITH_CONDITIONS):
        return None
    return find(obj.status.conditions)


def why(obj: Object, condition: Condition) -> str:
    """The message of *condition* of *obj*; of a source without a sink, whose message is empty as
    on a cluster, which sink that is."""
    return condition.message or sink_missing(obj)


class Undecided:
    """The objects of which it is not known yet whether they are ready.

    Kept up to date by every change, as it is asked for often while thousands become ready.
    """

    def __init__(self) -> None:
        self._why: dict[Key, str] = {}

    def note(self, notification: Notification) -> None:
        """A listener of the registry, from its beginning."""
        obj = notification.obj
        if isinstance(obj, Pod):
            # What is not ready any more has been decided before.
            new = notification.change == "added" or key_of(obj) in self._why
            undecided, reason = new and _is_starting(obj), ""
        elif isinstance(obj, _WITH_CONDITIONS):
            condition = ready_condition(obj)
            undecided = condition is None or (
                condition.status == "Unknown" and condition.reason not in _CONCLUDED
            )
            reason = condition.reason if condition else ""
        else:
            return
        if notification.change != "deleted" and undecided:
            self._why[key_of(obj)] = reason
        else:
            self._why.pop(key_of(obj), None)

    def __len__(self) -> int:
        return len(self._why)

    def words(self) -> list[str]:
        """One line for each, by kind, namespace and name."""
        order = sorted(
            self._why,
            key=lambda key: (_AWAITED.index(key.kind), key.namespace, key.name),
        )
        return [f"{key}: {why}" if (why := self._why[key]) else str(key) for key in order]


class ReadinessFacts:
    """Publishes changes of the Ready condition of what people address.

    Channels and flows are not ready while their parts are made one after the other, which takes no
    time that anybody could see. Of them only what is left a moment later is told.
    """

    def __init__(
        self,
        wall: Callable[[], datetime],
        publish: Publish,
        later: Callable[[Hashable, Callable[[], None]], None],
    ) -> None:
        """*later* calls the newest function for each key in a moment."""
        self._wall = wall
        self._publish = publish
        self._later = later
        self._told: dict[Key, tuple[str, str, str]] = {}
        """What has been told of those that are told of later."""

    def note(self, notification: Notification) -> None:
        """A listener of the registry."""
        obj, old = notification.obj, notification.old
        if isinstance(obj, _IN_STEPS):
            gone = notification.change == "deleted"
            self._later(
                (ReadinessFacts, key_of(obj)), partial(self._forget if gone else self._settled, obj)
            )
        elif isinstance(obj, ADDRESSED) and notification.change != "deleted":
            new = ready_condition(obj)
            before = ready_condition(old) if old is not None else None
            if new is not None and _said(new) != (before and _said(before)):
                self._tell(obj, new)

    def _settled(self, obj: Object) -> None:
        new, key = ready_condition(obj), key_of(obj)
        if new is None or _said(new) == self._told.get(key):
            return
        self._told[key] = _said(new)
        self._tell(obj, new)

    def _forget(self, obj: Object) -> None:
        self._told.pop(key_of(obj), None)

    def _tell(self, obj: Object, ready: Condition) -> None:
        if ready.status != "False" and controller_of(obj) is not None:
            # What it belongs to will say so.
            return
        self._publish(
            ReadyChanged(
                at=self._wall(),
                kind=type(obj).__name__,
                namespace=obj.metadata.namespace,
                name=obj.metadata.name,
                status=ready.status,
                reason=ready.reason,
                message=why(obj, ready),
            )
        )


def _is_starting(pod: Pod) -> bool:
    """Whether a Pod that is no revision's has neither been ready, nor failed, nor ended yet."""
    return (
        not is_of_revision(pod)
        and not is_leaving(pod)
        and not has_ended(pod)
        and ready_since(pod) is None
        and all(map(_is_coming, pod.status.container_statuses))
    )


def _is_coming(container: PodContainerStatus) -> bool:
    state = container.state
    if state.waiting is not None and state.waiting.reason != COMING:
        return False
    return state.terminated is None and not container.restart_count


def _said(condition: Condition) -> tuple[str, str, str]:
    return (condition.status, condition.reason, condition.message)
