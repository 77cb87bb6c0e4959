"""The servers that benchmarks measure against: the ones that tests use, started for the occasion.

One that ``KNLITE_TEST_RABBITMQ`` (``amqp://…``) or ``KNLITE_TEST_KAFKA`` (``HOST:PORT``) names is
taken as it is.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.servers.kafka import kafka_of
from tests.servers.rabbitmq import rabbitmq_of
from tests.servers.server import Server

CLASSES = {"rabbitmq": "RabbitMQBroker", "kafka": "Kafka"}

_RABBITMQ = """apiVersion: v1
kind: Secret
metadata: {{name: rabbitmq, namespace: bench}}
stringData:
  uri: {host}
  port: "{port}"
  username: "{user}"
  password: "{password}"
  vhost: "{vhost}"
---
"""
_KAFKA = """apiVersion: v1
kind: ConfigMap
metadata: {{name: kafka, namespace: bench}}
data:
  bootstrap.servers: {address}
  default.topic.partitions: "10"
  default.topic.replication.factor: "1"
---
"""
# Events of 64 KiB fill the memory of a server that is meant for tests before it writes them out.
_RABBITMQ_ROOM = """\
vm_memory_high_watermark.absolute = 2GB
raft.wal_max_size_bytes = 67108864
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A server, and how a client and a Broker name it."""

    server: Server
    address: str
    """As its client library wants it."""
    manifests: str
    """What holds its address for Brokers, in the namespace ``bench``."""
    config: str
    """``spec.config`` of such a Broker, as one line of YAML."""


@contextmanager
def places(engines: list[str], folder: Path) -> Iterator[dict[str, Place]]:
    """The servers of those *engines* that need one, until the block ends; theirs is in *folder*."""
    with ExitStack() as stack:
        found = dict[str, Place]()
        try:
            for engine in engines:
                if engine in CLASSES:
                    own = folder / engine
                    own.mkdir()
                    found[engine] = stack.enter_context(_PLACES[engine](own))
        except pytest.skip.Exception as error:
            sys.exit(str(error))
        yield found


@contextmanager
def _rabbitmq(folder: Path) -> Iterator[Place]:
    with rabbitmq_of(folder) as server:
        if server.is_own:
            with (folder / "rabbitmq.conf").open("a") as configuration:
                configuration.write(_RABBITMQ_ROOM)
            server.restart()
        user, password, vhost = server.username, server.password, server.vhost
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        address = f"amqp://{login}@{server.host}:{server.port}/{quote(vhost, safe='')}"
        manifests = _RABBITMQ.format(
            host=server.host, port=server.port, user=user, password=password, vhost=vhost
        )
        config = "{apiVersion: v1, kind: Secret, name: rabbitmq}"
        yield Place(server, address, manifests, config)


@contextmanager
def _kafka(folder: Path) -> Iterator[Place]:
    with kafka_of(folder) as server:
        manifests = _KAFKA.format(address=server.bootstrap)
        config = "{apiVersion: v1, kind: ConfigMap, name: kafka}"
        yield Place(server, server.bootstrap, manifests, config)


_PLACES = {"rabbitmq": _rabbitmq, "kafka": _kafka}
