"""Hosts at which resources that are kept on servers take events.

KafkaChannels have hosts as every channel (``channels.py``).

Source: Eventing reference §17; knative-extensions/eventing-kafka-broker (Services
``kafka-broker-ingress``, ``kafka-sink-ingress``), knative-extensions/eventing-rabbitmq (a Service
for each Broker).
"""

from typing import Final

_KAFKA = "knative-eventing.svc.cluster.local"
KAFKA_BROKERS: Final = f"kafka-broker-ingress.{_KAFKA}"
"""The path is ``/NAMESPACE/BROKER``."""
KAFKA_SINKS: Final = f"kafka-sink-ingress.{_KAFKA}"
"""The path is ``/NAMESPACE/SINK``."""
KAFKA_CHANNELS: Final = f"kafka-channel-ingress.{_KAFKA}"
"""What the Services of KafkaChannels stand for."""
RABBITMQ_ENDING: Final = "-broker-ingress"
"""End of the name of a Broker's own host; the path is ``/``."""
