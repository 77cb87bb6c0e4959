"""``docker-compose.yml``: knlite is told where the servers beside it are."""

from typing import Any

import pytest
import yaml

from tests.e2e.executable import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def told(name: str) -> str:
    """What ``--set`` says."""
    (found,) = [
        word.removeprefix(f"--set={name}=")
        for word in COMPOSE["services"]["knlite"]["command"]
        if word.startswith(f"--set={name}=")
    ]
    return str(found)


@pytest.mark.parametrize("server", ["rabbitmq", "kafka"])
def test_a_server_starts_when_its_profile_is_asked_for(server: str) -> None:
    assert COMPOSE["services"][server]["profiles"] == [server]


def test_rabbitmq_is_where_knlite_looks() -> None:
    assert told("rabbitmq-broker-config.uri") in COMPOSE["services"]


def test_kafka_tells_clients_the_address_that_knlite_is_told() -> None:
    advertised = COMPOSE["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    bootstrap = told("kafka-broker-config.bootstrap.servers")
    assert f"PLAINTEXT://{bootstrap}" in advertised.split(",")
    assert bootstrap.partition(":")[0] in COMPOSE["services"]
