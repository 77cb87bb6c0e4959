"""What Kafka's errors say to people."""

import socket
import ssl

import pytest
from aiokafka import errors

from knlite.eventing.kafka.backing import KafkaServer
from knlite.eventlog.kafka.connecting import connecting
from knlite.eventlog.kafka.problems import NO_ADMIN, Refused, trouble_of, trouble_of_code

SERVER = KafkaServer(
    bootstrap=("kafka:9092",),
    protocol="SASL_PLAINTEXT",
    user="alice",
    password="secret-word",
    key="secret-key",
)


@pytest.mark.parametrize(
    ("exc", "cause", "fix"),
    [
        (ConnectionRefusedError(111, "x"), "Connection refused", "start a Kafka at kafka:9092"),
        (TimeoutError(), "there was no answer in time", "is at work"),
        (
            errors.SaslAuthenticationFailed("Invalid username or password"),
            "SaslAuthenticationFailed: Invalid username or password",
            "correct user and password in the Secret (User:alice)",
        ),
        (
            errors.TopicAuthorizationFailedError("orders"),
            "TopicAuthorizationFailed: orders",
            "allow User:alice",
        ),
        (errors.KafkaConnectionError("closed"), "closed", "takes SASL_PLAINTEXT"),
        (socket.gaierror(-2, "Name or service not known"), "Name or", "correct bootstrap.servers"),
        (ConnectionResetError(), "it closed the connection", "takes SASL_PLAINTEXT"),
        (ssl.SSLCertVerificationError(1, "verify failed"), "verify failed", "ca.crt"),
        (ValueError("no port"), "no port", "bootstrap.servers"),
    ],
)
def test_every_trouble_has_the_servers_words_and_says_what_to_do(
    exc: Exception, cause: str, fix: str
) -> None:
    trouble = trouble_of(exc, NO_ADMIN, SERVER)
    assert cause in trouble.cause
    assert fix in trouble.fix
    assert "secret" not in trouble.message.replace("Secret", "")


def test_an_answer_brings_the_servers_own_sentence() -> None:
    trouble = trouble_of_code(38, "Replication factor: 3 larger than 1.", "Failed", SERVER)
    assert trouble.cause == "InvalidReplicationFactor: Replication factor: 3 larger than 1."
    assert "no more replicas" in trouble.fix


def test_secrets_are_in_no_repr() -> None:
    assert "secret" not in repr(SERVER)


@pytest.mark.parametrize("field", ["ca", "certificate"])
def test_certificates_that_are_none_are_refused(field: str) -> None:
    server = KafkaServer(bootstrap=("kafka:9092",), protocol="SSL", **{field: "hello"})
    with pytest.raises(Refused) as caught:
        connecting(server)
    assert "hello" not in str(caught.value)
    assert "PEM" in caught.value.fix
