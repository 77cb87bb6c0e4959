"""The classes of Brokers that knlite has: where each keeps its events."""

from typing import Final

MT_CLASS: Final = "MTChannelBasedBroker"
"""In memory, as Knative's own with its InMemoryChannel."""
SQLITE_CLASS: Final = "knlite.dev/SQLite"
"""In a file below ``--data-dir``."""
KAFKA_CLASS: Final = "Kafka"
"""In a topic of a Kafka cluster."""
KAFKA_NAMESPACED_CLASS: Final = "KafkaNamespaced"
"""The same with a data plane in the namespace of the Broker, which changes nothing here."""
RABBITMQ_CLASS: Final = "RabbitMQBroker"
"""In queues of a RabbitMQ server."""

KAFKA_CLASSES: Final = frozenset((KAFKA_CLASS, KAFKA_NAMESPACED_CLASS))
SERVER_CLASSES: Final = KAFKA_CLASSES | {RABBITMQ_CLASS}
"""Those whose events a server of its own keeps, which ``spec.config`` names."""
