"""What the Kafka engine must know of a resource: where its servers are, and its topics.

Source: Eventing data plane reference §9.2 (topics, ConfigMap, Secret); Eventing reference §17.
Not here: how a kind's fields and its Secret come to this (``resources.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
KeyType = Literal["", "string", "int", "float", "byte-array"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaServer:
    """A cluster of Kafka brokers, and who asks there."""

    bootstrap: tuple[str, ...]
    """``host:port`` of some of its brokers."""
    protocol: Protocol = "PLAINTEXT"
    mechanism: str = ""
    """Of SASL: ``PLAIN``, ``SCRAM-SHA-256``, ``SCRAM-SHA-512``."""
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    """PEM; empty: those that the machine trusts."""
    certificate: str = ""
    """PEM of a client that proves itself by TLS; so is the next."""
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaBacking:
    """The topics of one resource; one that takes events has exactly one."""

    server: KafkaServer
    topics: tuple[str, ...]
    external: bool = False
    """Somebody else's topics: never created, never deleted."""
    partitions: int = 10
    replication: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)
    """Configuration of the topic when it is created, such as ``retention.ms``."""
    structured: bool = False
    """Events are written in structured mode (``contentMode`` of a KafkaSink)."""
    foreign: str = ""
    """What the ``source`` of records that are no CloudEvents begins with; the topic follows after
    ``#``. Empty: such records are discarded and counted."""
    key_type: KeyType = ""
    """How the key of such a record is read: label ``kafkasources.sources.knative.dev/key-type``."""
    initial: Literal["earliest", "latest"] = "latest"
    """Where a reader begins whose group has committed nothing yet."""
