"""Eventing's configuration: config-br-defaults, and what other ConfigMaps say beside it.

Source: knative/eventing ``config/core/configmaps``, ``pkg/apis/config``; Eventing reference §3.
Not here: reading the YAML text below ``default-br-config``, which needs a YAML library
(``registry/configmaps.py``); feature flags (``eventingfeatures.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from knlite.kinds.codec import decode
from knlite.kinds.config import eventingfeatures
from knlite.kinds.config.eventingfeatures import EventingFeatures
from knlite.kinds.config.servers import KAFKA_BROKERS, RABBITMQ_BROKERS
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.eventing.brokerclass import (
    KAFKA_CLASS,
    KAFKA_NAMESPACED_CLASS,
    MT_CLASS,
    RABBITMQ_CLASS,
    SQLITE_CLASS,
)
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.kreference import KReference
from knlite.kinds.meta import Fields

NAME = "config-br-defaults"

DEFAULT_BROKER = "default-br-config"
KEYS: frozenset[str] = frozenset({DEFAULT_BROKER})

CHANNEL_CONFIG: Final = KReference(
    api_version="v1",
    kind="ConfigMap",
    name="config-br-default-channel",
    namespace="knative-eventing",
)
"""The ConfigMap of the channel behind a Broker, which an installation brings."""
SERVER_CONFIGS: Final[Mapping[str, KReference]] = {
    broker_class: KReference(
        api_version="v1", kind="ConfigMap", name=name, namespace="knative-eventing"
    )
    for broker_class, name in (
        (KAFKA_CLASS, KAFKA_BROKERS),
        (KAFKA_NAMESPACED_CLASS, KAFKA_BROKERS),
        (RABBITMQ_CLASS, RABBITMQ_BROKERS),
    )
}
"""The same of a Broker whose events a server keeps: it says where that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerDefaults:
    """What a Broker gets that does not say otherwise."""

    broker_class: str = MT_CLASS
    config: KReference | None = CHANNEL_CONFIG
    delivery: DeliverySpec | None = DeliverySpec(
        retry=10, backoff_policy="exponential", backoff_delay="PT0.2S"
    )
    classes: Mapping[str, "BrokerDefaults"] = field(default_factory=dict)
    """Other defaults for Brokers of the named classes."""
    same_namespace_only: bool = False
    """Whether references of a Broker must lie in its namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventingConfig:
    """Broker defaults of the cluster and by namespace, and the feature flags."""

    cluster: BrokerDefaults = BrokerDefaults()
    namespaces: Mapping[str, BrokerDefaults] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)

    def defaults_for(self, namespace: str, broker_class: str = "") -> BrokerDefaults:
        """The defaults for a Broker of *broker_class* ("" for the default class).

        The namespace goes before the cluster, and an entry for the class before the plain one. The
        class of the result is the one that was asked for.

        Differs: a Broker on a server never gets the ConfigMap of a channel, which says nothing of
        servers. Upstream gives it that of the cluster, and refuses it at once.
        """
        here = self.namespaces.get(namespace)
        wanted = (
            broker_class
            or (here.broker_class if here is not None else "")
            or self.cluster.broker_class
        )
        candidates = [
            here.classes.get(wanted) if here is not None else None,
            here if here is not None and here.broker_class == wanted else None,
            self.cluster.classes.get(wanted),
        ]
        found = next((each for each in candidates if each is not None and _says(each)), None)
        defaults = replace(found or self.cluster, broker_class=wanted)
        if wanted not in SERVER_CONFIGS:
            return defaults
        meant = found is not None or self.cluster.broker_class == wanted
        own = defaults.config if meant and defaults.config != CHANNEL_CONFIG else None
        return replace(defaults, config=own or SERVER_CONFIGS[wanted])

    def same_namespace_only(self, namespace: str) -> bool:
        """Whether a Broker in *namespace* may only refer to what is there too.

        It may not as soon as the namespace or the cluster says so.
        """
        here = self.namespaces.get(namespace)
        return self.cluster.same_namespace_only or (here is not None and here.same_namespace_only)

    def enabled(self, flag: str) -> bool:
        """Whether the feature *flag* is on."""
        return self.features.enabled(flag)

    @property
    def features(self) -> EventingFeatures:
        """The feature flags, each with its meaning."""
        return EventingFeatures(self.flags)


class _ClassDocument(Fields):
    """A reference to a config and a delivery, side by side."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    group: str | None = None
    address: str | None = None
    delivery: DeliverySpec | None = None


class _ScopeDocument(_ClassDocument):
    """The cluster or one namespace."""

    broker_class: str = ""
    broker_classes: Mapping[str, _ClassDocument] = msgspec.field(default_factory=dict)
    disallow_different_namespace_config: bool | None = None


class _Document(Fields):
    """What stands below ``default-br-config``."""

    cluster_default: _ScopeDocument = _ScopeDocument()
    namespace_defaults: Mapping[str, _ScopeDocument] = msgspec.field(default_factory=dict)


def parse(
    defaults: object, features: Mapping[str, str], *, durable: bool = False
) -> EventingConfig:
    """The section that the two ConfigMaps describe; raises ``ConfigInvalid``.

    *defaults* is the document below ``default-br-config``, decoded; None if there is none, which
    leaves the shipped defaults.

    Differs: where events can be kept across runs (*durable*), the shipped class keeps them.
    """
    flags = eventingfeatures.parse(features).flags
    if defaults is None:
        shipped = BrokerDefaults(broker_class=SQLITE_CLASS if durable else MT_CLASS)
        return EventingConfig(cluster=shipped, flags=flags)
    decoded = decode(_Document, defaults, strict=False)
    if decoded.value is None:
        problems = "; ".join(str(problem) for problem in decoded.problems)
        raise ConfigInvalid(f'failed to parse "{DEFAULT_BROKER}": {problems}')
    return EventingConfig(
        cluster=_scope(decoded.value.cluster_default),
        namespaces={
            namespace: _scope(scope)
            for namespace, scope in decoded.value.namespace_defaults.items()
        },
        flags=flags,
    )


def _says(defaults: BrokerDefaults) -> bool:
    """Whether there is more in it than the name of a class."""
    return defaults.config is not None or defaults.delivery is not None


def _scope(document: _ScopeDocument) -> BrokerDefaults:
    return BrokerDefaults(
        broker_class=document.broker_class,
        config=_config(document),
        delivery=document.delivery,
        classes={
            name: BrokerDefaults(broker_class=name, config=_config(entry), delivery=entry.delivery)
            for name, entry in document.broker_classes.items()
        },
        same_namespace_only=bool(document.disallow_different_namespace_config),
    )


def _config(document: _ClassDocument) -> KReference | None:
    if not (document.kind or document.name or document.api_version):
        return None
    return KReference(
        api_version=document.api_version,
        kind=document.kind,
        name=document.name,
        namespace=document.namespace,
        group=document.group,
        address=document.address,
    )
