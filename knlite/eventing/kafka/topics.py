"""Topics: how they are called, how they are made, and at which servers, as ConfigMaps say it.

Source: Eventing data plane reference §9.2; knative-extensions/eventing-kafka-broker
``control-plane/pkg/kafka/topic.go``; Apache Kafka ``org.apache.kafka.common.internals.Topic``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from knlite.eventing.backing import Problem
from knlite.kinds.config.kafkafeatures import named
from knlite.kinds.config.servers import (
    BOOTSTRAP_SERVERS,
    TOPIC_PARTITIONS,
    TOPIC_REPLICATION,
    TOPIC_SETTING,
)
from knlite.kinds.config.values import ConfigInvalid, Values
from knlite.kinds.meta import ObjectMeta

_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}", re.ASCII)
_SERVER = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]]+):(\d{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicConfig:
    """How a topic is made, and where."""

    bootstrap: tuple[str, ...]
    partitions: int
    replication: int
    settings: Mapping[str, str] = field(default_factory=dict)


def topic_config(entries: Mapping[str, str], where: str) -> TopicConfig | Problem:
    """What the *entries* of the ConfigMap *where* say of topics."""
    values = Values(entries)
    try:
        partitions = values.integer(TOPIC_PARTITIONS, 0, bits=32)
        replication = values.integer(TOPIC_REPLICATION, 0, bits=16)
    except ConfigInvalid as exc:
        text = f"failed to parse config map {where}: {exc}"
        return Problem("ConfigMapInvalid", text)
    bootstrap = bootstrap_servers(entries.get(BOOTSTRAP_SERVERS, ""), where)
    if isinstance(bootstrap, Problem):
        return bootstrap
    if partitions <= 0 or replication <= 0:
        text = (
            f"error validating topic config from configmap {where}: invalid configuration -"
            f" numPartitions: {partitions} - replicationFactor: {replication}; both must be at"
            f" least 1 (keys: {TOPIC_PARTITIONS}, {TOPIC_REPLICATION})"
        )
        return Problem("ConfigMapInvalid", text)
    return TopicConfig(
        bootstrap=bootstrap,
        partitions=partitions,
        replication=replication,
        settings={
            key.removeprefix(TOPIC_SETTING): value
            for key, value in entries.items()
            if key.startswith(TOPIC_SETTING) and key != TOPIC_SETTING
        },
    )


def bootstrap_servers(text: str, where: str) -> tuple[str, ...] | Problem:
    """The servers in *text*, which stands in the ConfigMap *where*."""
    found = tuple(each for part in text.split(",") if (each := part.strip()))
    if not found:
        missing = f"configmap {where} names no servers (key: {BOOTSTRAP_SERVERS})"
        return Problem("ConfigMapInvalid", missing)
    return servers_checked(found)


def servers_checked(servers: tuple[str, ...]) -> tuple[str, ...] | Problem:
    """*servers*, if each is a host and a port."""
    for each in servers:
        match = _SERVER.fullmatch(each)
        if match is None or not 0 < int(match[2]) < 65536:
            text = f'"{each}" is no server: write host:port, as 127.0.0.1:9092'
            return Problem("BootstrapServersInvalid", text)
    return servers


def topic_name(template: str, meta: ObjectMeta) -> str | Problem:
    """The topic that *template* gives the object of *meta*."""
    try:
        name = named(template, meta)
    except ConfigInvalid as exc:
        return Problem("TopicNameInvalid", str(exc))
    return topic_checked(name)


def topic_checked(name: str) -> str | Problem:
    """*name*, if Kafka can have a topic that is called so."""
    if _NAME.fullmatch(name) is None or name in {".", ".."}:
        text = (
            f'"{name}" cannot be the name of a topic: it has 1 to 249 letters, digits, ".", "_"'
            ' and "-"'
        )
        return Problem("TopicNameInvalid", text)
    return name
