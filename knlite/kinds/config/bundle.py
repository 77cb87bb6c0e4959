"""All configuration in one value.

Source: Knative's ``config-*`` ConfigMaps in the namespaces knative-serving and knative-eventing.
Not here: how it comes out of ConfigMaps and ``--set`` (``registry/configmaps.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from knlite.kinds.config.autoscaler import AutoscalerConfig
from knlite.kinds.config.channels import ChannelDefaults
from knlite.kinds.config.defaults import DefaultsConfig
from knlite.kinds.config.deployment import DeploymentConfig
from knlite.kinds.config.eventing import EventingConfig
from knlite.kinds.config.features import FeaturesConfig
from knlite.kinds.config.gc import GcConfig
from knlite.kinds.config.kafkafeatures import KafkaFeatures
from knlite.kinds.config.kreferencemapping import ReferenceMapping
from knlite.kinds.config.network import DomainConfig, NetworkConfig
from knlite.kinds.config.observability import ObservabilityConfig
from knlite.kinds.config.ping import PingConfig
from knlite.kinds.config.sugar import SugarConfig

SERVING_NAMESPACE = "knative-serving"
EVENTING_NAMESPACE = "knative-eventing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What reconcilers, admission and the autoscaler are configured by."""

    autoscaler: AutoscalerConfig = AutoscalerConfig()
    defaults: DefaultsConfig = DefaultsConfig()
    deployment: DeploymentConfig = DeploymentConfig()
    domain: DomainConfig = DomainConfig()
    features: FeaturesConfig = FeaturesConfig()
    gc: GcConfig = GcConfig()
    network: NetworkConfig = NetworkConfig()
    observability: ObservabilityConfig = ObservabilityConfig()
    eventing: EventingConfig = EventingConfig()
    channels: ChannelDefaults = ChannelDefaults()
    kafka: KafkaFeatures = KafkaFeatures()
    mapping: ReferenceMapping = ReferenceMapping()
    ping: PingConfig = PingConfig()
    sugar: SugarConfig = SugarConfig()
    servers: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """What ``--set`` says instead of the ConfigMaps about servers, by name."""
    external_port: int = 8080
    """The gateway's port, which URLs of services carry unless it is 80."""
    external_tls_port: int = 8443
    """The same for HTTPS, unless it is 443."""
    durable: bool = False
    """Whether there is a folder in which events can be kept across runs (``--data-dir``)."""
