"""The consumer groups of Triggers.

Source: Eventing data plane reference §9.2; knative-extensions/eventing-kafka-broker
``control-plane/pkg/reconciler/trigger/v2``.
"""

from knlite.eventing.backing import meta_on_server, server_uid
from knlite.kinds.config.kafkafeatures import named
from knlite.kinds.eventing.kafkaconditions import GROUP_ID
from knlite.kinds.eventing.trigger import Trigger
from knlite.reconcile import View


def kafka_reader_of(trigger: Trigger, view: View) -> str:
    """The consumer group of *trigger*: the one that it has, else what the template says.

    Its uid, as upstream's older Triggers have it, where the template makes nothing of this one:
    Kafka knows no group without a name, and a Trigger lacks the label that others are named by.
    """
    known = trigger.status.annotations.get(GROUP_ID)
    if known:
        return known
    name = named(view.config.kafka.triggers_group, meta_on_server(trigger, view))
    return name or server_uid(trigger, view)
