"""Addresses: where an instance is reached, what its hosts file says, where it listens."""

import pytest

from knlite.runtime.docker.network import (
    HOST_GATEWAY,
    Network,
    extra_hosts,
    instance_address,
    parse_listeners,
)
from knlite.serving.instance import Address

BRIDGE = Network("bridge", "bridge", "172.17.0.1")
PUBLISHED = Network("published", "bridge", HOST_GATEWAY)
JOINED = Network("joined", "compose_default", "172.20.0.2")


@pytest.mark.parametrize(
    ("network", "addresses"),
    [(BRIDGE, ("172.17.0.1",)), (PUBLISHED, ()), (JOINED, ("172.20.0.2",))],
    ids=["bridge", "published", "joined"],
)
def test_the_gateway_must_listen_where_containers_look(
    network: Network, addresses: tuple[str, ...]
) -> None:
    assert network.bind_addresses() == addresses


def test_hosts_are_the_known_names_and_those_in_the_environment() -> None:
    env = {
        "K_SINK": "http://hello.default.svc.cluster.local:8080/x",
        "API": "https://example.com/",
        "ODD": "http://[",
        "PLAIN": "word.svc.cluster.local",
    }
    assert extra_hosts(env, ["web.default.svc.cluster.local"], "172.17.0.1") == {
        "hello.default.svc.cluster.local": "172.17.0.1",
        "web.default.svc.cluster.local": "172.17.0.1",
    }


@pytest.mark.parametrize(
    ("network", "settings", "address"),
    [
        pytest.param(
            BRIDGE,
            {"Networks": {"bridge": {"IPAddress": "172.17.0.5"}}},
            Address("172.17.0.5", 8080),
            id="bridge",
        ),
        pytest.param(
            JOINED,
            {"IPAddress": "", "Networks": {"compose_default": {"IPAddress": "172.20.0.7"}}},
            Address("172.20.0.7", 8080),
            id="joined",
        ),
        pytest.param(
            PUBLISHED,
            {"Ports": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "49153"}]}},
            Address("127.0.0.1", 49153),
            id="published",
        ),
        pytest.param(PUBLISHED, {"Ports": {}}, None, id="published but ended"),
        pytest.param(BRIDGE, {"Networks": {"bridge": {"IPAddress": ""}}}, None, id="ended"),
    ],
)
def test_an_instance_is_reached_where_the_engine_put_it(
    network: Network, settings: dict[str, object], address: Address | None
) -> None:
    assert instance_address({"NetworkSettings": settings}, network, 8080) == address


def test_only_listening_sockets_are_told() -> None:
    table = (
        "  sl  local_address rem_address   st tx_queue rx_queue\n"
        "   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000\n"
        "   1: 050011AC:1F90 010011AC:D431 01 00000000:00000000\n"
    )
    assert parse_listeners(table) == (Address("127.0.0.1", 3000),)


def test_an_ipv6_listener_is_read_word_by_word() -> None:
    table = "head\n 0: 00000000000000000000000001000000:1F90 0:0 0A 0\n"
    assert parse_listeners(table) == (Address("::1", 8080),)
