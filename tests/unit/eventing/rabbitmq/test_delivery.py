"""Eventing data plane reference §3.1, §3.3, §3.5: retries as RabbitMQ's dispatcher makes them."""

import pytest

from knlite.eventing.delivery import backoff
from knlite.eventing.rabbitmq.delivery import rabbitmq_policy_of, rabbitmq_source_policy_of
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.sources.rabbitmqsource import RabbitmqDeliverySpec


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
    of_source = RabbitmqDeliverySpec(retry=3, backoff_policy=policy, backoff_delay="PT0.2S")
    for found in (rabbitmq_policy_of(spec), rabbitmq_source_policy_of(of_source)):
        assert [round(backoff(found, attempt), 3) for attempt in (1, 2, 3)] == waits


def test_what_is_absent_in_a_delivery() -> None:
    assert rabbitmq_policy_of(None).retry == 0
    assert rabbitmq_policy_of(DeliverySpec(retry=0)).retry == 0
    found = rabbitmq_policy_of(DeliverySpec(timeout="PT1S"))
    assert (found.retry, found.policy, found.delay) == (5, "exponential", 0.05)


def test_what_is_absent_in_the_delivery_of_a_source() -> None:
    assert rabbitmq_source_policy_of(None).retry == 0
    found = rabbitmq_source_policy_of(RabbitmqDeliverySpec(backoff_policy="linear"))
    assert (found.retry, found.policy, found.delay) == (0, "linear", 0.2)


def test_neither_format_nor_retry_after_is_looked_at() -> None:
    found = rabbitmq_policy_of(DeliverySpec(format="json", retry_after_max="PT1M"))
    assert not found.structured
    assert found.retry_after_max == 0
