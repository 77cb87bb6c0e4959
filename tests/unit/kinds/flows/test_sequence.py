"""Eventing reference §7, §20.7: defaults and validation of a Sequence."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.config.channels import ChannelDefaults
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import rendered
from knlite.kinds.flows.sequence import Sequence, SequenceSpec, SequenceStep, defaulted, validated
from knlite.kinds.kreference import KReference
from knlite.kinds.messaging.channeltemplate import ChannelTemplate
from knlite.kinds.meta import ObjectMeta

CONFIG = Config()
IN_MEMORY = ChannelTemplate(api_version="messaging.knative.dev/v1", kind="InMemoryChannel")
TILL = KReference(api_version="v1", kind="Service", name="till")
STEP = SequenceStep(uri="http://x.example")


def sequence(**spec: object) -> Sequence:
    standard = SequenceSpec(steps=(STEP,), channel_template=IN_MEMORY)
    return Sequence(metadata=ObjectMeta(name="s", namespace="shop"), spec=replace(standard, **spec))


def test_a_sequence_gets_a_template_and_namespaces_but_not_in_deliveries() -> None:
    dead_letters = DeliverySpec(dead_letter_sink=Destination(ref=TILL))
    step = SequenceStep(ref=TILL, delivery=dead_letters)
    bare = sequence(steps=(step,), channel_template=None, reply=Destination(ref=TILL))
    obj = defaulted(bare, None, CONFIG)
    here = replace(TILL, namespace="shop")
    assert obj.spec == SequenceSpec(
        steps=(SequenceStep(ref=here, delivery=dead_letters),),
        channel_template=IN_MEMORY,
        reply=Destination(ref=here),
    )
    assert defaulted(obj, obj, CONFIG) == obj
    assert validated(obj, None, CONFIG) == ()


def test_the_default_of_its_namespace_is_not_for_a_sequence() -> None:
    other = ChannelTemplate(api_version="messaging.knative.dev/v1beta1", kind="KafkaChannel")
    config = Config(channels=ChannelDefaults(namespaces={"shop": other}))
    obj = defaulted(sequence(channel_template=None), None, config)
    assert obj.spec.channel_template == IN_MEMORY


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(sequence(), "", id="good"),
        pytest.param(sequence(steps=()), "missing field(s): spec.steps", id="no-steps"),
        pytest.param(
            sequence(channel_template=None),
            "missing field(s): spec.channelTemplate",
            id="no-template",
        ),
        pytest.param(
            sequence(channel_template=ChannelTemplate(kind="InMemoryChannel")),
            "missing field(s): spec.channelTemplate.apiVersion",
            id="half-a-template",
        ),
        pytest.param(
            sequence(steps=(STEP, SequenceStep())),
            "invalid value: {{<nil>  <nil> <nil>} <nil>}: spec.steps[1]",
            id="empty-step",
        ),
        pytest.param(
            sequence(steps=(SequenceStep(ref=KReference(name="x", kind="Service")),)),
            "invalid value: {{Kind = Service, Namespace = , Name = x, APIVersion = , Group = ,"
            " Address =   <nil> <nil>} <nil>}: spec.steps[0]",
            id="step-without-version",
        ),
        pytest.param(
            sequence(steps=(replace(STEP, delivery=DeliverySpec(retry=-1)),)),
            'invalid value: {{<nil> http://x.example <nil> <nil>} &{"retry":-1}}: spec.steps[0]',
            id="step-with-a-bad-delivery",
        ),
        pytest.param(
            sequence(reply=Destination()),
            "expected at least one, got none: spec.reply.ref, spec.reply.uri",
            id="empty-reply",
        ),
    ],
)
def test_says_what_is_wrong(obj: Sequence, text: str) -> None:
    assert rendered(validated(obj, None, CONFIG)) == text
