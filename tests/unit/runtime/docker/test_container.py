"""A launch as container settings (Knative reference §4, runtime contract)."""

import re
from dataclasses import replace

import pytest

from knlite.errors import InstanceFailed
from knlite.runtime.docker.container import Image, Settings, serving_settings, sidecar_settings
from knlite.runtime.docker.network import HOST_GATEWAY, Network
from knlite.runtime.docker.owner import OWNER, Owner
from knlite.runtime.port import ContainerLaunch, Launch, Prepared
from knlite.serving.container import Limits, Security

BRIDGE = Network("bridge", "bridge", "172.17.0.1")
OWNED = Owner(host="laptop", boot="b", pid=7, started="1")
SERVING = ContainerLaunch(
    name="user-container", prepared=Prepared(None, "sha256:1"), env={"A": "1", "PORT": "1"}
)
IMAGE = Image(id="sha256:1", name="reg.io/hello", user="app:staff")
LAUNCH = Launch(
    namespace="default",
    service="hello",
    revision="hello-00001",
    instance="hello-00001-abc",
    port=8080,
    serving=SERVING,
)


def settings(launch: Launch = LAUNCH, network: Network = BRIDGE, init: bool = True) -> Settings:
    return serving_settings(launch, IMAGE, network=network, hosts={}, owner=OWNED, init=init)


def asking(**changes: object) -> Launch:
    return replace(LAUNCH, serving=replace(SERVING, **changes))


def test_the_port_is_the_runtimes_to_set() -> None:
    assert settings().container["environment"] == {"A": "1", "PORT": "8080"}


def test_what_serves_nobody_has_no_port() -> None:
    silent = replace(LAUNCH, port=0, serving=replace(SERVING, env={"A": "1"}))
    published = settings(silent, Network("published", "bridge", HOST_GATEWAY))
    assert published.container["environment"] == {"A": "1"}
    assert "ports" not in published.container
    assert "port_bindings" not in published.host


def test_nothing_that_was_not_asked_for_replaces_the_images_own() -> None:
    replaced = {"entrypoint", "command", "working_dir", "user", "ports"}
    assert not replaced & set(settings().container)


def test_root_is_a_user_that_can_be_asked_for() -> None:
    assert settings(asking(security=Security(user=0))).container["user"] == "0"


def test_a_group_without_a_user_leaves_the_images_user() -> None:
    assert settings(asking(security=Security(group=3))).container["user"] == "app:3"
    assert settings(asking(security=Security(user=7, group=3))).container["user"] == "7:3"


@pytest.mark.parametrize(
    ("user", "security", "sentence"),
    [
        pytest.param("", Security(non_root=True), "image will run as root", id="no user"),
        pytest.param("0", Security(non_root=True), "image will run as root", id="root"),
        pytest.param("app", Security(non_root=True), "non-numeric user (app)", id="a name"),
        pytest.param("9", Security(non_root=True, user=0), "will run as root", id="asked for"),
    ],
)
def test_what_may_not_be_root_is_refused_unless_it_certainly_is_not(
    user: str, security: Security, sentence: str
) -> None:
    image = replace(IMAGE, user=user)
    launch = asking(security=security)
    with pytest.raises(InstanceFailed, match=re.escape(sentence)) as failed:
        serving_settings(launch, image, network=BRIDGE, hosts={}, owner=OWNED, init=True)
    assert failed.value.reason == "CreateContainerConfigError"


def test_rights_are_those_that_the_manifest_names() -> None:
    asked = Security(
        escalation=True,
        read_only_root=True,
        add=("NET_RAW",),
        seccomp="Unconfined",
        supplemental_groups=(5,),
    )
    host = settings(asking(security=asked)).host
    assert host["security_opt"] == ["seccomp=unconfined"]
    assert host["cap_add"] == ["NET_RAW"]
    assert "NET_RAW" not in host["cap_drop"]
    assert host["read_only"] is True
    assert host["group_add"] == ["5"]
    assert settings(asking(security=Security(drop=("ALL",)))).host["cap_drop"] == ["ALL"]


def test_a_request_becomes_a_share() -> None:
    assert settings(asking(limits=Limits(cpus=1, cpu_request=0.125))).host["cpu_shares"] == 128
    assert settings(asking(limits=Limits(cpus=0.5))).host["cpu_shares"] == 512
    assert "cpu_shares" not in settings().host


def test_a_sidecar_joins_the_network_and_has_no_port_of_its_own() -> None:
    sidecar = replace(SERVING, name="log", env={"A": "1"})
    made = sidecar_settings(LAUNCH, sidecar, IMAGE, owner=OWNED, init=True)
    assert made.host["network_mode"] == "container:hello-00001-abc"
    assert "extra_hosts" not in made.host
    assert made.container["name"] == "hello-00001-abc-log"
    assert made.container["environment"] == {"A": "1"}
    assert "hostname" not in made.container


def test_a_container_gets_no_more_rights_than_a_server_needs() -> None:
    host = settings().host
    assert host["security_opt"] == ["no-new-privileges"]
    assert "NET_RAW" in host["cap_drop"]
    assert "privileged" not in host


def test_memory_is_limited_without_swap() -> None:
    host = settings(asking(limits=Limits(cpus=0.25, memory=1 << 26))).host
    assert host["mem_limit"] == host["memswap_limit"] == 1 << 26
    assert host["nano_cpus"] == 250_000_000


def test_no_less_of_a_processor_is_asked_for_than_the_kernel_gives() -> None:
    assert settings(asking(limits=Limits(cpus=0.0001))).host["nano_cpus"] == 10_000_000


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
