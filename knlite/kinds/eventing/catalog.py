"""The kinds of ``eventing.knative.dev``.

Source: Eventing reference §2; knative/eventing ``config/core/resources`` (printer columns).
"""

from knlite.kinds.columns import ADDRESS_URL, AGE, READY_COLUMNS, Column, status_of
from knlite.kinds.eventing import broker, eventpolicy, trigger
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.labels import BROKER_CLASS

EVENTING = "eventing.knative.dev"

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
)
