"""Resources that take events, and the egresses that deliver them, as the data plane sees them.

The words are those of Knative's contract between control plane and data plane: a resource (a
Broker, a channel) takes events, its egresses (Triggers, Subscriptions) deliver them. A KafkaSink is
a resource without egresses; a KafkaSource is one that takes nothing in here, as others write to its
topics, with one egress, its sink.

Source: knative-extensions/eventing-kafka-broker ``proto/contract.proto``.
Not here: how objects become them (``resources.py``, ``egresses.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from knlite.eventing.authorization import Guard
from knlite.eventing.backing import Backing, Problem
from knlite.eventing.delivery import DeliveryPolicy
from knlite.eventing.filters.build import EVERYTHING
from knlite.eventing.filters.filter import Filter
from knlite.kinds.eventing import flow

ResourceKind = Literal[
    "Broker", "InMemoryChannel", "KafkaChannel", "KafkaSink", "KafkaSource", "RabbitmqSource"
]
EgressKind = Literal["Trigger", "Subscription", "KafkaSource", "RabbitmqSource"]
EngineName = Literal["memory", "sqlite", "kafka", "rabbitmq"]

ON_SERVERS: frozenset[EngineName] = frozenset({"kafka", "rabbitmq"})
"""Engines whose resources have a backing."""


class ResourceKey(NamedTuple):
    """Which resource."""

    kind: ResourceKind
    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """One reader of a resource's events, and where it brings them."""

    kind: EgressKind
    namespace: str
    name: str
    uid: str
    filter: Filter = EVERYTHING
    filter_spec: str = "{}"
    """``spec.filter`` and ``spec.filters`` as JSON, to be read by ``filter_from``."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """``spec.filter.attributes``, if there are no ``filters``: all that a server can look at."""
    reader: str = ""
    """Its name on the server: a consumer group, a queue."""
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Extensions that a source sets on what it sends (``spec.ceOverrides``)."""
    subscriber: str | None = None
    """None: not known yet, or its dead letter sink is not; its events are kept."""
    paused: bool = False
    """It has no subscriber because nobody is to be sent anything for now (``consumers: 0``)."""
    has_subscriber: bool = True
    """False: a Subscription that only replies."""
    reply: str | None = None
    """Where an event goes that the subscriber answers; None: nowhere."""
    policy: DeliveryPolicy = DeliveryPolicy()
    dead_letter_sink: str | None = None
    own_dead_letters: bool = False
    """It names a dead letter sink itself, and does not use that of its resource."""
    ordered: bool = False
    """One at a time: the next only after success, dead letter or giving up."""
    parallelism: int = flow.DEFAULT_PARALLELISM
    """How many may be on their way at once, waits for the next attempt included."""
    prefetch: int = 0
    """How many a server hands out before the first of them is done; 0: as its engine likes."""
    subscriber_ca_certs: str = ""
    """PEM; empty: those that the machine trusts. So are the next two."""
    reply_ca_certs: str = ""
    dead_letter_ca_certs: str = ""
    account: str = ""
    """The ServiceAccount in whose name it sends; empty: it sends without tokens."""
    subscriber_audience: str = ""
    """To whom a token for the subscriber is addressed; empty: it gets none. So are the next two."""
    reply_audience: str = ""
    dead_letter_audience: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One inbox of events."""

    kind: ResourceKind
    namespace: str
    name: str
    uid: str
    engine: EngineName = "memory"
    """What keeps its events."""
    backing: Backing | None = None
    """What is to be known of the server; None: it is not on one, or there is a *problem*."""
    problem: str = ""
    """Why it cannot be worked out where its events are kept."""
    hosts: tuple[str, ...] = ()
    """Names by which it alone is asked, from inside the cluster."""
    egresses: tuple[Egress, ...] = ()
    guard: Guard | None = None
    """What it asks of its senders; None: nothing."""

    @property
    def key(self) -> ResourceKey:
        return ResourceKey(self.kind, self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Topology:
    """All resources."""

    resources: Mapping[ResourceKey, Resource] = field(default_factory=dict)


def placed(resource: Resource, backing: Backing | Problem) -> Resource:
    """*resource* with its *backing*, or with the reason why that is not known."""
    if isinstance(backing, Problem):
        return replace(resource, problem=backing.message)
    return replace(resource, backing=backing)


def kept_from(before: Topology, now: Topology) -> Topology:
    """*now*, where a resource whose backing cannot be worked out any more keeps the one it had.

    Who deletes a Secret by mistake stops what has to log in anew, not what is at work.
    """
    resources = dict(now.resources)
    for key, resource in now.resources.items():
        if resource.engine in ON_SERVERS and resource.backing is None:
            known = before.resources.get(key)
            if known is not None and known.uid == resource.uid and known.backing is not None:
                resources[key] = replace(resource, backing=known.backing)
    return Topology(resources)
