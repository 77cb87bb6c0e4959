"""The kinds of ``eventing.knative.dev``.

Source: Eventing reference §2; knative/eventing ``config/core/resources`` (printer columns).
"""

from knlite.kinds.columns import ADDRESS_URL, AGE, READY_COLUMNS, Column, status_of
from knlite.kinds.eventing import (
    broker,
    eventpolicy,
    eventtransform,
    eventtype,
    eventtypev1beta3,
    kafkasink,
    rabbitmqbrokerconfig,
    requestreply,
    trigger,
)
from knlite.kinds.eventing.eventtype import EventType
from knlite.kinds.kindinfo import KindInfo, OtherVersion
from knlite.kinds.labels import BROKER_CLASS

EVENTING = "eventing.knative.dev"

_TYPE = (
    Column("Type", lambda obj: obj.spec.type),
    Column("Source", lambda obj: obj.spec.source or ""),
)
_REFERENCE = (
    Column("Reference Name", lambda obj: _referred(obj)[0]),
    Column("Reference Kind", lambda obj: _referred(obj)[1]),
    Column("Description", lambda obj: obj.spec.description),
    *READY_COLUMNS,
)


def _referred(obj: EventType) -> tuple[str, str]:
    reference = obj.spec.reference
    return ("", "") if reference is None else (reference.name, reference.kind)


KINDS: tuple[KindInfo, ...] = (
    KindInfo(
        type=broker.Broker,
        group=EVENTING,
        version="v1",
        plural="brokers",
        categories=("all", "knative", "eventing"),
        columns=(
            ADDRESS_URL,
            AGE,
            *READY_COLUMNS,
            Column("Class", lambda obj: obj.metadata.annotations.get(BROKER_CLASS, "")),
        ),
        defaulted=broker.defaulted,
        validated=broker.validated,
    ),
    KindInfo(
        type=trigger.Trigger,
        group=EVENTING,
        version="v1",
        plural="triggers",
        categories=("all", "knative", "eventing"),
        columns=(
            Column("Broker", lambda obj: obj.spec.broker),
            Column("Subscriber_URI", status_of("subscriber_uri")),
            AGE,
            *READY_COLUMNS,
        ),
        defaulted=trigger.defaulted,
        validated=trigger.validated,
    ),
    KindInfo(
        type=eventpolicy.EventPolicy,
        group=EVENTING,
        version="v1alpha1",
        plural="eventpolicies",
        categories=("all", "knative", "eventing"),
        columns=READY_COLUMNS,
        defaulted=eventpolicy.defaulted,
        validated=eventpolicy.validated,
    ),
    KindInfo(
        type=EventType,
        group=EVENTING,
        version="v1beta2",
        plural="eventtypes",
        categories=("all", "knative", "eventing"),
        columns=(*_TYPE, Column("Schema", lambda obj: obj.spec.schema or ""), *_REFERENCE),
        defaulted=eventtype.defaulted,
        validated=eventtype.validated,
        others=(
            OtherVersion(version="v1beta1"),
            OtherVersion(
                version="v1beta3",
                type=eventtypev1beta3.EventTypeV1Beta3,
                stored=eventtypev1beta3.stored,
                shown=eventtypev1beta3.shown,
                validated=eventtypev1beta3.validated,
                columns=(*_TYPE, *_REFERENCE),
            ),
        ),
    ),
    KindInfo(
        type=eventtransform.EventTransform,
        group=EVENTING,
        version="v1alpha1",
        plural="eventtransforms",
        categories=("all", "knative", "eventing"),
        columns=(ADDRESS_URL, Column("Sink", status_of("sink_uri")), *READY_COLUMNS),
        validated=eventtransform.validated,
    ),
    KindInfo(
        type=requestreply.RequestReply,
        group=EVENTING,
        version="v1alpha1",
        plural="requestreplies",
        short_names=("rr",),
        categories=("all", "knative", "eventing"),
        columns=(ADDRESS_URL, *READY_COLUMNS),
        defaulted=requestreply.defaulted,
        validated=requestreply.validated,
    ),
    KindInfo(
        type=rabbitmqbrokerconfig.RabbitmqBrokerConfig,
        group=EVENTING,
        version="v1alpha1",
        plural="rabbitmqbrokerconfigs",
        short_names=("rmqbrokerconfig",),
        categories=("all", "knative", "eventing"),
        defaulted=rabbitmqbrokerconfig.defaulted,
        validated=rabbitmqbrokerconfig.validated,
    ),
    KindInfo(
        type=kafkasink.KafkaSink,
        group=EVENTING,
        version="v1alpha1",
        plural="kafkasinks",
        categories=("all", "knative", "eventing"),
        columns=(ADDRESS_URL, AGE, *READY_COLUMNS),
        defaulted=kafkasink.defaulted,
        validated=kafkasink.validated,
    ),
)
