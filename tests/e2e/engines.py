"""The four engines that keep events, as a Broker asks for them: by its class and its config.

``on_all_engines`` runs a test, whose Brokers come from ``Space.broker``, once for each.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from tests.servers.kafka import Kafka
from tests.servers.rabbitmq import RabbitMQ

ENGINES = ("memory", "sqlite", "rabbitmq", "kafka")
on_all_engines = pytest.mark.parametrize("kept", ENGINES, indirect=True)


@dataclass(frozen=True, slots=True)
class Kept:
    """Where Brokers keep their events."""

    engine: str
    broker_class: str
    config_kind: str = ""
    """Of what says where the server is; empty: there is none."""
    config: Mapping[str, str] = field(default_factory=dict)

    @property
    def on_server(self) -> bool:
        """Others may read there what a Broker writes; so it adds nothing to events."""
        return bool(self.config)


MEMORY = Kept("memory", "MTChannelBasedBroker")
SQLITE = Kept("sqlite", "knlite.dev/SQLite")


def on_rabbitmq(server: RabbitMQ) -> Kept:
    """As upstream: a Secret has the login."""
    login = {
        "uri": server.host,
        "port": str(server.port),
        "username": server.username,
        "password": server.password,
        "vhost": server.vhost,
    }
    encoded = {name: b64encode(value.encode()).decode() for name, value in login.items()}
    return Kept("rabbitmq", "RabbitMQBroker", "Secret", encoded)


def on_kafka(server: Kafka) -> Kept:
    """As upstream: a ConfigMap; with few partitions, which are made in no time."""
    config = {
        "bootstrap.servers": server.bootstrap,
        "default.topic.partitions": "3",
        "default.topic.replication.factor": "1",
    }
    return Kept("kafka", "Kafka", "ConfigMap", config)


def kept_by(request: pytest.FixtureRequest, engine: str) -> Kept:
    """By the name of an engine, whose server is started if it needs one."""
    if engine in ("rabbitmq", "kafka"):
        pytest.importorskip(f"knlite.eventlog.{engine}.engine")
    match engine:
        case "rabbitmq":
            return on_rabbitmq(request.getfixturevalue("rabbitmq"))
        case "kafka":
            return on_kafka(request.getfixturevalue("kafka"))
        case "sqlite":
            return SQLITE
        case _:
            return MEMORY
