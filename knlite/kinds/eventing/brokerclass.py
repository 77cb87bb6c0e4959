"""The classes of Brokers that knlite has: where each keeps its events."""

from typing import Final

MT_CLASS: Final = "MTChannelBasedBroker"
"""In memory, as Knative's own with its InMemoryChannel."""
SQLITE_CLASS: Final = "knlite.dev/SQLite"
"""In a file below ``--data-dir``."""
KAFKA_CLASS: Final = "Kafka"
"""In a topic of a Kafka cluster."""
RABBITMQ_CLASS: Final = "RabbitMQBroker"
"""In queues of a RabbitMQ server."""

SERVER_CLASSES: Final = frozenset((KAFKA_CLASS, RABBITMQ_CLASS))
"""Those whose events a server of its own keeps, which ``spec.config`` names."""
