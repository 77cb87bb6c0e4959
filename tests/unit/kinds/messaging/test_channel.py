"""Eventing reference §5, §20.6-8: defaults, validation and immutability of a Channel."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.config.channels import ChannelDefaults
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import rendered
from knlite.kinds.kreference import KReference
from knlite.kinds.labels import SUBSCRIBABLE
from knlite.kinds.messaging.channel import Channel, ChannelSpec, defaulted, validated
from knlite.kinds.messaging.channelable import SubscriberSpec
from knlite.kinds.messaging.channeltemplate import ChannelTemplate
from knlite.kinds.meta import ObjectMeta

CONFIG = Config()
IN_MEMORY = ChannelTemplate(api_version="messaging.knative.dev/v1", kind="InMemoryChannel")
KAFKA = ChannelTemplate(
    api_version="messaging.knative.dev/v1beta1", kind="KafkaChannel", spec={"numPartitions": 3}
)
GRAVEYARD = KReference(api_version="v1", kind="Service", name="graveyard")


def dead_letters(ref: KReference = GRAVEYARD) -> DeliverySpec:
    return DeliverySpec(dead_letter_sink=Destination(ref=ref))


def channel(**spec: object) -> Channel:
    meta = ObjectMeta(name="c", namespace="shop", annotations={SUBSCRIBABLE: "v1"})
    return Channel(metadata=meta, spec=replace(ChannelSpec(channel_template=IN_MEMORY), **spec))


def test_a_channel_gets_the_clusters_kind_an_annotation_and_namespaces() -> None:
    bare = Channel(
        metadata=ObjectMeta(name="c", namespace="shop"), spec=ChannelSpec(delivery=dead_letters())
    )
    obj = defaulted(bare, None, CONFIG)
    assert obj.metadata.annotations == {SUBSCRIBABLE: "v1"}
    assert obj.spec.channel_template == IN_MEMORY
    assert obj.spec.delivery == dead_letters(replace(GRAVEYARD, namespace="shop"))
    assert defaulted(obj, obj, CONFIG) == obj
    assert validated(obj, None, CONFIG) == ()


def test_the_default_of_the_namespace_goes_before_that_of_the_cluster() -> None:
    config = Config(channels=ChannelDefaults(namespaces={"shop": KAFKA}))
    assert defaulted(channel(channel_template=None), None, config).spec.channel_template == KAFKA


def test_with_a_template_the_delivery_is_left_as_it_is() -> None:
    obj = channel(delivery=dead_letters())
    assert defaulted(obj, None, CONFIG) == obj


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(channel(), "", id="good"),
        pytest.param(
            channel(channel_template=None), "missing field(s): spec.channelTemplate", id="none"
        ),
        pytest.param(
            channel(channel_template=ChannelTemplate()),
            "missing field(s): spec.channelTemplate.apiVersion, spec.channelTemplate.kind",
            id="empty-template",
        ),
        pytest.param(
            channel(subscribers=(SubscriberSpec(uid="1", subscriber_uri="http://x.example"),)),
            "must not set the field(s): spec.subscribable.subscribers",
            id="subscribers",
        ),
        pytest.param(
            channel(delivery=DeliverySpec(retry=-1)),
            "invalid value: -1: spec.delivery.retry",
            id="delivery",
        ),
        pytest.param(
            channel(delivery=dead_letters(replace(GRAVEYARD, namespace="other"))),
            "mismatched namespaces: spec.delivery.deadLetterSink.ref.namespace\n"
            'parent namespace: "shop" does not match ref: "other"',
            id="dead-letters-elsewhere",
        ),
    ],
)
def test_says_what_is_wrong(obj: Channel, text: str) -> None:
    assert rendered(validated(obj, None, CONFIG)) == text


@pytest.mark.parametrize(
    ("new", "details"),
    [
        pytest.param(
            channel(channel_template=KAFKA, delivery=DeliverySpec(retry=1)),
            "{v1.ChannelSpec}.ChannelTemplate.APIVersion:\n"
            '\t-: "messaging.knative.dev/v1"\n\t+: "messaging.knative.dev/v1beta1"\n'
            "{v1.ChannelSpec}.ChannelTemplate.Kind:\n"
            '\t-: "InMemoryChannel"\n\t+: "KafkaChannel"\n'
            '{v1.ChannelSpec}.ChannelTemplate.Spec:\n\t+: "{\\"numPartitions\\":3}"\n',
            id="template",
        ),
        pytest.param(
            channel(delivery=DeliverySpec(retry=2)),
            '{v1.ChannelSpec}.Delivery.Retry:\n\t-: "1"\n\t+: "2"\n',
            id="delivery",
        ),
    ],
)
def test_neither_template_nor_delivery_can_be_changed(new: Channel, details: str) -> None:
    old = channel(delivery=DeliverySpec(retry=1))
    text = f"Immutable fields changed (-old +new): spec\n{details}"
    assert rendered(validated(new, old, CONFIG)) == text
