"""The kinds of ``messaging.knative.dev``.

Source: Eventing reference §2; knative/eventing ``config/core/resources``,
``config/channels/in-memory-channel/resources`` (printer columns).
"""

from knlite.kinds.columns import ADDRESS_URL, AGE, READY_COLUMNS
from knlite.kinds.kindinfo import KindInfo, OtherVersion
from knlite.kinds.messaging import channel, inmemorychannel, kafkachannel, subscription

MESSAGING = "messaging.knative.dev"

KINDS: tuple[KindInfo, ...] = (
    KindInfo(
        type=channel.Channel,
        group=MESSAGING,
        version="v1",
        plural="channels",
        short_names=("ch",),
        categories=("all", "knative", "messaging", "channel"),
        columns=(ADDRESS_URL, AGE, *READY_COLUMNS),
        defaulted=channel.defaulted,
        validated=channel.validated,
    ),
    KindInfo(
        type=inmemorychannel.InMemoryChannel,
        group=MESSAGING,
        version="v1",
        plural="inmemorychannels",
        short_names=("imc",),
        categories=("all", "knative", "messaging", "channel"),
        columns=(ADDRESS_URL, AGE, *READY_COLUMNS),
        defaulted=inmemorychannel.defaulted,
        validated=inmemorychannel.validated,
        permitted=inmemorychannel.permitted,
        adopted=inmemorychannel.adopted,
    ),
    KindInfo(
        type=subscription.Subscription,
        group=MESSAGING,
        version="v1",
        plural="subscriptions",
        short_names=("sub",),
        categories=("all", "knative", "messaging"),
        columns=(AGE, *READY_COLUMNS),
        defaulted=subscription.defaulted,
        validated=subscription.validated,
    ),
    KindInfo(
        type=kafkachannel.KafkaChannel,
        group=MESSAGING,
        version="v1beta1",
        plural="kafkachannels",
        short_names=("kc",),
        categories=("all", "knative", "messaging", "channel"),
        columns=(*READY_COLUMNS, ADDRESS_URL, AGE),
        defaulted=kafkachannel.defaulted,
        validated=kafkachannel.validated,
        permitted=kafkachannel.permitted,
        adopted=kafkachannel.adopted,
        others=(OtherVersion(version="v1"),),
    ),
)
