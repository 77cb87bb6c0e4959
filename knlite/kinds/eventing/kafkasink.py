"""KafkaSink: an address that writes each event sent to it into a topic.

Source: knative-extensions/eventing-kafka-broker ``control-plane/pkg/apis/eventing/v1alpha1``;
Eventing reference §17.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import Conditions
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.appliedpolicy import AppliedPolicy
from knlite.kinds.fielderror import Errors, FieldError, generic, invalid
from knlite.kinds.meta import Fields, Int16, Int32, Object
from knlite.kinds.objectname import name_errors

BINARY: Final = "binary"
STRUCTURED: Final = "structured"
_IMMUTABLE: Final = "Immutable field updated"


class SecretName(Fields):
    """A Secret in the same namespace."""

    name: str = ""


class AuthSecret(Fields):
    """The Secret that says how to prove oneself."""

    ref: SecretName | None = None


class KafkaAuth(Fields):
    """How to prove oneself to the servers."""

    secret: AuthSecret | None = None


class KafkaSinkSpec(Fields):
    topic: str = ""
    num_partitions: Int32 | None = None
    replication_factor: Int16 | None = None
    bootstrap_servers: tuple[str, ...] = ()
    content_mode: str | None = None
    auth: KafkaAuth | None = None


class KafkaSinkStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    address: Addressable | None = None
    addresses: tuple[Addressable, ...] = ()
    policies: tuple[AppliedPolicy, ...] = ()


class KafkaSink(Object):
    """An address that writes events into a Kafka topic."""

    spec: KafkaSinkSpec = KafkaSinkSpec()
    status: KafkaSinkStatus = KafkaSinkStatus()


def owns_topic(spec: KafkaSinkSpec) -> bool:
    """Whether the topic comes and goes with the sink; else somebody else's must be there."""
    return spec.num_partitions is not None and spec.replication_factor is not None


def auth_secret(spec: KafkaSinkSpec) -> str:
    """The name of the Secret; empty if there is none."""
    secret = spec.auth.secret if spec.auth is not None else None
    return secret.ref.name if secret is not None and secret.ref is not None else ""


def defaulted(obj: KafkaSink, old: KafkaSink | None, config: Config) -> KafkaSink:
    """*obj* with a content mode."""
    if obj.spec.content_mode:
        return obj
    return msgspec.structs.replace(obj, spec=msgspec.structs.replace(obj.spec, content_mode=BINARY))


def validated(obj: KafkaSink, old: KafkaSink | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    spec = obj.spec
    errors: list[FieldError] = list(name_errors(obj))
    if spec.content_mode not in {BINARY, STRUCTURED}:
        errors.append(invalid(spec.content_mode, "spec.contentMode"))
    if not spec.bootstrap_servers:
        errors.append(invalid("[]", "spec.bootstrapServers"))
    if not spec.topic:
        errors.append(invalid("", "spec.topic"))
    if spec.replication_factor is not None and spec.replication_factor <= 0:
        errors.append(invalid(spec.replication_factor, "spec.replicationFactor"))
    if spec.num_partitions is not None and spec.num_partitions <= 0:
        errors.append(invalid(spec.num_partitions, "spec.numPartitions"))
    secret = spec.auth.secret if spec.auth is not None else None
    if secret is not None and secret.ref is not None and not secret.ref.name:
        errors.append(invalid("", "spec.auth.secret.ref.name"))
    if old is not None:
        errors.extend(
            generic(_IMMUTABLE, f"spec.{name}")
            for name, before, after in (
                ("topic", old.spec.topic, spec.topic),
                ("replicationFactor", old.spec.replication_factor, spec.replication_factor),
                ("numPartitions", old.spec.num_partitions, spec.num_partitions),
            )
            if before != after
        )
    return tuple(errors)
