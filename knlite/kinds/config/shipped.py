"""The ``config-*`` ConfigMaps as a platform has them that nobody has configured.

They set nothing; what could be set stands below ``_example``, as on a cluster, each key with its
default and what it does; keys that have no effect on one machine are named too. They are there from
the start, so that clients can get, edit and patch them. Those that say where servers are do set
something, as Brokers and channels refer to them.

Source: Knative's ``config/core/configmaps`` (names and keys); the sections' own modules (defaults).
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from knlite.kinds.config import (
    deployment,
    eventingfeatures,
    kafkafeatures,
    network,
    observability,
)
from knlite.kinds.config.bundle import EVENTING_NAMESPACE, SERVING_NAMESPACE
from knlite.kinds.config.servers import SERVER_MAPS
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.meta import ObjectMeta

EXAMPLE: Final = "_example"

Entries = Mapping[str, tuple[str, str]]
"""Key to default, and a sentence about it."""

_HEADER = """\
# Nothing here is in force: these are the defaults. To change one, copy its line
# next to _example, below data. Changes take effect at once.
"""

AUTOSCALER: Entries = {
    "pod-autoscaler-class": ("kpa.autoscaling.knative.dev", "who scales, unless a revision says"),
    "container-concurrency-target-percentage": ("70", "share of a limit that is aimed at"),
    "container-concurrency-target-default": ("100", "requests at once, where there is no limit"),
    "requests-per-second-target-default": ("200", "target of revisions with the metric rps"),
    "target-burst-capacity": ("211", "spare requests; 0 never, -1 always through the activator"),
    "stable-window": ("60s", "load is averaged over this time, from 6s to 1h"),
    "panic-window-percentage": ("10.0", "of the stable window: the time that shows a rush"),
    "panic-threshold-percentage": ("200.0", "load over capacity that is a rush"),
    "max-scale-up-rate": ("1000.0", "most instances per ready one in a step up"),
    "max-scale-down-rate": ("2.0", "least part of the ready ones in a step down"),
    "enable-scale-to-zero": ("true", "false keeps one instance"),
    "scale-to-zero-grace-period": ("30s", "longest wait for the activator before zero"),
    "scale-to-zero-pod-retention-period": ("0s", "least time the last instance stays"),
    "allow-zero-initial-scale": ("false", "whether initial-scale may be 0"),
    "initial-scale": ("1", "instances that a new revision must reach"),
    "min-scale": ("0", "fewest instances"),
    "max-scale": ("0", "most instances, 0 for no limit"),
    "max-scale-limit": ("0", "highest max-scale that a revision may ask for, 0 for any"),
    "scale-down-delay": ("0s", "how long less load must last before instances go"),
    "activator-capacity": ("100.0", "requests at once that one activator is meant for"),
}
DEFAULTS: Entries = {
    "revision-timeout-seconds": ("300", "timeoutSeconds of a revision that does not say"),
    "max-revision-timeout-seconds": ("600", "highest timeoutSeconds"),
    "revision-response-start-timeout-seconds": ("300", "time to the first byte of an answer"),
    "revision-idle-timeout-seconds": ("0", "time without a byte, 0 for any"),
    "container-concurrency": ("0", "requests at once in an instance, 0 for any number"),
    "container-concurrency-max-limit": ("1000", "highest containerConcurrency"),
    "allow-container-concurrency-zero": ("true", "whether containerConcurrency may be 0"),
    "enable-service-links": ("false", "true, false, or default, which leaves it to Kubernetes"),
    "container-name-template": ("user-container", "name of containers without one"),
    "init-container-name-template": ("init-container", "name of init containers without one"),
}
WITHOUT_DEFAULT: Entries = {
    "revision-cpu-request": ("400m", "cpu that an instance is given at least"),
    "revision-memory-request": ("100M", "memory that an instance is given at least"),
    "revision-ephemeral-storage-request": ("500M", "disk that an instance is given at least"),
    "revision-cpu-limit": ("1000m", "cpu that an instance may use"),
    "revision-memory-limit": ("200M", "memory that an instance may use"),
    "revision-ephemeral-storage-limit": ("750M", "disk that an instance may use"),
}
DEPLOYMENT: Entries = {
    "progress-deadline": ("120s", "how long the first instance may take to be ready"),
    "digest-resolution-timeout": ("10s", "how long looking for an image's digest may take"),
    "registries-skipping-tag-resolving": (
        "kind.local,ko.local,dev.local",
        "registries whose tags are left as they are",
    ),
}
FEATURES: Entries = {
    "multi-container": ("Enabled", "several containers in an instance"),
    "multi-container-probing": ("Disabled", "probes of containers that do not serve"),
    "secure-pod-defaults": ("Disabled", "restrictive securityContext; also AllowRootBounded"),
    "tag-header-based-routing": ("Disabled", "the header Knative-Serving-Tag chooses the tag"),
    "autodetect-http2": ("Disabled", "no effect: name the port h2c"),
    "kubernetes.containerspec-addcapabilities": ("Disabled", "capabilities.add"),
    "kubernetes.podspec-affinity": ("Disabled", "affinity"),
    "kubernetes.podspec-dnsconfig": ("Disabled", "dnsConfig"),
    "kubernetes.podspec-dnspolicy": ("Disabled", "dnsPolicy"),
    "kubernetes.podspec-fieldref": ("Disabled", "fieldRef and resourceFieldRef of variables"),
    "kubernetes.podspec-hostaliases": ("Disabled", "hostAliases"),
    "kubernetes.podspec-hostipc": ("Disabled", "hostIPC"),
    "kubernetes.podspec-hostnetwork": ("Disabled", "hostNetwork"),
    "kubernetes.podspec-hostpid": ("Disabled", "hostPID"),
    "kubernetes.podspec-init-containers": ("Disabled", "initContainers"),
    "kubernetes.podspec-nodeselector": ("Disabled", "nodeSelector"),
    "kubernetes.podspec-persistent-volume-claim": ("Disabled", "persistentVolumeClaim volumes"),
    "kubernetes.podspec-persistent-volume-write": ("Disabled", "writing to such volumes"),
    "kubernetes.podspec-priorityclassname": ("Disabled", "priorityClassName"),
    "kubernetes.podspec-runtimeclassname": ("Disabled", "runtimeClassName"),
    "kubernetes.podspec-schedulername": ("Disabled", "schedulerName"),
    "kubernetes.podspec-securitycontext": ("Disabled", "securityContext of the whole pod"),
    "kubernetes.podspec-shareprocessnamespace": ("Disabled", "shareProcessNamespace"),
    "kubernetes.podspec-tolerations": ("Disabled", "tolerations"),
    "kubernetes.podspec-topologyspreadconstraints": ("Disabled", "topologySpreadConstraints"),
    "kubernetes.podspec-volumes-csi": ("Disabled", "csi volumes"),
    "kubernetes.podspec-volumes-emptydir": ("Enabled", "emptyDir volumes"),
    "kubernetes.podspec-volumes-ephemeral": ("Disabled", "ephemeral volumes"),
    "kubernetes.podspec-volumes-hostpath": ("Disabled", "hostPath volumes"),
    "kubernetes.podspec-volumes-image": ("Disabled", "image volumes"),
    "kubernetes.podspec-volumes-mount-propagation": ("Disabled", "mountPropagation"),
    "queueproxy.mount-podinfo": ("Disabled", "no effect: there is no sidecar to mount it in"),
    "queueproxy.resource-defaults": ("Disabled", "no effect: there is no sidecar to limit"),
}
GC: Entries = {
    "retain-since-create-time": ("48h", "younger revisions stay; disabled for all of them"),
    "retain-since-last-active-time": ("15h", "revisions in use more recently stay, or disabled"),
    "min-non-active-revisions": ("20", "so many unused revisions always stay"),
    "max-non-active-revisions": ("1000", "more unused revisions never stay, or disabled"),
}
NETWORK: Entries = {
    "domain-template": ("{{.Name}}.{{.Namespace}}.{{.Domain}}", "host of a route"),
    "tag-template": ("{{.Tag}}-{{.Name}}", "name of a tag in the place of the route's"),
    "default-external-scheme": ("http", "scheme of URLs"),
    "rollout-duration": ("0", "seconds over which traffic moves to a new revision"),
    "http-protocol": ("enabled", "redirected sends http to https where a host has TLS"),
    "autocreate-cluster-domain-claims": ("true", "whether a DomainMapping claims its domain"),
}
OBSERVABILITY: Entries = {
    "logging.enable-request-log": ("false", "whether each request is logged"),
    "logging.request-log-template": (
        observability.DEFAULT_TEMPLATE.replace('"', '\\"'),
        "how; no other template is understood",
    ),
    "logging.revision-url-template": (
        "",
        "status.logUrl of revisions; ${REVISION_UID} is replaced",
    ),
    "tracing-protocol": ("none", "traces by OTLP, of events too: grpc or http/protobuf"),
    "tracing-endpoint": ("", "where they go: http://jaeger:4318/v1/traces"),
    "tracing-sampling-rate": ("0", "the share of traces begun here that is sent, 0 to 1"),
    "metrics-protocol": ("none", "metrics pushed by OTLP: grpc or http/protobuf"),
    "metrics-endpoint": ("", "where they go; /metrics is there whatever is said here"),
    "metrics-export-interval": ("0s", "how often; 0s is once a minute"),
    "request-metrics-protocol": ("none", "the same for metrics of requests"),
    "request-metrics-endpoint": ("", "where they go"),
    "request-metrics-export-interval": ("0s", "how often"),
}
EVENTING_FEATURES: Entries = {
    "kreference-group": ("disabled", "references to kinds by group"),
    "kreference-mapping": (
        "disabled",
        "sinks of PingSources that config-kreference-mapping knows the address of",
    ),
    "delivery-retryafter": ("disabled", "delivery.retryAfterMax"),
    "delivery-timeout": ("enabled", "delivery.timeout"),
    "cross-namespace-event-links": ("disabled", "Triggers of Brokers in other namespaces"),
    "eventtype-auto-create": ("disabled", "an EventType for every type that is seen"),
    "new-apiserversource-filters": ("disabled", "spec.filters of ApiServerSources"),
    "requestreply-default-timeout": ("PT30S", "how long a RequestReply waits that does not say"),
    "authentication-oidc": ("disabled", "cannot be enabled: no tokens are issued"),
    "default-authorization-mode": (
        "allow-same-namespace",
        "who may send where no EventPolicy applies; only with authentication-oidc",
    ),
    **{
        key: (eventingfeatures.STANDARDS.get(key, "disabled"), f"no effect: {why}")
        for key, why in eventingfeatures.WITHOUT_EFFECT.items()
    },
}
KAFKA_FEATURES: Entries = {
    kafkafeatures.BROKERS_TOPIC: (
        kafkafeatures.STANDARDS[kafkafeatures.BROKERS_TOPIC],
        "name of the topic of a Broker of class Kafka",
    ),
    kafkafeatures.TRIGGERS_GROUP: (
        kafkafeatures.STANDARDS[kafkafeatures.TRIGGERS_GROUP],
        "name of the consumer group of a Trigger of such a Broker",
    ),
    kafkafeatures.CHANNELS_TOPIC: (
        kafkafeatures.STANDARDS[kafkafeatures.CHANNELS_TOPIC],
        "name of the topic of a KafkaChannel",
    ),
}
PING: Entries = {
    "data-max-size": ("-1", "bytes that data or dataBase64 may have, -1 for any number"),
}
SUGAR: Entries = {
    "namespace-selector": ("", "namespaces that get a Broker called default; {} for all"),
    "trigger-selector": ("", "Triggers whose Broker is made if it is missing; {} for all"),
}
_DOMAIN_TEXT = """\
# Nothing here is in force. Without any domain services are at *.localhost. A domain
# for all routes, and one for those with a label:
example.com: ""
example.org: |
  selector:
    app: shop
"""
_BROKERS_TEXT = """\
# Nothing here is in force: these are the defaults of Brokers that do not say.
# With --data-dir the class is knlite.dev/SQLite, which keeps events across runs.
default-br-config: |
  clusterDefault:
    brokerClass: MTChannelBasedBroker
    delivery:
      retry: 10
      backoffPolicy: exponential
      backoffDelay: PT0.2S
"""
_CHANNELS_TEXT = """\
# Nothing here is in force: this is the kind of channel of those that do not say.
default-ch-config: |
  clusterDefault:
    apiVersion: messaging.knative.dev/v1
    kind: InMemoryChannel
  namespaceDefaults: {}
"""
_MAPPING_TEXT = """\
# Nothing here is in force. The address of a Pod that is the sink of a PingSource, if
# kreference-mapping in config-features is enabled (also Namespace, SystemNamespace):
Pod.v1: http://pods.example.com/{{ .Name }}
"""
_NOT_READ = """\
# knlite has no use for these settings. What is written here is kept.
"""


def example_of(entries: Entries, keys: frozenset[str] = frozenset()) -> str:
    """The text below ``_example`` that shows *entries*; of *keys* the others have no effect."""
    parts = [_HEADER]
    parts += (f'\n# {sentence}\n{key}: "{text}"\n' for key, (text, sentence) in entries.items())
    # Names with capitals are old spellings of others.
    idle = [key for key in sorted(keys - entries.keys()) if key == key.lower()]
    if idle:
        parts.append("\n# Known, and without effect on one machine:\n")
        parts += (f"# {key}\n" for key in idle)
    return "".join(parts)


@cache
def shipped() -> Mapping[tuple[str, str], ConfigMap]:
    """The ConfigMaps by namespace and name."""
    serving = {
        "config-autoscaler": example_of(AUTOSCALER),
        "config-certmanager": _NOT_READ,
        "config-defaults": example_of({**DEFAULTS, **WITHOUT_DEFAULT}),
        "config-deployment": example_of(DEPLOYMENT, deployment.KEYS),
        "config-domain": _DOMAIN_TEXT,
        "config-features": example_of(FEATURES),
        "config-gc": example_of(GC),
        "config-leader-election": _NOT_READ,
        "config-logging": _NOT_READ,
        "config-network": example_of(NETWORK, network.KEYS),
        "config-observability": example_of(OBSERVABILITY, observability.KEYS),
        "config-tracing": _NOT_READ,
    }
    of_eventing = {
        "config-br-defaults": _BROKERS_TEXT,
        "config-features": example_of(EVENTING_FEATURES, eventingfeatures.KEYS),
        "config-kafka-features": example_of(KAFKA_FEATURES, frozenset(kafkafeatures.FLAGS)),
        "config-kreference-mapping": _MAPPING_TEXT,
        "config-leader-election": _NOT_READ,
        "config-logging": _NOT_READ,
        "config-observability": _NOT_READ,
        "config-ping-defaults": example_of(PING),
        "config-sugar": example_of(SUGAR),
        "config-tracing": _NOT_READ,
        "default-ch-webhook": _CHANNELS_TEXT,
    }
    examples = {
        (namespace, name): _config_map(namespace, name, {EXAMPLE: text})
        for namespace, texts in ((SERVING_NAMESPACE, serving), (EVENTING_NAMESPACE, of_eventing))
        for name, text in texts.items()
    }
    servers = {
        (EVENTING_NAMESPACE, name): _config_map(EVENTING_NAMESPACE, name, each.data)
        for name, each in SERVER_MAPS.items()
    }
    return {**examples, **servers}


def _config_map(namespace: str, name: str, data: Mapping[str, str]) -> ConfigMap:
    labels = {"app.kubernetes.io/name": namespace}
    return ConfigMap(metadata=ObjectMeta(namespace=namespace, name=name, labels=labels), data=data)
