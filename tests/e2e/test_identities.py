"""Tokens and event policies on the real executable, as a person tries them with kubectl.

Eventing reference §13, §16; Eventing data plane reference §1.1 (row 8).
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.e2e.clients import Client, client
from tests.e2e.executable import Knlite, wait_until

pytestmark = pytest.mark.e2e

Up = Callable[..., Knlite]
AUDIENCE = "eventing.knative.dev/broker/default/main"
BROKERS = "/apis/eventing.knative.dev/v1/namespaces/default/brokers"
MANIFESTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: config-features, namespace: knative-eventing}
data: {authentication-oidc: enabled}
---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: main}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: orders}
spec:
  broker: main
  subscriber: {ref: {apiVersion: messaging.knative.dev/v1, kind: InMemoryChannel, name: pipe}}
---
apiVersion: messaging.knative.dev/v1
kind: InMemoryChannel
metadata: {name: pipe}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
"""
POLICY = """
apiVersion: eventing.knative.dev/v1alpha1
kind: EventPolicy
metadata: {name: orders-of-the-web, namespace: default}
spec:
  to: [{ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: main}}]
  from: [{sub: "system:serviceaccount:default:web"}]
  filters: [{exact: {type: order}}]
"""


def sent(run: Knlite, number: str, token: str = "", event_type: str = "order") -> httpx.Response:
    headers = {
        "Host": f"127.0.0.1:{run.port}",
        "Ce-Specversion": "1.0",
        "Ce-Id": number,
        "Ce-Source": "/test",
        "Ce-Type": event_type,
    }
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return run.http.post("/ns/default/brokers/main", headers=headers)


def knlite(run: Knlite, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "knlite", *arguments, "--admin-port", str(run.admin_port)],
        capture_output=True,
        text=True,
        check=False,
    )


def token(kubectl: Client, account: str = "web", audience: str = AUDIENCE) -> str:
    return kubectl("create", "token", account, "--audience", audience).strip()


def came(run: Knlite, number: str, kind: str = "InMemoryChannel") -> bool:
    stories = run.admin.get("/knlite/explain", params={"id": number})
    return stories.status_code == 200 and f'"{kind}"' in stories.text


def test_who_may_send_what_is_tried_as_on_a_cluster(up: Up, tmp_path: Path) -> None:
    manifest = tmp_path / "m" / "all.yaml"
    manifest.parent.mkdir()
    manifest.write_text(MANIFESTS)
    data = tmp_path / "data"
    run = up(manifest.parent, "--runtime", "process", "--data-dir", data).settled()
    kubectl = client("kubectl", run, tmp_path / "home")
    assert run.object(f"{BROKERS}/main")["status"]["address"]["audience"] == AUDIENCE

    answer = sent(run, "1")
    assert answer.status_code == 401
    assert f"a token for the audience {AUDIENCE}" in answer.text
    assert sent(run, "2", token(kubectl, audience="another")).status_code == 401
    web = token(kubectl)
    assert sent(run, "3", web).status_code == 202
    # The Trigger has sent it on with a token of its own.
    wait_until(lambda: came(run, "3"), "the event in the channel")
    # Who reaches the admin port may do everything.
    assert knlite(run, "send", "--id", "4", "--type", "order", "--wait").returncode == 0

    kubectl("apply", "-f", "-", stdin=POLICY)
    kubectl("wait", "eventpolicy/orders-of-the-web", "--for=condition=Ready", "--timeout=60s")
    wait_until(
        lambda: run.object(f"{BROKERS}/main")["status"].get("policies"), "the policy at the broker"
    )
    wait_until(lambda: sent(run, "5", web, "other").status_code == 403, "the policy at work")
    assert sent(run, "6", web).status_code == 202
    assert sent(run, "7", token(kubectl, "default")).status_code == 403
    told = knlite(run, "explain", "7")
    assert told.returncode == 3
    assert "Broker default/main has refused it" in told.stderr
    assert "system:serviceaccount:default:default is not among those" in told.stderr

    run.stop()
    again = up(manifest.parent, "--runtime", "process", "--data-dir", data).settled()
    assert sent(again, "8", web).status_code == 202

    features = {"data": {"authentication-oidc": "disabled"}}
    again.admin.patch(
        "/api/v1/namespaces/knative-eventing/configmaps/config-features",
        content=json.dumps(features),
        headers={"Content-Type": "application/merge-patch+json"},
    ).raise_for_status()
    wait_until(lambda: sent(again, "9").status_code == 202, "an event without a token")
