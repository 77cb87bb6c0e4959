"""The ConfigMaps that say where the servers are that keep events (``knative-eventing``).

Brokers and channels refer to them, so they are read as they are. An installation brings them; here
they name a server on this machine with one node.

Source: Eventing data plane reference §9.2, §9.4. Differs: the class RabbitMQBroker has none
upstream, there every Broker names its cluster itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

KAFKA_BROKERS: Final = "kafka-broker-config"
KAFKA_CHANNELS: Final = "kafka-channel-config"
RABBITMQ_BROKERS: Final = "rabbitmq-broker-config"

# Of Kafka.
BOOTSTRAP_SERVERS: Final = "bootstrap.servers"
TOPIC_PARTITIONS: Final = "default.topic.partitions"
TOPIC_REPLICATION: Final = "default.topic.replication.factor"
TOPIC_SETTING: Final = "default.topic.config."
"""What the key of a setting of topics begins with."""
AUTH_SECRET: Final = "auth.secret.ref.name"
AUTH_SECRET_NAMESPACE: Final = "auth.secret.ref.namespace"

_HERE: Final = "127.0.0.1:9092"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerMap:
    """One of them: what stands in it, and what else may."""

    data: Mapping[str, str]
    keys: frozenset[str]
    prefix: str = ""
    """Keys that begin so are known, too."""

    def knows(self, key: str) -> bool:
        """Whether *key* means something."""
        return key in self.keys or bool(self.prefix and key.startswith(self.prefix))


SERVER_MAPS: Final[Mapping[str, ServerMap]] = {
    KAFKA_BROKERS: ServerMap(
        data={
            BOOTSTRAP_SERVERS: _HERE,
            TOPIC_PARTITIONS: "10",
            # Differs: 3 upstream, which a server with one node cannot do.
            TOPIC_REPLICATION: "1",
        },
        keys=frozenset((BOOTSTRAP_SERVERS, TOPIC_PARTITIONS, TOPIC_REPLICATION, AUTH_SECRET)),
        prefix=TOPIC_SETTING,
    ),
    KAFKA_CHANNELS: ServerMap(
        data={BOOTSTRAP_SERVERS: _HERE},
        keys=frozenset((BOOTSTRAP_SERVERS, AUTH_SECRET, AUTH_SECRET_NAMESPACE)),
    ),
    RABBITMQ_BROKERS: ServerMap(
        data={
            "uri": "127.0.0.1",
            "username": "guest",
            "password": "guest",
            "vhost": "/",
            "queueType": "quorum",
        },
        keys=frozenset(("uri", "port", "username", "password", "vhost", "queueType", AUTH_SECRET)),
    ),
}
"""By name."""
