"""What the doctor says of a manifest's fields (Knative reference §1.5, §1.6)."""

import json
import socket
from pathlib import Path

import pytest

from knlite.cli.doctor import examine
from knlite.cli.doctorservers import extras
from knlite.settings import Settings

MANIFEST = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: web
spec:
  template:
    metadata:
      annotations:
        knlite.dev/command: ./serve
    spec:
      serviceAccountName: somebody
      containers:
        - image: example.com/web
          resources:
            limits: {memory: 64Mi}
          volumeMounts:
            - {name: config, mountPath: /etc/app, readOnly: true}
      volumes:
        - {name: config, configMap: {name: c}}
"""


BROKERS = """
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: default
  annotations: {eventing.knative.dev/broker.class: Kafka}
---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: other
  annotations: {eventing.knative.dev/broker.class: RabbitMQBroker}
spec:
  config: {apiVersion: v1, kind: Secret, name: nobody}
"""


def found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], **overrides: str
) -> dict[str, dict[str, str]]:
    """By subject, what is said of the manifests in *tmp_path*."""
    settings = Settings(
        runtime="process", cache_dir=tmp_path, overrides={"kafka-broker-config": overrides}
    )
    examine([tmp_path], settings, as_json=True)
    return {each["subject"]: each for each in json.loads(capsys.readouterr().out)["findings"]}


def test_servers_that_manifests_name_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "brokers.yaml").write_text(BROKERS)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        there = found(tmp_path, capsys, **{"bootstrap.servers": address})
    assert there["kafka server"]["verdict"] == "ok"
    assert there["kafka server"]["text"] == (
        f"{address} takes connections; for Broker default/default"
    )
    assert 'secrets "nobody" not found' in there["Broker default/other"]["text"]
    away = found(tmp_path, capsys, **{"bootstrap.servers": address})["kafka server"]
    assert away["verdict"] == "note"
    assert away["text"] == (
        f"{address}: Connection refused; not ready until it is there: Broker default/default"
    )
    assert "--set kafka-broker-config.bootstrap.servers" in away["fix"]


def test_what_admission_refuses_is_a_mistake_in_a_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "brokers.yaml").write_text(BROKERS.replace("Secret", "Sekret"))
    said = found(tmp_path, capsys)["manifest"]
    assert said["verdict"] == "problem"
    assert "Configuration not supported" in said["text"]


def test_an_extra_that_is_missing_is_told_with_the_command() -> None:
    (rabbitmq, kafka) = extras((), {"aio-pika": "10.0"}.get)
    assert (rabbitmq.verdict, rabbitmq.text) == ("ok", "aio-pika 10.0")
    assert kafka.verdict == "note"
    assert "aiokafka is not installed; only Brokers of the class Kafka" in kafka.text
    assert 'pip install "knlite[kafka]"' in kafka.fix


def test_fields_that_a_process_cannot_have_are_named_with_a_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "web.yaml").write_text(MANIFEST)
    examine([tmp_path], Settings(runtime="process", cache_dir=tmp_path), as_json=True)
    said = capsys.readouterr().out
    assert "cannot have the volume config at /etc/app (volumeMounts)" in said
    assert "--runtime docker" in said
    assert "without effect on a process instance: serviceAccountName, resources.limits" in said


def test_a_port_for_https_that_somebody_has_is_no_problem_yet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        examine([], Settings(runtime="process", cache_dir=tmp_path, tls_port=port), as_json=True)
    findings = json.loads(capsys.readouterr().out)["findings"]
    (found,) = [each for each in findings if each["subject"] == "HTTPS port"]
    assert found["verdict"] == "note"
    assert "--tls-port" in found["fix"]
