"""What the doctor says of a manifest's fields (Knative reference §1.5, §1.6)."""

import json
import socket
from pathlib import Path

import pytest

from knlite.cli.doctor import examine
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
