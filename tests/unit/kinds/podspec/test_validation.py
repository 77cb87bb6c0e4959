"""Knative reference §1.5, §1.6: the rules of pods and containers, and their texts."""

import pytest

from knlite.kinds.codec import decode
from knlite.kinds.config.features import FeaturesConfig
from knlite.kinds.fielderror import refusing, rendered
from knlite.kinds.podspec.fields import PodSpec
from knlite.kinds.podspec.validation import pod_errors

IMAGE = "example.com/shop"


def problems(tree: dict[str, object], flags: dict[str, str] | None = None) -> str:
    decoded = decode(PodSpec, tree)
    assert decoded.value is not None, decoded.problems
    return rendered(refusing(pod_errors(decoded.value, FeaturesConfig(flags or {}))))


def sole(**container: object) -> str:
    return problems({"containers": [{"name": "c", "image": IMAGE, **container}]})


@pytest.mark.parametrize(
    "container",
    [
        {},
        {"image": f"{IMAGE}@sha256:{'0' * 64}"},
        {"env": [{"name": "A", "value": "$(B)"}, {"name": "C"}]},
        {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
        {"envFrom": [{"prefix": "P_", "configMapRef": {"name": "m"}}]},
        {"ports": [{"containerPort": 3000}]},
        {"ports": [{"name": "h2c", "containerPort": 0, "protocol": "TCP"}]},
        {"ports": [{"containerPort": 8112}]},
        {"resources": {"requests": {"cpu": 0.5}, "limits": {"memory": "1Gi"}}},
        {"terminationMessagePolicy": "FallbackToLogsOnError", "terminationMessagePath": "/x"},
        {"command": ["a"], "args": ["b"], "workingDir": "/x", "imagePullPolicy": "Never"},
    ],
    ids=str,
)
def test_accepts(container: dict[str, object]) -> None:
    assert sole(**container) == ""


@pytest.mark.parametrize(
    ("container", "text"),
    [
        ({"image": ""}, "missing field(s): containers[0].image"),
        (
            {"image": "foo$bar"},
            "Failed to parse image reference: containers[0].image\n"
            'image: "foo$bar", error: could not parse reference: foo$bar',
        ),
        (
            {"name": "queue-proxy"},
            '"queue-proxy" is a reserved container name: containers[0].name',
        ),
        (
            {"lifecycle": {}, "tty": True},
            "must not set the field(s): containers[0].lifecycle, containers[0].tty",
        ),
        ({"env": [{"value": "x"}]}, "missing field(s): containers[0].env[0].name"),
        (
            {"env": [{"name": "A"}, {"name": "PORT"}]},
            '"PORT" is a reserved environment variable: containers[0].env[1].name',
        ),
        (
            {"env": [{"name": "K_SERVICE"}]},
            '"K_SERVICE" is a reserved environment variable: containers[0].env[0].name',
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {}}}]},
            "missing field(s): containers[0].env[0].valueFrom.secretKeyRef.key,"
            " containers[0].env[0].valueFrom.secretKeyRef.name",
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]},
            "must not set the field(s): containers[0].env[0].valueFrom.fieldRef",
        ),
        (
            {"envFrom": [{}]},
            "expected exactly one, got neither: containers[0].envFrom.configMapRef,"
            " containers[0].envFrom.secretRef",
        ),
        (
            {"envFrom": [{"configMapRef": {"name": "m"}, "secretRef": {"name": "s"}}]},
            "expected exactly one, got both: containers[0].envFrom.configMapRef,"
            " containers[0].envFrom.secretRef",
        ),
        (
            {"envFrom": [{"secretRef": {}}]},
            "missing field(s): containers[0].envFrom[0].secretRef.name",
        ),
        (
            {"ports": [{"containerPort": 1}, {"containerPort": 2}]},
            "more than one container port is set: containers[*].ports\n"
            "Only a single port is allowed across all containers",
        ),
        (
            {"ports": [{"containerPort": 8012}]},
            "invalid value: 8012 is a reserved port: containers[0].ports.containerPort\n"
            "8012 is a reserved port, please use a different value",
        ),
        (
            {"ports": [{"containerPort": 65536}]},
            "expected 0 <= 65536 <= 65535: containers[0].ports.containerPort",
        ),
        (
            {"ports": [{"name": "foo"}]},
            "Port name foo is not allowed: containers[0].ports\n"
            "Name must be empty, or one of: 'h2c', 'http1'",
        ),
        (
            {"ports": [{"protocol": "UDP"}]},
            "invalid value: UDP: containers[0].ports.protocol",
        ),
        (
            {"ports": [{"hostPort": 80}]},
            "must not set the field(s): containers[0].ports.hostPort",
        ),
        (
            {"resources": {"claims": [{}]}},
            "must not set the field(s): containers[0].resources.claims",
        ),
        (
            {"resources": {"limits": {"cpu": "1mi"}}},
            "invalid value: 1mi: containers[0].resources.limits[cpu]\n"
            "unable to parse quantity's suffix",
        ),
        (
            {"securityContext": {"runAsUser": -10}},
            "expected 0 <= -10 <= 2147483647: containers[0].securityContext.runAsUser",
        ),
        (
            {"terminationMessagePolicy": "x"},
            "invalid value: x: containers[0].terminationMessagePolicy",
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": True}]},
            "volumeMount has no matching volume: containers[0].volumeMounts[0].name",
        ),
        (
            {"readinessProbe": {"successThreshold": 1, "httpGet": {"port": "foo"}}},
            "invalid value: foo: containers[0].readinessProbe.httpGet.port\n"
            "Probe port must match container port",
        ),
        (
            {"livenessProbe": {}},
            "expected exactly one, got neither: containers[0].livenessProbe.exec,"
            " containers[0].livenessProbe.grpc, containers[0].livenessProbe.httpGet,"
            " containers[0].livenessProbe.tcpSocket",
        ),
    ],
)
def test_refuses_a_container(container: dict[str, object], text: str) -> None:
    assert sole(**container) == text


def test_a_probe_may_name_the_port_of_its_container() -> None:
    probe = {"successThreshold": 1, "tcpSocket": {"port": "h2c"}}
    assert sole(ports=[{"name": "h2c"}], readinessProbe=probe) == ""
    unnamed = {"successThreshold": 1, "tcpSocket": {"port": "http"}}
    assert sole(readinessProbe=unnamed) == ""


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ({}, "missing field(s): containers"),
        ({"containers": [{}]}, "missing field(s): containers[0]"),
        (
            {"containers": [{"name": "c", "image": IMAGE}], "nodeName": "n"},
            "must not set the field(s): nodeName",
        ),
        (
            {"containers": [{"name": "c", "image": IMAGE}], "securityContext": {"runAsUser": 1}},
            "must not set the field(s): securityContext, securityContext.runAsUser",
        ),
    ],
)
def test_refuses_a_pod(tree: dict[str, object], text: str) -> None:
    assert problems(tree) == text


def test_an_account_has_the_name_of_a_subdomain() -> None:
    found = problems(
        {"containers": [{"name": "c", "image": IMAGE}], "serviceAccountName": "foo@bar.baz"}
    )
    head, _, details = found.partition("\n")
    assert head == "invalid value: foo@bar.baz: serviceAccountName"
    assert details.startswith("a lowercase RFC 1123 subdomain must consist of")


SERVING = {"name": "s", "image": IMAGE, "ports": [{"containerPort": 8080}]}
SIDECAR = {"name": "c", "image": IMAGE}


def test_one_of_several_containers_has_the_port() -> None:
    assert problems({"containers": [SERVING, SIDECAR]}) == ""
    assert problems({"containers": [SIDECAR, {**SIDECAR, "name": "d"}]}) == (
        "missing field(s): containers[*].ports"
    )
    assert problems({"containers": [SERVING, SERVING]}) == (
        'duplicate container name "s": containers[1].name\n'
        "more than one container port is set: containers[*].ports\n"
        "Only a single port is allowed across all containers"
    )


def test_several_containers_can_be_switched_off() -> None:
    found = problems({"containers": [SERVING, SIDECAR]}, {"multi-container": "Disabled"})
    assert found == "multi-container is off, but found 2 containers: "


def test_a_sidecar_may_set_the_port_variable_but_not_the_names() -> None:
    sidecar = {**SIDECAR, "env": [{"name": "PORT"}, {"name": "K_REVISION"}]}
    assert problems({"containers": [SERVING, sidecar]}) == (
        '"K_REVISION" is a reserved environment variable: containers[1].env[1].name'
    )


def test_probes_of_sidecars_need_their_flag_and_a_port() -> None:
    probe = {"successThreshold": 1, "tcpSocket": {"port": 0}}
    tree: dict[str, object] = {"containers": [SERVING, {**SIDECAR, "readinessProbe": probe}]}
    assert problems(tree) == (
        "must not set the field(s): containers[1].readinessProbe.successThreshold,"
        " containers[1].readinessProbe.tcpSocket"
    )
    assert problems(tree, {"multi-container-probing": "Enabled"}) == (
        "invalid value: 0: containers[1].readinessProbe.tcpSocket.port\n"
        "Probe port must be specified"
    )


def test_init_containers_need_their_flag() -> None:
    tree: dict[str, object] = {"containers": [SIDECAR], "initContainers": [{"image": IMAGE}]}
    assert problems(tree) == (
        "must not set the field(s): initContainers\n"
        "pod spec support for init-containers is off, but found 1 init containers: "
    )


def test_an_init_container_has_no_probes_and_may_have_any_port() -> None:
    init = {
        "name": "c",
        "image": IMAGE,
        "ports": [{"name": "any"}, {"containerPort": 8012}],
        "env": [{"name": "PORT"}],
        "livenessProbe": {},
        "readinessProbe": {},
        "startupProbe": {},
    }
    tree: dict[str, object] = {"containers": [SIDECAR], "initContainers": [init]}
    assert problems(tree, {"kubernetes.podspec-init-containers": "Enabled"}) == (
        'duplicate container name "c": initContainers[0].name\n'
        "field not allowed in an init container: initContainers[0].livenessProbe,"
        " initContainers[0].readinessProbe, initContainers[0].startupProbe\n"
        "invalid value: 8012 is a reserved port: initContainers[0].ports.containerPort\n"
        "8012 is a reserved port, please use a different value"
    )


def test_an_insecure_pod_is_accepted_with_a_warning() -> None:
    decoded = decode(PodSpec, {"containers": [SIDECAR]})
    assert decoded.value is not None
    errors = pod_errors(decoded.value, FeaturesConfig())
    assert {error.level for error in errors} == {"warning"}
