"""Retries as Kafka's dispatcher makes them: which delivery applies, and what is absent in it.

Source: Eventing data plane reference §3.1, §3.3; knative-extensions/eventing-kafka-broker
``control-plane/pkg/reconciler/{consumer,channel,source}``.
Differs: a dead letter gets as many attempts as the delivery says, as everywhere here.
"""

from dataclasses import replace
from typing import Final

import msgspec

from knlite.eventing.delivery import DeliveryPolicy, policy_of
from knlite.kinds.eventing.delivery import DeliverySpec

DEFAULT_DELAY: Final = 0.2
"""Seconds, where there are retries and no delay."""

SOURCE_DELIVERY: Final = DeliverySpec(
    retry=10, backoff_policy="exponential", backoff_delay="PT0.3S", timeout="PT600S"
)
"""Of a KafkaSource that has none."""


def kafka_policy_of(spec: DeliverySpec | None) -> DeliveryPolicy:
    """What *spec* means; one that says nothing of retries, timeout and dead letters says nothing.

    Retry-After is not looked at, nor is the format: events are delivered in binary mode.
    """
    if spec is None or not (spec.dead_letter_sink or spec.retry or spec.timeout):
        return replace(DeliveryPolicy(), ahead=1)
    policy = policy_of(spec)
    delay = DEFAULT_DELAY if policy.delay is None else abs(policy.delay)
    return replace(
        policy,
        policy=policy.policy or "exponential",
        delay=delay,
        retry_after_max=0.0,
        structured=False,
        ahead=1,
    )


def merged(own: DeliverySpec | None, inherited: DeliverySpec | None) -> DeliverySpec | None:
    """*own* with what it does not say taken from *inherited*, as channels do it."""
    if own is None or inherited is None:
        return own or inherited
    absent = {
        name: getattr(inherited, name)
        for name in (
            "dead_letter_sink",
            "retry",
            "timeout",
            "backoff_policy",
            "backoff_delay",
            "retry_after_max",
        )
        if getattr(own, name) is None
    }
    return msgspec.structs.replace(own, **absent)
