"""A pod of several containers with volumes, by the real executable (Knative reference §4.4, §1.9).

The image is built from the folder's Dockerfile; its digest is written back into the template as
``kn service update`` does.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.executable import Knlite, wait_until

pytestmark = pytest.mark.docker

PROGRAM = """
import http.server, os, urllib.request

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/beside":
            body = urllib.request.urlopen("http://127.0.0.1:9999/tmp/name").read()
        else:
            body = open(self.path, "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

open("/tmp/name", "w").write(os.environ["NAME"])
port = int(os.environ.get("PORT", "9999"))
http.server.ThreadingHTTPServer(("0.0.0.0", port), Handler).serve_forever()
"""
DOCKERFILE = """
FROM python:3.11-slim
COPY program.py /program.py
USER 65532
CMD ["python3", "-S", "/program.py"]
"""
MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: config-features, namespace: knative-serving}
data: {kubernetes.podspec-init-containers: enabled}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {color: COLOR}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {door: open sesame}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: pod}
spec:
  template:
    spec:
      initContainers:
        - image: python:3.11-slim
          command: [sh, -c, "echo prepared > /data/first; chmod a+r /data/first"]
          volumeMounts: [{name: data, mountPath: /data}]
      containers:
        - name: serving
          image: IMAGE
          ports: [{containerPort: 8881}]
          env: [{name: NAME, value: serving}]
          volumeMounts:
            - {name: data, mountPath: /data}
            - {name: settings, mountPath: /etc/settings}
            - {name: all, mountPath: /run/door, subPath: door}
        - name: beside
          image: knlite.local/pods:latest
          env: [{name: NAME, value: beside}]
      volumes:
        - {name: data, emptyDir: {}}
        - {name: settings, configMap: {name: settings}}
        - name: all
          projected:
            sources: [{secret: {name: keys}}, {configMap: {name: nowhere, optional: true}}]
"""
SERVICE = "/apis/serving.knative.dev/v1/namespaces/default/services/pod"
REVISIONS = "/apis/serving.knative.dev/v1/namespaces/default/revisions/"


def written(folder: Path, image: str, color: str) -> None:
    text = MANIFEST.replace("IMAGE", image).replace("COLOR", color)
    (folder / "pod.yaml").write_text(text)


def beside(knlite: Knlite) -> str:
    return knlite.get("pod.default", "/beside").text


def latest(knlite: Knlite) -> str:
    return str(knlite.object(SERVICE)["status"]["latestReadyRevisionName"])


def test_a_pod_has_its_containers_volumes_and_digests(
    up: Callable[..., Knlite], tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    written(tmp_path, "knlite.local/pods:latest", "red")
    knlite = up(tmp_path).settled()
    wait_until(lambda: knlite.ready(SERVICE).get("status") == "True", "ready")
    assert knlite.get("pod.default", "/data/first").text == "prepared\n"
    assert knlite.get("pod.default", "/run/door").text == "open sesame"
    assert knlite.get("pod.default", "/etc/settings/color").text == "red"
    wait_until(lambda: beside(knlite) == "beside", "the sidecar, which nobody probes")

    written(tmp_path, "knlite.local/pods:latest", "blue")
    wait_until(lambda: knlite.get("pod.default", "/etc/settings/color").text == "blue", "the edit")

    status = knlite.object(REVISIONS + "pod-00001")["status"]
    digests = {each["name"]: each["imageDigest"] for each in status["containerStatuses"]}
    assert digests["serving"] == digests["beside"]
    assert digests["serving"].startswith("knlite.local/pods@sha256:")
    assert status["initContainerStatuses"][0]["imageDigest"].startswith("python@sha256:")

    written(tmp_path, digests["serving"], "blue")
    wait_until(lambda: latest(knlite) == "pod-00002", "the revision that names a digest")
    wait_until(lambda: beside(knlite) == "beside", "the sidecar, which nobody probes")
    assert knlite.stop() == 0
