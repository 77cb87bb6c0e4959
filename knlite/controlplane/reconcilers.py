"""The reconcilers of channels and flows, for the one loop that runs them all."""

from typing import Final

from knlite.eventing.reconcilers import channel, inmemorychannel, parallel, sequence, subscription
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object
from knlite.reconcile import Reconciler

MESSAGING: Final[tuple[tuple[type[Object], Reconciler], ...]] = (
    (InMemoryChannel, inmemorychannel.reconcile),
    (Channel, channel.reconcile),
    (Subscription, subscription.reconcile),
    (Sequence, sequence.reconcile),
    (Parallel, parallel.reconcile),
)
