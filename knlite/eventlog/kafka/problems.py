"""What Kafka's errors mean for a person: its own words, and what can be done.

Source: Apache Kafka protocol guide, error codes; Eventing reference §17 (reasons of conditions).
"""

import os
import socket
import ssl
from dataclasses import dataclass

from aiokafka import errors

from knlite.errors import KnliteError
from knlite.eventing.kafka.backing import KafkaServer

NO_ADMIN = "Failed to obtain Kafka cluster admin"
NOT_PRESENT = "Topic is not present or invalid"
GROUP_FAILED = "failed to reconcile consumer group"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something does not work now, as a condition says it."""

    reason: str
    cause: str
    """In the server's words."""
    fix: str

    @property
    def message(self) -> str:
        return f"{self.cause}; {self.fix}" if self.fix else self.cause


class Refused(KnliteError):
    """What was asked for is not done, and trying again alone will not help."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.reason, cause=trouble.cause, fix=trouble.fix)
        self.trouble = trouble


def create_failed(topic: str) -> str:
    """The reason of a topic that could not be made."""
    return f"Failed to create topic: {topic}"


def trouble_of(exc: BaseException, reason: str, server: KafkaServer) -> Trouble:
    """What *exc*, an error of the library or of the connection, says."""
    return Trouble(reason, words(exc), _fix(exc, server))


def trouble_of_code(code: int, message: str | None, reason: str, server: KafkaServer) -> Trouble:
    """The same for an error that stands in an answer."""
    exc = errors.for_code(code)()
    said = f"{_title(exc)}: {message}" if message else words(exc)
    return Trouble(reason, said, _fix(exc, server))


def words(exc: BaseException) -> str:
    """What the server said, or what became of the connection; never more than a few lines."""
    if isinstance(exc, errors.BrokerResponseError):
        said = ", ".join(str(arg) for arg in exc.args if arg)
        text = f"{_title(exc)}: {said or exc.description or ''}"
    elif isinstance(exc, errors.KafkaError):
        said = ", ".join(str(arg) for arg in exc.args if arg)
        text = f"{type(exc).__name__.removesuffix('Error')}: {said}" if said else _title(exc)
    elif isinstance(exc, TimeoutError):
        text = "there was no answer in time"
    elif isinstance(exc, ConnectionError) and exc.errno:
        # Event loops have words of their own.
        text = os.strerror(exc.errno)
    elif isinstance(exc, OSError) and exc.strerror:
        text = exc.strerror
    elif isinstance(exc, ConnectionError) and not str(exc):
        text = "it closed the connection"
    else:
        text = f"{type(exc).__name__}: {exc}"
    return text.strip().rstrip(".")[:500]


def who(server: KafkaServer) -> str:
    """As whom knlite asks there."""
    if server.user:
        return f"User:{server.user}"
    return "the client of the certificate" if server.certificate else "User:ANONYMOUS"


def _title(exc: BaseException) -> str:
    return type(exc).__name__.removesuffix("Error")


def _fix(exc: BaseException, server: KafkaServer) -> str:
    addresses = ",".join(server.bootstrap)
    match exc:
        case errors.SaslAuthenticationFailed() | errors.AuthenticationFailedError():
            return f"correct user and password in the Secret ({who(server)})"
        case errors.UnsupportedSaslMechanismError():
            return "set sasl.mechanism in the Secret to one that the server offers"
        case errors.TopicAuthorizationFailedError():
            return f"allow {who(server)} to describe, read, write and create the topic"
        case errors.GroupAuthorizationFailedError():
            return f"allow {who(server)} to describe, read and delete the group"
        case errors.InconsistentGroupProtocolError():
            return (
                "read with a group of your own: who is in this one shares its partitions neither"
                " by ranges nor round-robin"
            )
        case errors.InvalidSessionTimeoutError():
            return "let group.min.session.timeout.ms of the server be 6000 at most"
        case errors.ClusterAuthorizationFailedError():
            return f"allow {who(server)} to create topics, or create this one"
        case errors.InvalidReplicationFactorError():
            return "ask for no more replicas than the cluster has brokers"
        case errors.InvalidPartitionsError():
            return "ask for another number of partitions"
        case errors.InvalidConfigurationError() | errors.PolicyViolationError():
            return "correct the configuration of the topic"
        case errors.UnknownTopicOrPartitionError():
            return "create the topic"
        case ssl.SSLError():
            return (
                "set ca.crt in the Secret to what has signed the server's certificate, and"
                " user.crt and user.key to what the server wants"
            )
        case errors.KafkaConnectionError() | ConnectionResetError():
            return f"see whether the Kafka at {addresses} is at work, and takes {server.protocol}"
        case ValueError():
            return "correct protocol, sasl.mechanism, bootstrap.servers or the name"
        case socket.gaierror():
            return f"correct bootstrap.servers ({addresses})"
        case ConnectionRefusedError():
            return f"start a Kafka at {addresses}, or correct bootstrap.servers"
        case _:
            return f"see whether the Kafka at {addresses} is at work"
