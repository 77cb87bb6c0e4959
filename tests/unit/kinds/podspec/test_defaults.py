"""Knative reference §1.7: what a pod gets that its manifest does not say."""

import pytest

from knlite.kinds.codec import encode
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.defaults import DefaultsConfig
from knlite.kinds.config.features import FeaturesConfig
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.defaults import pod_defaulted
from knlite.kinds.podspec.fields import (
    Capabilities,
    ConfigMapVolume,
    Container,
    ContainerPort,
    EmptyDirVolume,
    GRPCAction,
    HTTPGetAction,
    PodSpec,
    Probe,
    Resources,
    SecurityContext,
    TCPSocketAction,
    Volume,
    VolumeMount,
)

SHIPPED = Config()
PARENT = ObjectMeta(name="shop")


def stored(
    *containers: Container, config: Config = SHIPPED, init: tuple[Container, ...] = ()
) -> PodSpec:
    return pod_defaulted(PodSpec(containers=containers, init_containers=init), config, PARENT)


def sole(container: Container, config: Config = SHIPPED) -> Container:
    return stored(container, config=config).containers[0]


def test_the_visible_defaults_of_a_sole_container() -> None:
    assert encode(stored(Container(image="x.example/y"))) == {
        "containers": (
            {
                "name": "user-container",
                "image": "x.example/y",
                "resources": {},
                "readinessProbe": {"successThreshold": 1, "tcpSocket": {"port": 0}},
            },
        ),
        "enableServiceLinks": False,
    }


def names(pod: PodSpec) -> list[str]:
    return [each.name for each in (*pod.containers, *pod.init_containers)]


@pytest.mark.parametrize(
    ("given", "init", "expected"),
    [
        (("",), (), ["user-container"]),
        (("mine",), (), ["mine"]),
        (("", ""), (), ["user-container-0", "user-container-1"]),
        (("", "user-container-0", ""), (), [f"user-container-{i}" for i in (1, 0, 2)]),
        (("",), ("user-container",), ["user-container-0", "user-container"]),
        (("a",), ("",), ["a", "init-container"]),
        (("a",), ("", ""), ["a", "init-container-0", "init-container-1"]),
    ],
)
def test_unnamed_containers_get_names_nobody_has(
    given: tuple[str, ...], init: tuple[str, ...], expected: list[str]
) -> None:
    pod = stored(
        *(Container(name=name) for name in given),
        init=tuple(Container(name=name) for name in init),
    )
    assert names(pod) == expected


def test_names_come_from_the_configured_template() -> None:
    config = Config(defaults=DefaultsConfig(container_name_template="c-{{.Name}}"))
    assert sole(Container(), config).name == "c-shop"


def test_only_the_container_with_the_port_gets_a_probe() -> None:
    serving, sidecar = stored(Container(ports=(ContainerPort(),)), Container()).containers
    assert serving.readiness_probe == Probe(tcp_socket=TCPSocketAction(), success_threshold=1)
    assert sidecar.readiness_probe is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            Probe(http_get=HTTPGetAction(path="/ready")),
            Probe(http_get=HTTPGetAction(path="/ready"), success_threshold=1),
            id="aggressive probing keeps zeros",
        ),
        pytest.param(
            Probe(period_seconds=5),
            Probe(
                period_seconds=5,
                tcp_socket=TCPSocketAction(),
                success_threshold=1,
                failure_threshold=3,
                timeout_seconds=1,
            ),
            id="Kubernetes' probing gets Kubernetes' numbers",
        ),
        pytest.param(
            Probe(grpc=GRPCAction(), success_threshold=2),
            Probe(grpc=GRPCAction(service=""), success_threshold=2),
            id="gRPC asks for the whole server",
        ),
    ],
)
def test_readiness_probes_are_completed(given: Probe, expected: Probe) -> None:
    assert sole(Container(readiness_probe=given)).readiness_probe == expected


def test_liveness_and_startup_probes_are_left_to_kubernetes_but_for_grpc() -> None:
    probe = Probe(period_seconds=5)
    container = sole(Container(liveness_probe=probe, startup_probe=Probe(grpc=GRPCAction())))
    assert container.liveness_probe == probe
    assert container.startup_probe == Probe(grpc=GRPCAction(service=""))


def test_configured_resources_fill_up_what_is_not_said() -> None:
    config = Config(
        defaults=DefaultsConfig(revision_cpu_request="100m", revision_memory_limit="1Gi")
    )
    given = Resources(requests={"cpu": "1"}, limits={"cpu": "2"})
    assert sole(Container(resources=given), config).resources == Resources(
        requests={"cpu": "1"}, limits={"memory": "1Gi", "cpu": "2"}
    )


def test_what_comes_from_outside_is_mounted_read_only() -> None:
    volumes = (
        Volume(name="map", config_map=ConfigMapVolume()),
        Volume(name="scratch", empty_dir=EmptyDirVolume()),
    )
    mounts = tuple(VolumeMount(name=name) for name in ("map", "scratch", "unknown"))
    pod = PodSpec(containers=(Container(volume_mounts=mounts),), volumes=volumes)
    found = pod_defaulted(pod, Config(), PARENT).containers[0].volume_mounts
    assert [mount.read_only for mount in found] == [True, None, True]


def test_service_links_follow_the_configuration() -> None:
    config = Config(defaults=DefaultsConfig(enable_service_links=None))
    assert stored(Container(), config=config).enable_service_links is None
    said = PodSpec(containers=(Container(),), enable_service_links=True)
    assert pod_defaulted(said, Config(), PARENT).enable_service_links is True


def test_containers_are_secured_when_that_is_wanted() -> None:
    config = Config(features=FeaturesConfig({"secure-pod-defaults": "Enabled"}))
    container = sole(Container(ports=(ContainerPort(container_port=80),)), config)
    assert container.security_context == SecurityContext(
        allow_privilege_escalation=False,
        seccomp_profile={"type": "RuntimeDefault"},
        capabilities=Capabilities(drop=("ALL",), add=("NET_BIND_SERVICE",)),
        run_as_non_root=True,
    )
    bounded = Config(features=FeaturesConfig({"secure-pod-defaults": "AllowRootBounded"}))
    context = sole(Container(), bounded).security_context
    assert context is not None
    assert context.run_as_non_root is None
    assert context.capabilities == Capabilities(drop=("ALL",))


def test_what_the_manifest_says_stays_as_it_is() -> None:
    config = Config(features=FeaturesConfig({"secure-pod-defaults": "Enabled"}))
    said = SecurityContext(
        allow_privilege_escalation=True,
        seccomp_profile={"type": "Unconfined"},
        capabilities=Capabilities(),
        run_as_non_root=False,
    )
    assert sole(Container(security_context=said), config).security_context == said


@pytest.mark.parametrize("secure", ["Disabled", "Enabled"])
def test_defaulting_twice_changes_nothing(secure: str) -> None:
    config = Config(features=FeaturesConfig({"secure-pod-defaults": secure}))
    once = stored(Container(), Container(ports=(ContainerPort(),)), config=config)
    assert pod_defaulted(once, config, PARENT) == once
