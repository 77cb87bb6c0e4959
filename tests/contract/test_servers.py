"""What the tests may expect of the servers that they start (``tests/servers``)."""

from tests.servers.kafka import Kafka
from tests.servers.rabbitmq import RabbitMQ
from tests.servers.server import Server


def cycle(server: Server) -> None:
    assert server.answers()
    server.stop()
    assert not server.answers()
    server.start()
    server.kill()
    assert not server.answers()
    server.start()
    assert server.answers()


def test_a_rabbitmq_goes_away_and_comes_back(rabbitmq: RabbitMQ) -> None:
    cycle(rabbitmq)
    assert "guest" in rabbitmq.control("list_users")


def test_a_kafka_goes_away_and_comes_back(kafka: Kafka) -> None:
    cycle(kafka)
