"""Where a run listens (``docs/adr/0015``; README, "Addresses")."""

import socket
import sys
from collections.abc import Iterator

import pytest

from knlite.errors import Conflict, InvalidInput
from knlite.listening import LOOPBACK, Listening, listening_socket
from knlite.serving.instance import Address
from knlite.settings import Settings

BRIDGE = "127.0.0.2"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def opened(said: list[str]) -> Iterator[Listening]:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = probe.getsockname()[1]
    listening = Listening(Settings(port=port, admin_port=0), said.append)
    yield listening
    listening.close()


def test_the_admin_port_is_not_opened_to_others_without_a_token() -> None:
    settings = Settings(admin_address="0.0.0.0", admin_port=0)
    with pytest.raises(InvalidInput, match="must not be open to others"):
        Listening(settings, print).admin()


def test_local_processes_have_a_port_of_their_own(opened: Listening) -> None:
    gateway = opened.gateway()[0].getsockname()
    found, inner = opened.inner()
    assert inner == Address(LOOPBACK, found.getsockname()[1])
    assert inner.port != gateway[1]


@pytest.mark.skipif(sys.platform != "linux", reason="only one loopback address elsewhere")
def test_containers_reach_the_port_of_the_gateway_and_are_inside(
    opened: Listening, said: list[str]
) -> None:
    found = {each.getsockname() for each in opened.towards_containers((LOOPBACK, BRIDGE))}
    inside = opened.inside((BRIDGE,))
    # Port 80 is somebody's, or not for us, on many machines; then it is said.
    assert len(found) + len(said) == 2
    assert {Address(*each) for each in found} <= inside


def test_who_has_the_port_is_told_with_a_way_out() -> None:
    with listening_socket(LOOPBACK, 0, "--port") as taken, pytest.raises(Conflict) as caught:
        listening_socket(LOOPBACK, taken.getsockname()[1], "--port")
    assert caught.value.cause == "Address already in use"
    assert "--port" in caught.value.fix


def test_nothing_is_left_open(opened: Listening) -> None:
    sockets = [*opened.gateway(), opened.inner()[0]]
    opened.close()
    assert {each.fileno() for each in sockets} == {-1}
