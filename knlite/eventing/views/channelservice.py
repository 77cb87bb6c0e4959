"""The core Service of a channel that delivers itself: its name in the cluster's DNS.

Source: knative/eventing ``pkg/reconciler/inmemorychannel/controller/resources/service.go``.
"""

from typing import Final

from knlite.eventing.channels import ALL_CHANNELS, CHANNEL_ENDING, BackingChannel
from knlite.eventing.serverhosts import KAFKA_CHANNELS
from knlite.kinds.core.k8sservice import KubernetesService, KubernetesServiceSpec, ServicePort
from knlite.kinds.derivedmeta import derived_meta
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.names import child_name, label_1035_problems
from knlite.reconcile import View

ROLE: Final = "messaging.knative.dev/role"


def service_name(channel: BackingChannel) -> str:
    """What the Service of *channel* is called."""
    return child_name(channel.metadata.name, CHANNEL_ENDING)


def channel_service(channel: BackingChannel, view: View) -> KubernetesService | None:
    """The Service of *channel*; None where it cannot have one."""
    name = service_name(channel)
    if label_1035_problems(name):
        return None
    kafka = isinstance(channel, KafkaChannel)
    role = "kafka-channel" if kafka else "in-memory-channel"
    return KubernetesService(
        metadata=derived_meta(channel, "KubernetesService", name, labels={ROLE: role}),
        spec=KubernetesServiceSpec(
            type="ExternalName",
            external_name=KAFKA_CHANNELS if kafka else ALL_CHANNELS,
            ports=(ServicePort(name="http", port=80, protocol="TCP"),),
        ),
    )
