"""A launch as container settings (Knative reference §4, runtime contract)."""

from dataclasses import replace

from knlite.runtime.docker.container import Settings, container_settings
from knlite.runtime.docker.network import HOST_GATEWAY, Network
from knlite.runtime.docker.owner import OWNER, Owner
from knlite.runtime.port import ContainerLaunch, Launch, Limits, Prepared, Security

BRIDGE = Network("bridge", "bridge", "172.17.0.1")
OWNED = Owner(host="laptop", boot="b", pid=7, started="1")
SERVING = ContainerLaunch(
    name="user-container", prepared=Prepared(None, "sha256:1"), env={"A": "1", "PORT": "1"}
)
LAUNCH = Launch(
    namespace="default",
    service="hello",
    revision="hello-00001",
    instance="hello-00001-abc",
    port=8080,
    serving=SERVING,
)


def settings(launch: Launch = LAUNCH, network: Network = BRIDGE, init: bool = True) -> Settings:
    return container_settings(
        launch, launch.serving, image="sha256:1", network=network, hosts={}, owner=OWNED, init=init
    )


def asking(**changes: object) -> Launch:
    return replace(LAUNCH, serving=replace(SERVING, **changes))


def test_the_port_is_the_runtimes_to_set() -> None:
    assert settings().container["environment"] == {"A": "1", "PORT": "8080"}


def test_nothing_that_was_not_asked_for_replaces_the_images_own() -> None:
    replaced = {"entrypoint", "command", "working_dir", "user", "ports"}
    assert not replaced & set(settings().container)


def test_root_is_a_user_that_can_be_asked_for() -> None:
    assert settings(asking(security=Security(user=0))).container["user"] == "0"


def test_a_container_gets_no_more_rights_than_a_server_needs() -> None:
    host = settings().host
    assert host["security_opt"] == ["no-new-privileges"]
    assert "NET_RAW" in host["cap_drop"]
    assert "privileged" not in host


def test_memory_is_limited_without_swap() -> None:
    host = settings(asking(limits=Limits(cpus=0.25, memory=1 << 26))).host
    assert host["mem_limit"] == host["memswap_limit"] == 1 << 26
    assert host["nano_cpus"] == 250_000_000


def test_a_port_is_published_only_where_containers_cannot_be_reached() -> None:
    assert "port_bindings" not in settings().host
    published = settings(network=Network("published", "bridge", HOST_GATEWAY))
    assert published.host["port_bindings"] == {8080: ("127.0.0.1", None)}
    assert published.container["ports"] == [8080]


def test_an_engine_without_an_init_program_is_not_asked_for_one() -> None:
    assert "init" not in settings(init=False).host


def test_a_name_that_is_too_long_for_a_host_is_none() -> None:
    assert settings().container["hostname"] == "hello-00001-abc"
    assert "hostname" not in settings(replace(LAUNCH, instance="x" * 64)).container


def test_the_owner_is_written_on_it() -> None:
    assert settings().container["labels"][OWNER] == OWNED.encode()
