"""Brokers that keep their events in knlite itself: in memory, or in a file.

Differs: a Broker keeps events in a log instead of a channel, in memory (MTChannelBasedBroker) or
in a file (knlite.dev/SQLite, a class that no cluster has). The ConfigMap in ``spec.config`` must
exist and have a template, as upstream, but that is not read, there is no child, and the channel's
name is in no annotation (``docs/adr/0026``).

Source: knative/eventing ``pkg/reconciler/broker/broker.go``; Eventing reference §3.
"""

from knlite.eventing.addressing import addressed
from knlite.eventing.deadletters import own_dead_letter_sink, with_dead_letter_sink
from knlite.eventing.destinations import broker_url
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.config.eventing import CHANNEL_CONFIG
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.eventing.broker import Broker, BrokerStatus, class_of
from knlite.kinds.eventing.brokerclass import MT_CLASS, SQLITE_CLASS
from knlite.kinds.eventing.brokerconditions import (
    FILTER_READY,
    INGRESS_READY,
    TRIGGER_CHANNEL_READY,
)
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED
from knlite.kinds.kreference import KReference
from knlite.reconcile import View

_TEMPLATE_KEYS = ("channel-template-spec", "channelTemplateSpec")
"""Where it says which channel to make; the second is the old name."""
_NO_FOLDER = (
    f'the Broker class "{SQLITE_CLASS}" keeps events in a file, and this run has no folder for it:'
    f' give --data-dir, or make the Broker anew with the class "{MT_CLASS}"'
)


def reconciled(broker: Broker, conditions: ConditionEditor, view: View) -> BrokerStatus:
    """Step by step; the first failure leaves the later conditions as they were."""
    if class_of(broker) == SQLITE_CLASS and not view.config.durable:
        conditions.false(INGRESS_READY, "NoDataFolder", _NO_FOLDER)
        return broker.status
    problem = _config_problem(broker.spec.config, view)
    if problem:
        message = f"Error on setting up the ChannelTemplate: {problem}"
        conditions.false(TRIGGER_CHANNEL_READY, "ChannelTemplateFailed", message)
        return broker.status
    conditions.true(TRIGGER_CHANNEL_READY)
    conditions.true(FILTER_READY)
    conditions.true(INGRESS_READY)
    namespace, unable = broker.metadata.namespace, "Unable to get the dead letter sink's URI"
    sink = own_dead_letter_sink(broker.spec.delivery, namespace, unable, conditions, view)
    status = with_dead_letter_sink(broker.status, sink)
    if not conditions.is_true(DEAD_LETTER_SINK_RESOLVED):
        return status
    url = broker_url(namespace, broker.metadata.name)
    return addressed(broker, status, url, conditions, view)


def _config_problem(config: KReference | None, view: View) -> str:
    if config is None:
        return "failed to find channelTemplate"
    if (config.kind, config.api_version) != ("ConfigMap", "v1"):
        return (
            "Broker.Spec.Config configuration not supported, only [kind: ConfigMap, apiVersion: v1]"
        )
    if not config.name or not config.namespace:
        return "Broker.Spec.Config name and namespace are required"
    found = view.get(ConfigMap, config.namespace, config.name)
    if found is None:
        # Named in the singular, unlike what resolvers say of objects that are missing. What an
        # installation brings need not exist here, since nobody reads it.
        return "" if config == CHANNEL_CONFIG else f'configmap "{config.name}" not found'
    if not any(found.data.get(key) for key in _TEMPLATE_KEYS):
        return "empty or missing value for config"
    return ""
