"""The reconcilers of groups of kinds, for the one loop that runs them all."""

from typing import Final

from knlite.eventing.reconcilers import (
    apiserversource,
    channel,
    eventtype,
    inmemorychannel,
    parallel,
    pingsource,
    sequence,
    sinkbinding,
    sourceeventtypes,
    subscription,
)
from knlite.kinds.eventing.eventtype import EventType
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object
from knlite.kinds.sources.apiserversource import ApiServerSource
from knlite.kinds.sources.pingsource import PingSource
from knlite.kinds.sources.sinkbinding import SinkBinding
from knlite.reconcile import Reconciler

MESSAGING: Final[tuple[tuple[type[Object], Reconciler], ...]] = (
    (InMemoryChannel, inmemorychannel.reconcile),
    (Channel, channel.reconcile),
    (Subscription, subscription.reconcile),
    (Sequence, sequence.reconcile),
    (Parallel, parallel.reconcile),
)

SOURCES: Final[tuple[tuple[type[Object], Reconciler], ...]] = (
    (SinkBinding, sinkbinding.reconcile),
    (PingSource, pingsource.reconcile),
    (ApiServerSource, apiserversource.reconcile),
    (EventType, eventtype.reconcile),
    *((kind, sourceeventtypes.reconcile) for kind in sourceeventtypes.SOURCES),
)
