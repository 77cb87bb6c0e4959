"""Retries as RabbitMQ's dispatcher and its source make them, and what is absent in a delivery.

Source: Eventing data plane reference §3.1, §3.6; knative-extensions/eventing-rabbitmq
``pkg/reconciler/trigger/resources/dispatcher.go``, ``cmd/dispatcher/main.go``,
``pkg/adapter/adapter.go``.
Differs: a source tries again what every other delivery here does; upstream's does not after 408,
409, and 500, and does after 413 and 425.
"""

from dataclasses import replace
from typing import Final

from knlite.eventing.delivery import DeliveryPolicy, policy_of
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.sources.rabbitmqsource import RabbitmqDeliverySpec, delivery_of

DEFAULT_RETRY: Final = 5
"""Of a delivery that says something else."""
DEFAULT_DELAY: Final = 0.05
"""Seconds."""
SOURCE_DELAY: Final = 0.2


def rabbitmq_policy_of(spec: DeliverySpec | None) -> DeliveryPolicy:
    """What *spec* of a Trigger or its Broker means; without one there are no retries.

    Retry-After is not looked at, nor is the format: events are delivered in binary mode.
    """
    policy = _one_step_ahead(policy_of(spec), DEFAULT_DELAY)
    if spec is not None and spec.retry is None:
        return replace(policy, retry=DEFAULT_RETRY)
    return policy


def rabbitmq_source_policy_of(spec: RabbitmqDeliverySpec | None) -> DeliveryPolicy:
    """What *spec* of a RabbitmqSource means; without a number there are no retries."""
    return _one_step_ahead(policy_of(None if spec is None else delivery_of(spec)), SOURCE_DELAY)


def _one_step_ahead(policy: DeliveryPolicy, delay: float) -> DeliveryPolicy:
    return replace(
        policy,
        policy=policy.policy or "exponential",
        delay=delay if policy.delay is None else policy.delay,
        retry_after_max=0.0,
        structured=False,
        ahead=1,
    )
