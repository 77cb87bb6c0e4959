"""A registry with Eventing's reconcilers at work on it, without a data plane and without time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any, TypeVar, assert_never

from knlite.eventing.reconcilers import (
    broker,
    channel,
    inmemorychannel,
    kafkachannel,
    kafkasink,
    kafkasource,
    parallel,
    sequence,
    subscription,
    trigger,
)
from knlite.kinds.catalog import read
from knlite.kinds.conditions import find
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.kafkasink import KafkaSink
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence as KnativeSequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.sources.kafkasource import KafkaSource
from knlite.kinds.users import EVENTING_CONTROLLER
from knlite.reconcile import (
    Change,
    Create,
    Delete,
    Key,
    Reconciler,
    Update,
    UpdateStatus,
    key_of,
)
from knlite.registry.registry import Registry

T = TypeVar("T", bound=Object)

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NAMESPACE = "shop"
MESSAGING = "messaging.knative.dev/v1"
FLOWS = "flows.knative.dev/v1"
RECONCILERS: tuple[tuple[type[Object], Reconciler], ...] = (
    (Broker, broker.reconcile),
    (Trigger, trigger.reconcile),
    (InMemoryChannel, inmemorychannel.reconcile),
    (KafkaChannel, kafkachannel.reconcile),
    (KafkaSink, kafkasink.reconcile),
    (KafkaSource, kafkasource.reconcile),
    (Channel, channel.reconcile),
    (Subscription, subscription.reconcile),
    (KnativeSequence, sequence.reconcile),
    (Parallel, parallel.reconcile),
)
ENOUGH = 30
"""Rounds until everything has settled; a long Sequence needs some."""


def document(kind: str, name: str, api_version: str = MESSAGING, **spec: object) -> dict[str, Any]:
    """As people write it."""
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def ref(kind: str, name: str, api_version: str = MESSAGING) -> dict[str, str]:
    """A reference to an object."""
    return {"apiVersion": api_version, "kind": kind, "name": name}


class Plane:
    """Objects that are reconciled after every change, in the order of *reconcilers*."""

    def __init__(
        self,
        reconcilers: Sequence[tuple[type[Object], Reconciler]] = RECONCILERS,
        **overrides: Mapping[str, str],
    ) -> None:
        uids = count(1)
        self._reconcilers = reconcilers
        self.registry = Registry(
            wall=lambda: NOW,
            new_uid=lambda: f"uid-{next(uids)}",
            overrides={name.replace("_", "-"): values for name, values in overrides.items()},
            external_port=8080,
        )
        for name in (NAMESPACE, "other", "knative-eventing"):
            self.registry.create(Namespace(metadata=ObjectMeta(name=name)), user="test")

    def apply(self, *trees: Mapping[str, object]) -> None:
        """Store what *trees* say, one after another, and reconcile after each."""
        for tree in trees:
            found = read(tree)
            assert found.value is not None, found.problems
            self.registry.apply(found.value, user="test")
            self.settle()

    def delete(self, kind: type[Object], name: str) -> None:
        """Delete, and reconcile what is left."""
        self.registry.delete(Key(kind, NAMESPACE, name))
        self.settle()

    def settle(self) -> None:
        """Reconcile everything until nothing changes any more."""
        for _ in range(ENOUGH):
            before = self.registry.version
            self._round()
            if self.registry.version == before:
                return
        raise AssertionError("it does not settle")

    def get(self, kind: type[T], name: str) -> T:
        """The object of that name, which is there."""
        found = self.registry.view.get(kind, NAMESPACE, name)
        assert found is not None, f"there is no {kind.__name__} {name}"
        return found

    def condition(self, kind: type[Object], name: str, wanted: str = "Ready") -> tuple[str, ...]:
        """Status, reason and message of one condition."""
        found: Any = self.get(kind, name)
        condition = find(found.status.conditions, wanted)
        assert condition is not None, f"{name} has no condition {wanted}"
        return condition.status, condition.reason, condition.message

    def names(self, kind: type[Object]) -> list[str]:
        """Of all objects of *kind*."""
        return [each.metadata.name for each in self.registry.view.listed(kind, NAMESPACE)]

    def _round(self) -> None:
        for kind, reconcile in self._reconcilers:
            for obj in self.registry.view.listed(kind, ""):
                for change in reconcile(key_of(obj), self.registry.view, NOW).changes:
                    self._carry_out(change)

    def _carry_out(self, change: Change) -> None:
        match change:
            case Create(obj):
                self.registry.create(obj, user=EVENTING_CONTROLLER)
            case Update(obj):
                self.registry.update(obj, user=EVENTING_CONTROLLER)
            case UpdateStatus(obj):
                self.registry.update_status(obj)
            case Delete(key):
                self.registry.delete(key)
            case _:
                assert_never(change)
