"""Protobuf bodies as kubectl 1.32 and later send them (clients-api reference, Part 6)."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.apiserver.protobuf import MAGIC, Malformed, Unknown, decode
from tests.unit.apiserver.asking import CONFIGMAPS, Client


def field(number: int, value: bytes | str | int) -> bytes:
    """One field on the wire; all lengths here are below 128 or written in two bytes."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    found = b""
    while value > 0x7F:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


def body(api_version: str, kind: str, raw: bytes) -> bytes:
    return MAGIC + field(1, field(1, api_version) + field(2, kind)) + field(2, raw)


def entry(key: str, value: bytes | str) -> bytes:
    return field(1, key) + field(2, value)


NAMED = field(1, "http") + field(3, 80) + field(4, field(1, 1) + field(3, "web"))
NUMBERED = field(3, 81) + field(4, field(2, 8080))
META = field(1, field(1, "x") + field(11, entry("a", "1")))


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        pytest.param("Namespace", META + field(2, b"") + field(3, b""), {}, id="Namespace"),
        pytest.param(
            "ConfigMap",
            META
            + field(2, entry("k", "v"))
            + field(2, entry("l", "w"))
            + field(3, entry("b", b"\xff")),
            {"data": {"k": "v", "l": "w"}, "binaryData": {"b": b64encode(b"\xff").decode()}},
            id="ConfigMap",
        ),
        pytest.param(
            "Secret",
            META + field(2, entry("k", b"v")) + field(3, "Opaque") + field(5, 1),
            {"data": {"k": b64encode(b"v").decode()}, "type": "Opaque", "immutable": True},
            id="Secret",
        ),
        pytest.param(
            "Service",
            META
            + field(
                2,
                field(1, field(1, "http") + field(3, 80) + field(4, field(1, 1) + field(3, "web")))
                + field(1, field(3, 81) + field(4, field(2, 8080)))
                + field(4, "ClusterIP"),
            ),
            {
                "spec": {
                    "ports": [
                        {"name": "http", "port": 80, "targetPort": "web"},
                        {"port": 81, "targetPort": 8080},
                    ],
                    "type": "ClusterIP",
                }
            },
            id="Service",
        ),
    ],
)
def test_kinds(kind: str, raw: bytes, expected: dict[str, object]) -> None:
    assert decode(body("v1", kind, raw)) == {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": "x", "labels": {"a": "1"}},
        **expected,
    }


def test_options_of_a_deletion() -> None:
    raw = field(2, field(1, "u")) + field(4, "Foreground") + field(5, "All")
    assert decode(body("v1", "DeleteOptions", raw)) == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": "u"},
        "propagationPolicy": "Foreground",
        "dryRun": ["All"],
    }


def test_other_kinds_are_not_read() -> None:
    with pytest.raises(Unknown, match="PodDisruptionBudget"):
        decode(body("policy/v1", "PodDisruptionBudget", META))


@given(st.binary(max_size=80))
def test_no_bytes_break_the_decoder(noise: bytes) -> None:
    for data in (noise, MAGIC + noise, body("v1", "ConfigMap", noise)):
        try:
            decode(data)
        except (Malformed, Unknown):
            continue


def test_a_body_is_stored(client: Client) -> None:
    kind = {"Content-Type": "application/vnd.kubernetes.protobuf"}
    raw = META + field(2, entry("k", "v"))
    answer = client.ask("POST", CONFIGMAPS, body("v1", "ConfigMap", raw), kind)
    assert (answer.status_code, answer.json()["data"]) == (201, {"k": "v"})
    unread = client.ask("POST", CONFIGMAPS, body("v1", "Poem", raw), kind)
    assert unread.status_code == 415
    broken = client.ask("POST", CONFIGMAPS, b"k8s\x00\xff", kind)
    assert broken.status_code == 400


def test_a_deployment_as_kubectl_create_deployment_sends_it() -> None:
    port = field(2, 0) + field(3, 8080) + field(4, "")
    memory = field(1, "memory") + field(2, field(1, "64Mi"))
    probe = field(1, field(3, field(1, field(1, 0) + field(2, 80)))) + field(2, 5) + field(3, 0)
    container = (
        field(1, "main")
        + field(2, "example.com/main")
        + field(3, "sleep")
        + field(3, "1")
        + field(6, port)
        + field(8, field(1, memory))
        + field(10, probe)
        + field(16, 0)
    )
    source = field(2, field(1, "") + field(2, field(1, "10Mi")))
    pod = field(1, field(1, "v") + field(2, source)) + field(2, container) + field(4, 0)
    template = field(1, field(11, entry("app", "x")) + field(8, b"")) + field(2, pod + field(11, 0))
    spec = field(1, 0) + field(2, field(1, entry("app", "x"))) + field(3, template) + field(4, b"")
    found = decode(body("apps/v1", "Deployment", META + field(2, spec) + field(3, b"")))
    assert found["metadata"]["name"] == "x"
    assert found["spec"] == {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "x"}},
        "strategy": {},
        "template": {
            "metadata": {"labels": {"app": "x"}},
            "spec": {
                "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "10Mi"}}],
                "containers": [
                    {
                        "name": "main",
                        "image": "example.com/main",
                        "command": ["sleep", "1"],
                        "ports": [{"containerPort": 8080}],
                        "resources": {"limits": {"memory": "64Mi"}},
                        "livenessProbe": {"tcpSocket": {"port": 80}, "initialDelaySeconds": 5},
                    }
                ],
                "terminationGracePeriodSeconds": 0,
            },
        },
    }


def test_half_a_pod_is_refused() -> None:
    affinity = field(18, field(1, field(1, "x")))
    job = field(2, field(6, field(2, field(2, field(1, "main")) + affinity)))
    with pytest.raises(Unknown, match=r"field 18 .*\(kubectl apply -f FILE\)"):
        decode(body("batch/v1", "Job", META + job))
    nothing = field(2, field(6, field(2, field(2, field(1, "main")) + field(18, b""))))
    assert decode(body("batch/v1", "Job", META + nothing))["spec"]["template"]["spec"] == {
        "containers": [{"name": "main"}]
    }
