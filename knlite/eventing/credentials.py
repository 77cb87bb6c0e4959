"""Tokens for egresses whose status does not speak of them yet.

When identities are switched on, guards are there at once, and statuses follow one after another. An
event that is sent in between would be refused for good (401 is not tried again), so what the
statuses are going to say is worked out here.

Source: Eventing reference §1.7. Differs: upstream refuses such events.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from knlite.eventing.identities import account_named, audience_of
from knlite.eventing.topology import Egress, Topology
from knlite.kinds.core.serviceaccount import ServiceAccount
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.eventtransform import EventTransform
from knlite.kinds.eventing.kafkasink import KafkaSink
from knlite.kinds.eventing.requestreply import RequestReply
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object, controller_of
from knlite.kinds.sinks.jobsink import JobSink
from knlite.kinds.sources.kafkasource import KafkaSource
from knlite.reconcile import View

_Channel = InMemoryChannel | KafkaChannel
_Guarded = Broker | _Channel | KafkaSink | JobSink | EventTransform | RequestReply
_SENDERS: Mapping[str, type[Object]] = {
    "Trigger": Trigger,
    "Subscription": Subscription,
    "KafkaSource": KafkaSource,
}
"""By the kind of an egress; the others have no identity."""


def credited(topology: Topology, view: View) -> Topology:
    """*topology* with tokens for all targets here; as it is while identities are off."""
    if not view.config.eventing.features.authentication:
        return topology
    known = dict(_audiences(view))
    return Topology(
        {
            key: replace(
                each, egresses=tuple(_credited(egress, known, view) for egress in each.egresses)
            )
            for key, each in topology.resources.items()
        }
    )


def _audiences(view: View) -> Iterator[tuple[str, str]]:
    """URL and audience of everything that asks for tokens."""
    objects: tuple[_Guarded, ...] = (
        *view.listed(Broker, ""),
        *view.listed(InMemoryChannel, ""),
        *view.listed(KafkaChannel, ""),
        *view.listed(KafkaSink, ""),
        *view.listed(JobSink, ""),
        *view.listed(EventTransform, ""),
        *view.listed(RequestReply, ""),
    )
    for obj in objects:
        if obj.status.address is not None:
            yield obj.status.address.url, audience_of(obj, view) or ""


def _credited(egress: Egress, known: Mapping[str, str], view: View) -> Egress:
    kind = _SENDERS.get(egress.kind)
    if kind is None:
        return egress
    account = egress.account or account_named(kind, egress.name)
    if not egress.account:
        found = view.get(ServiceAccount, egress.namespace, account)
        owner = None if found is None else controller_of(found)
        if found is not None and (owner is None or owner.uid != egress.uid):
            # Somebody else's: its own status is about to say that it gets none.
            return egress
    return replace(
        egress,
        account=account,
        subscriber_audience=egress.subscriber_audience or known.get(egress.subscriber or "", ""),
        reply_audience=egress.reply_audience or _of_reply(egress, known),
        dead_letter_audience=egress.dead_letter_audience
        or known.get(egress.dead_letter_sink or "", ""),
    )


def _of_reply(egress: Egress, known: Mapping[str, str]) -> str:
    # What Triggers reply goes into their Broker without HTTP.
    return "" if egress.kind == "Trigger" else known.get(egress.reply or "", "")
