"""The servers that a run of the tests needs: each started once, when a test first asks for it."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.servers.kafka import Kafka, kafka_of
from tests.servers.rabbitmq import RabbitMQ, rabbitmq_of

# What is found does not depend on how busy the machine is.
settings.register_profile("knlite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("knlite")


def pytest_configure() -> None:
    """Who ends the tests interrupts them, so that what they have started ends with them."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    # Scripts let what they start in the background ignore Ctrl-C, which all that the tests start
    # would inherit.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A RabbitMQ. Who stops it starts it again."""
    with rabbitmq_of(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A Kafka. Who stops it starts it again."""
    with kafka_of(tmp_path_factory.mktemp("kafka")) as server:
        yield server
