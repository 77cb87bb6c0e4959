"""Eventing data plane reference §3.1, §3.3, §3.5: retries as Kafka's dispatcher makes them."""

import pytest

from knlite.eventing.delivery import backoff
from knlite.eventing.kafka.delivery import kafka_policy_of, merged
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination


@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        pytest.param("linear", [0.2, 0.4, 0.6], id="linear"),
        pytest.param("exponential", [0.4, 0.8, 1.6], id="exponential"),
        pytest.param(None, [0.4, 0.8, 1.6], id="absent"),
    ],
)
def test_the_first_wait_is_one_step_ahead(policy: str | None, waits: list[float]) -> None:
    spec = DeliverySpec(retry=3, backoff_policy=policy, backoff_delay="PT0.2S")
    found = kafka_policy_of(spec)
    assert [round(backoff(found, attempt), 3) for attempt in (1, 2, 3)] == waits


def test_a_delay_that_is_absent_is_a_fifth_of_a_second() -> None:
    assert kafka_policy_of(DeliverySpec(retry=1)).delay == 0.2
    assert kafka_policy_of(DeliverySpec(retry=1, backoff_delay="-PT1S")).delay == 1.0


def test_a_delivery_without_retry_timeout_and_dead_letters_is_none() -> None:
    assert kafka_policy_of(DeliverySpec(backoff_delay="PT5S")) == kafka_policy_of(None)
    assert kafka_policy_of(None).retry == 0


def test_events_are_delivered_in_binary_mode() -> None:
    assert not kafka_policy_of(DeliverySpec(retry=1, format="json")).structured


def test_a_channel_gives_what_a_subscription_does_not_say() -> None:
    sink = Destination(uri="http://dls.example")
    inherited = DeliverySpec(retry=5, dead_letter_sink=sink, timeout="PT1S")
    assert merged(DeliverySpec(retry=1), inherited) == DeliverySpec(
        retry=1, dead_letter_sink=sink, timeout="PT1S"
    )
    assert merged(None, inherited) is inherited
    assert merged(None, None) is None
