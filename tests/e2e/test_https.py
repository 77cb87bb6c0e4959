"""A domain of one's own with its certificate, by the real executable (Knative reference §1.13)."""

import json
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.e2e.executable import Knlite, free_port, wait_until

HOST = "shop.localhost"
MAPPING = f"/apis/serving.knative.dev/v1beta1/namespaces/default/domainmappings/{HOST}"


def documents(folder: Path) -> list[dict[str, object]]:
    return [
        {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": {"name": "shop"},
            "spec": {
                "template": {
                    "metadata": {
                        "annotations": {
                            "knlite.dev/command": f"{sys.executable} -m http.server $PORT"
                        }
                    },
                    "spec": {"containers": [{"image": "example.com/shop"}]},
                }
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "cert"},
            "type": "kubernetes.io/tls",
            "stringData": {
                "tls.crt": (folder / "chain.pem").read_text(),
                "tls.key": (folder / "key.pem").read_text(),
            },
        },
        {
            "apiVersion": "serving.knative.dev/v1beta1",
            "kind": "DomainMapping",
            "metadata": {
                "name": HOST,
                "annotations": {"networking.knative.dev/http-protocol": "redirected"},
            },
            "spec": {
                "ref": {
                    "apiVersion": "serving.knative.dev/v1",
                    "kind": "Service",
                    "name": "shop",
                },
                "tls": {"secretName": "cert"},
            },
        },
    ]


def test_a_mapped_domain_is_served_by_https_and_plain_http_is_sent_there(
    up: Callable[..., Knlite], tmp_path: Path
) -> None:
    words = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
        f"-keyout {tmp_path}/key.pem -out {tmp_path}/chain.pem -subj /CN={HOST} "
        f"-addext subjectAltName=DNS:{HOST}"
    )
    if subprocess.run(words.split(), capture_output=True, check=False).returncode:
        pytest.skip("openssl cannot make a certificate here")
    for number, document in enumerate(documents(tmp_path)):
        (tmp_path / f"{number}.json").write_text(json.dumps(document))
    port = free_port()
    knlite = up(tmp_path, "--runtime", "process", "--tls-port", str(port)).settled()
    wait_until(lambda: knlite.ready(MAPPING).get("status") == "True", "ready")
    url = f"https://{HOST}:{port}"
    assert knlite.object(MAPPING)["status"]["url"] == url
    answer = knlite.http.get("/a?b=c", headers={"Host": HOST}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (301, f"{url}/a?b=c")
    trust = ssl.create_default_context(cafile=str(tmp_path / "chain.pem"))
    with httpx.Client(verify=trust) as client:
        answer = client.get(
            f"https://127.0.0.1:{port}/", headers={"Host": HOST}, extensions={"sni_hostname": HOST}
        )
    assert answer.status_code == 200
    assert "Directory listing" in answer.text
