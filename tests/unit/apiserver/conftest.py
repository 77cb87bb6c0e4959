"""A client of an admin port with one Broker, ``b``, in the namespace ``default``."""

import pytest

from tests.unit.apiserver.asking import Client
from tests.unit.registry.desk import broker, registry


@pytest.fixture
def client() -> Client:
    desk = registry()
    desk.create(broker(), user="test")
    return Client(desk)
