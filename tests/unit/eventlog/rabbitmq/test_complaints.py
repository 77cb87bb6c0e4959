"""What RabbitMQ's errors say to people."""

import socket

import pytest

from knlite.eventing.rabbitmq.backing import RabbitmqServer
from knlite.eventlog.rabbitmq.complaints import Trouble, of_connecting

SERVER = RabbitmqServer(host="rabbit.test", password="secret-word")


@pytest.mark.parametrize(
    ("exc", "message"),
    [
        (
            ConnectionRefusedError(111, "x"),
            "amqp://rabbit.test:5672: connection refused; start the server, or give its port",
        ),
        (
            socket.gaierror(-2, "Name or service not known"),
            "amqp://rabbit.test:5672: Name or service not known; check uri and port",
        ),
        (OSError("odd"), "amqp://rabbit.test:5672: odd; check uri and port"),
    ],
)
def test_why_there_is_no_connection_is_told_with_what_to_do(exc: Exception, message: str) -> None:
    assert of_connecting(exc, SERVER).message == message


def test_a_sentence_of_the_server_goes_on_with_what_to_do() -> None:
    assert Trouble("See the log.", "check the password").message == (
        "See the log; check the password"
    )
