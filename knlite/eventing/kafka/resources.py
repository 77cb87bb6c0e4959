"""Objects as resources that are kept in Kafka, and who reads from them.

Source: Eventing data plane reference §9.2, §7 (order); Eventing reference §17;
knative-extensions/eventing-kafka-broker ``control-plane/pkg/reconciler/{trigger,channel,source}``.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from knlite.eventing.authorization import guard_of
from knlite.eventing.backing import stable_uid
from knlite.eventing.channels import channel_host
from knlite.eventing.delivery import DeliveryPolicy
from knlite.eventing.egresses import of_channel, of_trigger_on_server, subscriptions
from knlite.eventing.identities import account_in
from knlite.eventing.kafka.backings import (
    kafka_channel_backing_of,
    kafka_sink_backing_of,
    kafka_source_backing_of,
)
from knlite.eventing.kafka.delivery import SOURCE_DELIVERY, kafka_policy_of, merged
from knlite.eventing.kafka.groups import kafka_reader_of
from knlite.eventing.sources import extensions_of
from knlite.eventing.topology import Egress, Resource, placed
from knlite.kinds.conditions import is_false, is_true
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED, DeliverySpec
from knlite.kinds.eventing.kafkasink import KafkaSink
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.sources.kafkasource import ORDERED, KafkaSource
from knlite.kinds.sources.source import SINK_PROVIDED
from knlite.reconcile import View


def of_kafka_trigger(trigger: Trigger, broker: Broker, view: View) -> Egress:
    """*trigger* of *broker*: a consumer group."""
    return of_trigger_on_server(trigger, broker, kafka_reader_of(trigger, view), kafka_policy_of)


def kafka_resources(view: View) -> Iterable[Resource]:
    """KafkaSources, KafkaSinks and KafkaChannels."""
    yield from (_of_source(each, view) for each in view.listed(KafkaSource, ""))
    yield from (_of_sink(each, view) for each in view.listed(KafkaSink, ""))
    yield from _channels(view)


def _of_source(source: KafkaSource, view: View) -> Resource:
    meta, spec, status = source.metadata, source.spec, source.status
    # Records stay where they are until everything is there that they could need, and while nobody
    # is to read.
    resolved = is_true(status.conditions, SINK_PROVIDED) and not is_false(
        status.conditions, DEAD_LETTER_SINK_RESOLVED
    )
    account, paused = account_in(status.auth), spec.consumers == 0
    egress = Egress(
        kind="KafkaSource",
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        reader=spec.consumer_group,
        overrides=extensions_of(spec.ce_overrides),
        subscriber=(status.sink_uri or None) if resolved and not paused else None,
        paused=paused,
        policy=kafka_policy_of(SOURCE_DELIVERY if spec.delivery is None else spec.delivery),
        dead_letter_sink=status.dead_letter_sink_uri or None,
        own_dead_letters=bool(status.dead_letter_sink_uri),
        ordered=spec.ordering in {None, ORDERED},
        subscriber_ca_certs=status.sink_ca_certs or "",
        dead_letter_ca_certs=status.dead_letter_sink_ca_certs or "",
        account=account,
        subscriber_audience=(status.sink_audience or "") if account else "",
        dead_letter_audience=(status.dead_letter_sink_audience or "") if account else "",
    )
    resource = Resource(
        kind="KafkaSource",
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        engine="kafka",
        egresses=(egress,),
    )
    return placed(resource, kafka_source_backing_of(source, view))


def _of_sink(sink: KafkaSink, view: View) -> Resource:
    meta = sink.metadata
    resource = Resource(
        kind="KafkaSink",
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        engine="kafka",
        guard=guard_of(sink, view),
    )
    return placed(resource, kafka_sink_backing_of(sink, view))


def _channels(view: View) -> Iterator[Resource]:
    channels = view.listed(KafkaChannel, "")
    known = subscriptions(view, "KafkaChannel") if channels else {}
    for channel in channels:
        meta = channel.metadata
        mine = known.get((meta.namespace, meta.name), {})
        # The Service of that name is the other's, as the status says.
        displaced = view.get(InMemoryChannel, meta.namespace, meta.name) is not None
        resource = Resource(
            kind="KafkaChannel",
            namespace=meta.namespace,
            name=meta.name,
            uid=meta.uid,
            engine="kafka",
            hosts=() if displaced else (channel_host(meta.namespace, meta.name),),
            egresses=tuple(_of_subscriptions(channel, mine, view)),
            guard=guard_of(channel, view),
        )
        yield placed(resource, kafka_channel_backing_of(channel, view))


def _of_subscriptions(
    channel: KafkaChannel, known: Mapping[str, Subscription], view: View
) -> Iterator[Egress]:
    """Those of a channel are ordered, and merge their delivery with the channel's."""
    meta = channel.metadata
    for egress in of_channel(channel, known, _retries):
        uid = egress.uid
        if not view.config.durable and uid in known:
            uid = stable_uid("Subscription", egress.namespace, egress.name)
        reader = f"kafka.{meta.namespace}.{meta.name}.{uid}"
        yield replace(egress, reader=reader, ordered=True)


def _retries(own: DeliverySpec | None, inherited: DeliverySpec | None) -> DeliveryPolicy:
    return kafka_policy_of(merged(own, inherited))
