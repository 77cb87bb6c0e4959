"""Those who answer events at hosts of their own, and those who send the events of sources."""

from typing import NamedTuple

from knlite.controlplane.eventanswerers import EventAnswerers
from knlite.controlplane.eventtypes import EventTypeRecorder
from knlite.controlplane.jobsinks import JobSinks
from knlite.controlplane.sources import Sources
from knlite.controlplane.tokensecrets import TokenSecrets
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.gateway import Gateway
from knlite.dataplane.jobsink import JobSinkIngress
from knlite.dataplane.requestreply import RequestReplyIngress
from knlite.dataplane.sender import EventSender
from knlite.dataplane.sources.outbound import Outbound
from knlite.dataplane.sources.ping import PingAdapter
from knlite.dataplane.transforms import EventTransforms
from knlite.eventing.requestreplies import HOST as REQUEST_REPLIES
from knlite.eventing.transforms import ENDING as TRANSFORMS
from knlite.kinds.sinks.jobsink import HOST as JOB_SINKS
from knlite.wiring.basics import Basics


class Answerers(NamedTuple):
    """Those that run."""

    transforms: EventTransforms
    tables: EventAnswerers
    """Tells the others what there is."""
    secrets: TokenSecrets
    """For those who send by a SinkBinding."""


class SourceParts(NamedTuple):
    """Those that run, and who takes note of the types that come by."""

    pings: PingAdapter
    watching: Sources
    types: EventTypeRecorder


def serve_answerers(
    basics: Basics, gateway: Gateway, brokers: EventIngress, sender: EventSender
) -> Answerers:
    """Have JobSinks, EventTransforms and RequestReplies answer at *gateway*."""
    registry, clock, publish = basics.registry, basics.clock, basics.publish
    draw, issuer = basics.draw, basics.issuer
    jobs = JobSinkIngress(JobSinks(registry), clock, publish, issuer)
    transforms = EventTransforms(sender, clock, publish, issuer, draw)
    requests = RequestReplyIngress(brokers, clock, draw, publish, issuer)
    hosts = gateway.event_hosts
    hosts.serve(JOB_SINKS, jobs.handle)
    hosts.serve_all(TRANSFORMS, transforms.at)
    hosts.serve(REQUEST_REPLIES, requests.receive, waits=True)
    return Answerers(
        transforms,
        EventAnswerers(registry, clock, transforms, requests),
        TokenSecrets(registry, issuer, clock, publish),
    )


def make_sources(basics: Basics, sender: EventSender) -> SourceParts:
    """Who sends the events of sources, and who watches objects for them."""
    registry, clock, publish = basics.registry, basics.clock, basics.publish
    outbound = Outbound(
        sender, clock, publish, basics.draw.getrandbits, basics.issuer, basics.tracing
    )
    pings = PingAdapter(outbound, clock)
    watching = Sources(registry, clock, publish)
    watching.report_to(pings, outbound)
    return SourceParts(pings, watching, EventTypeRecorder(registry, basics.reporter))
