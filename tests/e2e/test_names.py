"""One service calls another by its names in the cluster (Knative reference §5.1, §5.2)."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from knlite.runtime.docker.function_image import BASE_IMAGE
from tests.e2e.executable import Knlite, wait_until

pytestmark = pytest.mark.docker

PROGRAM = """
import http.server, os, urllib.request

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"hidden"
        if "TARGET" in os.environ:
            body = urllib.request.urlopen("http://" + os.environ["TARGET"]).read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""
SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"
NAMES = ("hidden.default", "hidden.default.svc", "hidden.default.svc.cluster.local")


def service(name: str, target: str = "") -> dict[str, object]:
    container = {
        "image": BASE_IMAGE,
        "command": ["python3", "-c", PROGRAM],
        "env": [{"name": "TARGET", "value": target}] if target else [],
    }
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "labels": {} if target else {"networking.knative.dev/visibility": "cluster-local"},
        },
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def test_containers_reach_hidden_services_by_every_name_without_a_port(
    up: Callable[..., Knlite], tmp_path: Path
) -> None:
    # The callers come later: a container knows the names that exist when it starts.
    (tmp_path / "hidden.json").write_text(json.dumps(service("hidden")))
    knlite = up(tmp_path, "--runtime", "docker").settled()
    if any(":80 (" in fact["text"] for fact in knlite.seen("Notice")):
        pytest.skip("port 80 belongs to somebody else, or may not be listened on")
    for number, name in enumerate(NAMES):
        made = knlite.admin.post(SERVICES, json=service(f"caller-{number}", name))
        assert made.status_code == 201, made.text
    for number in range(len(NAMES)):
        caller = f"caller-{number}.default"
        wait_until(lambda caller=caller: knlite.get(caller, "/").text == "hidden", caller)  # type: ignore[misc]
    assert knlite.get("hidden.default", "/").status_code == 404
