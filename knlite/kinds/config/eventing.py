"""config-br-defaults and config-features of Eventing (namespace ``knative-eventing``).

Source: knative/eventing ``config/core/configmaps``, ``pkg/apis/config``, ``pkg/apis/feature``;
Eventing reference §3, §16.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import KReference

NAME = "config-br-defaults"
FEATURES_NAME = "config-features"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerDefaults:
    """What a Broker gets that does not say otherwise."""

    broker_class: str = "MTChannelBasedBroker"
    config: KReference | None = KReference(
        api_version="v1",
        kind="ConfigMap",
        name="config-br-default-channel",
        namespace="knative-eventing",
    )
    delivery: DeliverySpec | None = DeliverySpec(
        retry=10, backoff_policy="exponential", backoff_delay="PT0.2S"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventingConfig:
    """Broker defaults of the cluster and by namespace, and the feature flags."""

    cluster: BrokerDefaults = BrokerDefaults()
    namespaces: Mapping[str, BrokerDefaults] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)

    def defaults_for(self, namespace: str, broker_class: str = "") -> BrokerDefaults:
        """The defaults for a Broker of *broker_class* ("" for the default class)."""
        raise NotImplementedError

    def enabled(self, flag: str) -> bool:
        """Whether the feature *flag* is on."""
        raise NotImplementedError


def parse(defaults: Mapping[str, str], features: Mapping[str, str]) -> EventingConfig:
    """The section that the two ConfigMaps describe; raises ``ConfigInvalid``."""
    raise NotImplementedError
