"""What a Broker of class Kafka may say.

Source: knative-extensions/eventing-kafka-broker
``control-plane/pkg/apis/eventing/v1/broker_validation.go``.
"""

from knlite.kinds.config.eventing import SERVER_CONFIGS
from knlite.kinds.eventing.brokerclass import KAFKA_NAMESPACED_CLASS
from knlite.kinds.fielderror import Errors, invalid
from knlite.kinds.kreference import KReference


def config_validated(config: KReference | None, broker_class: str, namespace: str) -> Errors:
    """What is wrong with the *config* of a Broker in *namespace*.

    Differs: the class KafkaNamespaced may use the ConfigMap that it gets when it names none.
    """
    if config is None:
        return ()
    if config.kind.lower() != "configmap":
        return (invalid(config.kind, "spec.config.kind", "Expected ConfigMap"),)
    elsewhere = config.namespace not in {"", namespace} and config != SERVER_CONFIGS[broker_class]
    if broker_class == KAFKA_NAMESPACED_CLASS and elsewhere:
        text = "Expected ConfigMap in same namespace with broker resource"
        return (invalid(config.namespace, "spec.config.namespace", text),)
    return ()
