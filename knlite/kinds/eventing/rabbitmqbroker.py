"""What a Broker of class RabbitMQBroker may say.

Source: knative-extensions/eventing-rabbitmq ``pkg/apis/eventing/v1alpha1/broker_validation.go``.
Not here: that nothing of it may change (``broker.py``).
"""

from typing import Final

from knlite.kinds.fielderror import Errors, generic, missing
from knlite.kinds.kreference import KReference

_CONFIGS: Final = frozenset(
    (
        ("RabbitmqCluster", "rabbitmq.com/v1beta1"),
        ("RabbitmqBrokerConfig", "eventing.knative.dev/v1alpha1"),
        ("Secret", "v1"),
        ("ConfigMap", "v1"),
    )
)
"""What ``spec.config`` of a Broker of class RabbitMQBroker may be: kind and API version.

Differs: upstream knows the first two.
"""
CONFIGS_SUPPORTED: Final = (
    "[kind: RabbitmqCluster, apiVersion: rabbitmq.com/v1beta1], [kind: RabbitmqBrokerConfig,"
    " apiVersion: eventing.knative.dev/v1alpha1], [kind: Secret, apiVersion: v1] or [kind:"
    " ConfigMap, apiVersion: v1]"
)


def config_validated(config: KReference | None) -> Errors:
    """What names no server in ``spec.config``; without a path, as upstream."""
    if config is None:
        return (missing("spec.config"),)
    if not config.kind or not config.api_version:
        # That has been said.
        return ()
    if (config.kind, config.api_version) in _CONFIGS:
        return ()
    return (generic(f"Configuration not supported, only {CONFIGS_SUPPORTED}"),)
