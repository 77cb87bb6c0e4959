"""What is not ready yet, in words; and a fact whenever an object's readiness changes."""

from collections.abc import Callable
from datetime import datetime

from knlite.facts import Publish, ReadyChanged
from knlite.kinds.conditions import Condition, find
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object, controller_of
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.domainmapping import DomainMapping
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import Route
from knlite.kinds.serving.service import Service
from knlite.kinds.sources.container import ContainerSource
from knlite.kinds.sources.sinkbinding import SinkBinding
from knlite.reconcile import Key, key_of
from knlite.registry.registry import Notification

ADDRESSED = (
    Service,
    DomainMapping,
    Broker,
    Trigger,
    Sequence,
    Parallel,
    Channel,
    InMemoryChannel,
    Subscription,
    SinkBinding,
    ContainerSource,
)
"""Kinds whose readiness people ask for."""
_WITH_CONDITIONS = (
    Service,
    Configuration,
    Revision,
    Route,
    DomainMapping,
    Broker,
    Trigger,
    Channel,
    InMemoryChannel,
    Subscription,
    Sequence,
    Parallel,
    SinkBinding,
    ContainerSource,
)


_CONCLUDED = frozenset(
    (
        "ChannelReferenceFailed",
        "SubscriptionNotMarkedReadyByChannel",
        "ChannelsNotReady",
        "SubscriptionsNotReady",
    )
)
"""Reasons for Unknown that stay until something else changes, which is waited for by itself."""


def ready_condition(obj: Object) -> Condition | None:
    """The Ready condition of *obj*, if it is of a kind that has one and has one yet."""
    if not isinstance(obj, _WITH_CONDITIONS):
        return None
    return find(obj.status.conditions)


class Undecided:
    """The objects of which it is not known yet whether they are ready.

    Kept up to date by every change, as it is asked for often while thousands become ready.
    """

    def __init__(self) -> None:
        self._why: dict[Key, str] = {}

    def note(self, notification: Notification) -> None:
        """A listener of the registry, from its beginning."""
        obj = notification.obj
        if not isinstance(obj, _WITH_CONDITIONS):
            return
        condition = ready_condition(obj)
        undecided = condition is None or (
            condition.status == "Unknown" and condition.reason not in _CONCLUDED
        )
        if notification.change != "deleted" and undecided:
            self._why[key_of(obj)] = condition.reason if condition else ""
        else:
            self._why.pop(key_of(obj), None)

    def __len__(self) -> int:
        return len(self._why)

    def words(self) -> list[str]:
        """One line for each, by kind, namespace and name."""
        order = sorted(
            self._why,
            key=lambda key: (_WITH_CONDITIONS.index(key.kind), key.namespace, key.name),
        )
        return [f"{key}: {why}" if (why := self._why[key]) else str(key) for key in order]


def readiness_facts(
    wall: Callable[[], datetime], publish: Publish
) -> Callable[[Notification], None]:
    """A listener that publishes changes of the Ready condition of what people address."""

    def note(notification: Notification) -> None:
        obj, old = notification.obj, notification.old
        if not isinstance(obj, ADDRESSED) or notification.change == "deleted":
            return
        new = ready_condition(obj)
        before = ready_condition(old) if old is not None else None
        if new is None or _said(new) == _said(before):
            return
        if new.status != "False" and controller_of(obj) is not None:
            # What it belongs to will say so.
            return
        publish(
            ReadyChanged(
                at=wall(),
                kind=type(obj).__name__,
                namespace=obj.metadata.namespace,
                name=obj.metadata.name,
                status=new.status,
                reason=new.reason,
                message=new.message,
            )
        )

    return note


def _said(condition: Condition | None) -> tuple[str, str, str] | None:
    if condition is None:
        return None
    return (condition.status, condition.reason, condition.message)
