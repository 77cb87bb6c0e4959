"""All reconcilers, for the one loop that runs them."""

from typing import Final

from knlite.eventing.reconcilers import (
    apiserversource,
    broker,
    channel,
    containersource,
    eventpolicy,
    eventtransform,
    eventtype,
    inmemorychannel,
    jobsink,
    kafkachannel,
    kafkasink,
    kafkasource,
    parallel,
    pingsource,
    rabbitmqsource,
    requestreply,
    sequence,
    sinkbinding,
    sourceeventtypes,
    subscription,
    sugar,
    trigger,
)
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.cronjob import CronJob
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.core.job import Job
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.eventpolicy import EventPolicy
from knlite.kinds.eventing.eventtransform import EventTransform
from knlite.kinds.eventing.eventtype import EventType
from knlite.kinds.eventing.kafkasink import KafkaSink
from knlite.kinds.eventing.requestreply import RequestReply
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object
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
from knlite.reconcile import Reconciler
from knlite.serving.reconcilers import (
    configmap,
    configuration,
    domainmapping,
    namespace,
    revision,
    route,
    service,
)
from knlite.workloads.reconcilers import cronjob, deployment, job

RECONCILERS: Final[tuple[tuple[type[Object], Reconciler], ...]] = (
    (Service, service.reconcile),
    (Configuration, configuration.reconcile),
    (Revision, revision.reconcile),
    (Route, route.reconcile),
    (ConfigMap, configmap.reconcile),
    (DomainMapping, domainmapping.reconcile),
    (Broker, broker.reconcile),
    (Trigger, trigger.reconcile),
    (Namespace, sugar.reconcile_namespace),
    (Trigger, sugar.reconcile_trigger),
    (EventPolicy, eventpolicy.reconcile),
    (InMemoryChannel, inmemorychannel.reconcile),
    (KafkaChannel, kafkachannel.reconcile),
    (Channel, channel.reconcile),
    (Subscription, subscription.reconcile),
    (Sequence, sequence.reconcile),
    (Parallel, parallel.reconcile),
    (EventTransform, eventtransform.reconcile),
    (RequestReply, requestreply.reconcile),
    (SinkBinding, sinkbinding.reconcile),
    (PingSource, pingsource.reconcile),
    (RabbitmqSource, rabbitmqsource.reconcile),
    (ApiServerSource, apiserversource.reconcile),
    (KafkaSource, kafkasource.reconcile),
    (KafkaSink, kafkasink.reconcile),
    (EventType, eventtype.reconcile),
    *((kind, sourceeventtypes.reconcile) for kind in sourceeventtypes.SOURCES),
    (ContainerSource, containersource.reconcile),
    (JobSink, jobsink.reconcile),
    (Namespace, namespace.reconcile),
    (Deployment, deployment.reconcile),
    (Job, job.reconcile),
    (CronJob, cronjob.reconcile),
)
