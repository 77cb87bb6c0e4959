"""kubectl against knlite: what people type, and what they are told.

What the client asks for and how it shows answers: clients API reference, Parts 4 to 7.
"""

import json
import re
import subprocess
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.clients import Client, apply, client, kubeconfig_of, ready, service
from tests.e2e.executable import EXAMPLES, Knlite, wait_until

pytestmark = pytest.mark.e2e

Up = Callable[..., Knlite]
KSVC = "ksvc"
OWNED = "configurations,routes,revisions,services.serving.knative.dev,pods"
EXAMPLE_KINDS = (
    "services.serving.knative.dev,configurations,routes,revisions,brokers,triggers,sinkbindings"
)


def greeting(knlite: Knlite, name: str) -> str:
    answer = knlite.get(f"{name}.default")
    assert answer.status_code == 200, answer.text
    return answer.text


def test_an_applied_service_becomes_ready_and_serves(kubectl: Client, knlite: Knlite) -> None:
    assert apply(kubectl, service("first")) == "service.serving.knative.dev/first created\n"
    assert ready(kubectl, "first") == "service.serving.knative.dev/first condition met\n"
    assert greeting(knlite, "first") == "Hello World!\n"
    heading, row = kubectl("get", KSVC, "first").splitlines()
    assert heading.split() == ["NAME", "URL", "LATESTCREATED", "LATESTREADY", "READY", "REASON"]
    url = f"http://first.default.localhost:{knlite.port}"
    assert row.split() == ["first", url, "first-00001", "first-00001", "True"]


def test_only_a_change_makes_a_revision(kubectl: Client, knlite: Knlite) -> None:
    apply(kubectl, service("again"))
    ready(kubectl, "again")
    before = kubectl.object(KSVC, "again")["metadata"]
    # It says so, as on a cluster: in a list that the server has completed, it sees a change.
    assert "configured" in apply(kubectl, service("again"))
    after = kubectl.object(KSVC, "again")["metadata"]
    assert after["generation"] == 1
    assert after["resourceVersion"] == before["resourceVersion"]
    assert "configured" in apply(kubectl, service("again", "Moon"))
    kubectl("wait", f"{KSVC}/again", "--for=jsonpath={.status.latestReadyRevisionName}=again-00002")
    ready(kubectl, "again")
    assert greeting(knlite, "again") == "Hello Moon!\n"
    revisions = kubectl("get", "revisions", "-l", "serving.knative.dev/service=again", "-o", "name")
    assert [name.partition("/")[2] for name in revisions.splitlines()] == [
        "again-00001",
        "again-00002",
    ]


def test_diff_shows_what_apply_would_change(kubectl: Client, tmp_path: Path) -> None:
    apply(kubectl, service("differs"))
    file = tmp_path / "differs.json"
    file.write_text(json.dumps(service("differs")))
    assert kubectl("diff", "-f", str(file)) == ""
    file.write_text(json.dumps(service("differs", "Mars")))
    shown = kubectl.run("diff", "-f", str(file))
    assert shown.returncode == 1, shown.stderr
    assert "+          value: Mars" in shown.stdout
    assert "-          value: World" in shown.stdout


def test_a_watch_shows_a_service_from_its_creation_to_its_end(kubectl: Client) -> None:
    with kubectl.following("get", KSVC, "-w", "--field-selector=metadata.name=seen") as watch:
        apply(kubectl, service("seen"))
        watch.until(" True ")
    with kubectl.following("get", KSVC, "-w", "--output-watch-events") as watch:
        watch.until("seen")
        kubectl("delete", KSVC, "seen")
        watch.until("DELETED")


def test_waiting_for_what_does_not_come_ends(kubectl: Client) -> None:
    broken = service("broken")
    broken["spec"]["template"]["metadata"]["annotations"]["knlite.dev/command"] = "false"
    apply(kubectl, broken)
    waited = kubectl("wait", f"{KSVC}/broken", "--for=condition=Ready=false", "--timeout=60s")
    assert "condition met" in waited
    refused = kubectl.refused("wait", f"{KSVC}/broken", "--for=condition=Ready", "--timeout=1s")
    assert "timed out waiting for the condition on services/broken" in refused


def test_describe_tells_what_is_and_what_happened(kubectl: Client) -> None:
    apply(kubectl, service("told"))
    ready(kubectl, "told")
    text = kubectl("describe", KSVC, "told")
    for part in ("Name:         told", "Latest Ready Revision Name:    told-00001", "Events:"):
        assert part in text
    wait_until(
        lambda: 'Created Configuration "told"' in kubectl("describe", KSVC, "told"), "its events"
    )


def test_explain_knows_every_field(kubectl: Client) -> None:
    text = kubectl("explain", "ksvc.spec.template.spec.containers.env")
    assert "GROUP:      serving.knative.dev" in text
    assert "valueFrom" in text
    assert "containerConcurrency" in kubectl("explain", "revision.spec")
    assert "stringData" in kubectl("explain", "secret")
    assert 'field "zzz" does not exist' in kubectl.refused("explain", "ksvc.spec.zzz")


def test_logs_follow_an_instance(kubectl: Client, knlite: Knlite) -> None:
    apply(kubectl, service("logged"))
    ready(kubectl, "logged")
    greeting(knlite, "logged")
    chosen = ("logs", "-l", "serving.knative.dev/service=logged", "-c", "user-container")
    with kubectl.following(*chosen, "-f", "--tail=-1") as log:
        log.until('"GET / HTTP/1.1" 200')
        knlite.get("logged.default", "/later")
        log.until('"GET /later HTTP/1.1" 200')
    assert kubectl(*chosen, "--tail=1").count("\n") == 1
    refused = kubectl.refused("logs", "nobody")
    assert 'pods "nobody" not found in namespace "default"' in refused


def test_two_owners_of_a_field_conflict(kubectl: Client) -> None:
    server_side = ("--server-side", "--field-manager=one")
    applied = apply(kubectl, service("owned"), options=server_side)
    assert applied == "service.serving.knative.dev/owned serverside-applied\n"
    refused = kubectl.refused(
        "apply", "-f", "-", "--server-side", "--field-manager=two",
        stdin=json.dumps(service("owned", "Venus")),
    )  # fmt: skip
    assert "Apply failed with 1 conflict" in refused
    assert 'conflict with "one": .spec.template.spec.containers' in refused
    forced = ("--server-side", "--field-manager=two", "--force-conflicts")
    apply(kubectl, service("owned", "Venus"), options=forced)
    containers = kubectl.object(KSVC, "owned")["spec"]["template"]["spec"]["containers"]
    assert containers[0]["env"][0]["value"] == "Venus"


def test_client_side_apply_can_be_followed_by_server_side(kubectl: Client) -> None:
    apply(kubectl, service("moved"))
    # The list of containers is owned as a whole, and the server has completed it since.
    refused = kubectl.refused(
        "apply", "--server-side", "-f", "-", stdin=json.dumps(service("moved"))
    )
    assert 'conflict with "kubectl-client-side-apply"' in refused
    apply(kubectl, service("moved"), options=("--server-side", "--force-conflicts"))
    managers = kubectl.object(KSVC, "moved", "--show-managed-fields")["metadata"]["managedFields"]
    assert "kubectl-client-side-apply" not in {each["manager"] for each in managers}


def test_a_stale_replace_is_a_conflict(kubectl: Client, tmp_path: Path) -> None:
    apply(kubectl, service("stale"))
    old = kubectl.object(KSVC, "stale")
    kubectl("label", KSVC, "stale", "tier=back")
    file = tmp_path / "stale.json"
    file.write_text(json.dumps(old))
    refused = kubectl.refused("replace", "-f", str(file))
    assert "the object has been modified; please apply your changes to the latest" in refused


def test_the_ways_to_change_one_field(kubectl: Client) -> None:
    apply(kubectl, service("patched"))
    kubectl("label", KSVC, "patched", "tier=front")
    kubectl("annotate", KSVC, "patched", "example.com/why=test")
    merge = json.dumps({"spec": {"template": {"spec": {"timeoutSeconds": 17}}}})
    kubectl("patch", KSVC, "patched", "--type=merge", "-p", merge)
    replacement = {
        "op": "replace",
        "path": "/spec/template/spec/containers/0/env/0/value",
        "value": "Io",
    }
    kubectl("patch", KSVC, "patched", "--type=json", "-p", json.dumps([replacement]))
    patched = kubectl.object(KSVC, "patched")
    assert patched["metadata"]["labels"]["tier"] == "front"
    assert patched["metadata"]["annotations"]["example.com/why"] == "test"
    revision = patched["spec"]["template"]["spec"]
    assert revision["timeoutSeconds"] == 17
    assert revision["containers"][0]["env"][0]["value"] == "Io"
    assert kubectl("get", KSVC, "-l", "tier=front", "-o", "name").split() == [
        "service.serving.knative.dev/patched"
    ]


def test_editing(kubectl: Client) -> None:
    apply(kubectl, service("edited", "Before"))
    editor = {**kubectl.environment, "KUBE_EDITOR": "sed -i s/Before/After/"}
    done = Client(kubectl.program, editor).run("edit", KSVC, "edited")
    assert done.returncode == 0, done.stderr
    containers = kubectl.object(KSVC, "edited")["spec"]["template"]["spec"]["containers"]
    assert containers[0]["env"][0]["value"] == "After"


def test_a_deleted_pod_is_replaced(kubectl: Client, knlite: Knlite) -> None:
    kept = service("replaced")
    kept["spec"]["template"]["metadata"]["annotations"]["autoscaling.knative.dev/min-scale"] = "1"
    apply(kubectl, kept)
    ready(kubectl, "replaced")
    pods = ("get", "pods", "-l", "serving.knative.dev/service=replaced", "-o", "name")
    old = kubectl(*pods).split()
    kubectl("delete", *old)
    wait_until(lambda: set(kubectl(*pods).split()) - set(old), "another pod")
    assert greeting(knlite, "replaced") == "Hello World!\n"


def test_dry_runs_store_nothing(kubectl: Client) -> None:
    for mode in ("server", "client"):
        assert "dry run" in apply(kubectl, service("rehearsed"), options=(f"--dry-run={mode}",))
    assert '"rehearsed" not found' in kubectl.refused("get", KSVC, "rehearsed")


def test_a_generated_name(kubectl: Client) -> None:
    unnamed = service("")
    unnamed["metadata"] = {"generateName": "made-"}
    made = kubectl("create", "-f", "-", "-o", "name", stdin=json.dumps(unnamed)).strip()
    name = made.partition("/")[2]
    assert name.startswith("made-")
    assert len(name) == len("made-") + 5
    ready(kubectl, name)


def with_spec(**spec: object) -> dict[str, Any]:
    bad = service("bad")
    bad["spec"]["template"]["spec"].update(spec)
    return bad


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        pytest.param(
            with_spec(containers=[]),
            'admission webhook "validation.webhook.serving.knative.dev" denied the request: '
            "validation failed: missing field(s): spec.template.spec.containers",
            id="no containers",
        ),
        pytest.param(
            with_spec(timeoutSeconds=100000),
            "validation failed: expected 0 <= 100000 <= 600: spec.template.spec.timeoutSeconds",
            id="out of bounds",
        ),
        pytest.param(
            with_spec(bogus=1),
            'strict decoding error: unknown field "spec.template.spec.bogus"',
            id="unknown field",
        ),
        pytest.param(
            with_spec(serviceAccountName="foo@bar.baz"),
            "spec.template.spec.serviceAccountName",
            id="service account",
        ),
    ],
)
def test_bad_input_is_refused_in_knatives_words(
    kubectl: Client, bad: dict[str, Any], said: str
) -> None:
    for verb in ("create", "apply"):
        refused = kubectl.refused(verb, "-f", "-", stdin=json.dumps(bad))
        assert refused.startswith("Error from server (BadRequest): error when creating")
        assert said in refused
    assert '"bad" not found' in kubectl.refused("get", KSVC, "bad")


def test_unknown_fields_are_told_of_when_asked_to(kubectl: Client) -> None:
    bad = with_spec(bogus=1)
    bad["metadata"]["name"] = "warned"
    done = kubectl.run("apply", "--validate=warn", "-f", "-", stdin=json.dumps(bad))
    assert done.returncode == 0, done.stderr
    assert 'Warning: unknown field "spec.template.spec.bogus"' in done.stderr


def test_deleting_a_service_takes_all_that_is_its(kubectl: Client, knlite: Knlite) -> None:
    apply(kubectl, service("short"))
    ready(kubectl, "short")
    assert "deleted" in kubectl("delete", KSVC, "short")
    label = "serving.knative.dev/service=short"
    wait_until(lambda: not kubectl("get", OWNED, "-l", label, "-o", "name"), "nothing left")
    assert knlite.get("short.default").status_code == 404


def test_config_and_secrets_made_on_the_command_line_reach_the_service(
    kubectl: Client, knlite: Knlite
) -> None:
    kubectl("create", "configmap", "planet", "--from-literal=name=Saturn")
    kubectl("create", "secret", "generic", "moon", "--from-literal=name=Titan")
    using = service("using")
    container = using["spec"]["template"]["spec"]["containers"][0]
    for kind, name in (("configMapKeyRef", "planet"), ("secretKeyRef", "moon")):
        value = {kind: {"name": name, "key": "name"}}
        container["env"] = [{"name": "TARGET", "valueFrom": value}]
        apply(kubectl, using)
        revision = {"configMapKeyRef": "using-00001", "secretKeyRef": "using-00002"}[kind]
        kubectl(
            "wait",
            f"{KSVC}/using",
            f"--for=jsonpath={{.status.latestReadyRevisionName}}={revision}",
        )
        ready(kubectl, "using")
        expected = {"planet": "Hello Saturn!\n", "moon": "Hello Titan!\n"}[name]
        wait_until(lambda want=expected: greeting(knlite, "using") == want, expected)


def test_a_namespace_takes_its_objects_with_it(kubectl: Client) -> None:
    kubectl("create", "namespace", "brief")
    kubectl("apply", "-n", "brief", "-f", "-", stdin=json.dumps(service("hello")))
    kubectl("wait", "-n", "brief", f"{KSVC}/hello", "--for=condition=Ready", "--timeout=60s")
    kubectl("delete", "namespace", "brief")
    assert '"brief" not found' in kubectl.refused("get", "namespace", "brief")
    assert kubectl("get", OWNED, "-n", "brief", "-o", "name") == ""


def test_what_there_is(kubectl: Client) -> None:
    resources = kubectl("api-resources")
    for short in ("ksvc", "kservice", "rev", "rt", "dm", "cm", "ns", "po"):
        assert short in resources
    assert "Server Version:" in kubectl("version")
    assert kubectl("auth", "can-i", "create", "ksvc") == "yes\n"
    assert "the server doesn't have a resource type" in kubectl.refused("get", "gizmos")
    apply(kubectl, service("listed"))
    ready(kubectl, "listed")
    everything = kubectl("get", "all", "-o", "name")
    for kind in ("pod", "service", "service.serving.knative.dev", "deployment.apps"):
        assert f"{kind}/listed" in everything
    assert "route.serving.knative.dev/listed" in kubectl("get", "knative", "-o", "name")


def test_a_connection_may_rest_between_two_requests(knlite: Knlite) -> None:
    connection = HTTPConnection("127.0.0.1", knlite.admin_port, timeout=10)
    for pause in (6, 0):
        connection.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "{}")
        answer = connection.getresponse()
        answer.read()
        assert not answer.will_close
        time.sleep(pause)
    connection.close()


def state(kubectl: Client, run: Knlite) -> dict[str, Any]:
    """What a system is, without what differs from run to run."""
    found = {}
    for item in kubectl.object(EXAMPLE_KINDS, "-A")["items"]:
        meta = item["metadata"]
        ready = [
            (each["type"], each["status"])
            for each in item.get("status", {}).get("conditions", ())
            if each["type"] == "Ready"
        ]
        annotations = {
            key: value
            for key, value in meta.get("annotations", {}).items()
            if key.startswith(("knlite.dev", "autoscaling"))
        }
        key = f"{item['kind']} {meta['namespace']}/{meta['name']}"
        url = item["status"].get("url", "").replace(f":{run.port}", "")
        # The Trigger of a RequestReply holds a key, which follows from a uid.
        spec = json.loads(re.sub(r"[0-9a-f]{64}", "KEY", json.dumps(item["spec"])))
        found[key] = (spec, annotations, ready, url)
    return found


def test_applying_the_examples_makes_the_same_system_as_up(up: Up, tmp_path: Path) -> None:
    given = up(EXAMPLES, "--runtime", "process").settled()
    expected = state(client("kubectl", given, tmp_path / "given"), given)
    assert any(key.startswith("Trigger") for key in expected)
    # It finds the examples' code below the folder that it was started in.
    run = up("--runtime", "process").settled()
    kubectl = client("kubectl", run, tmp_path / "applied")
    # Functions without a manifest are nothing that kubectl knows.
    folders = sorted({file.parent for file in EXAMPLES.glob("*/*.yaml")})
    files = [word for folder in folders for word in ("-f", str(folder))]
    kubectl("apply", *files)
    wait_until(lambda: state(kubectl, run) == expected, "the same system")
    assert run.get("hello-python.default").text == "Hello Python!\n"
    assert run.get("web.direct").status_code == 200
    kubectl("delete", *files)
    wait_until(lambda: not state(kubectl, run), "nothing left")
    wait_until(lambda: not kubectl("get", "pods", "-A", "-o", "name"), "no instance left")


def test_what_was_applied_is_there_after_a_restart(up: Up, tmp_path: Path) -> None:
    data = ("--runtime", "process", "--data-dir", str(tmp_path / "data"))
    first = up(*data)
    wait_until(first.answers, "the API")
    kubectl = client("kubectl", first, tmp_path / "home")
    apply(kubectl, service("kept", "Pluto"))
    ready(kubectl, "kept")
    before = kubectl.object(KSVC, "kept")
    assert first.stop() == 0
    second = up(*data)
    wait_until(second.answers, "the API")
    Path(kubectl.environment["KUBECONFIG"]).write_text(kubeconfig_of(second))
    ready(kubectl, "kept")
    after = kubectl.object(KSVC, "kept")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert greeting(second, "kept") == "Hello Pluto!\n"


@pytest.mark.docker
def test_a_service_in_a_container(up: Up, tmp_path: Path) -> None:
    run = up("--runtime", "docker")
    wait_until(run.answers, "the API")
    kubectl = client("kubectl", run, tmp_path / "home")
    program = (EXAMPLES / "hello-python" / "app.py").read_text()
    image = "knlite.test/hello:latest"
    subprocess.run(
        ["docker", "build", "-q", "-t", image, "-"],
        input='FROM python:3.11-slim\nENTRYPOINT ["python3", "-u", "-c"]\n',
        text=True,
        check=True,
        capture_output=True,
    )
    contained = service("contained", "Container")
    del contained["spec"]["template"]["metadata"]
    container = contained["spec"]["template"]["spec"]["containers"][0]
    container |= {"image": image, "args": [program]}
    apply(kubectl, contained)
    ready(kubectl, "contained")
    assert greeting(run, "contained") == "Hello Container!\n"
    logs = kubectl("logs", "-l", "serving.knative.dev/service=contained", "-c", "user-container")
    assert '"GET / HTTP/1.1" 200' in logs
    kubectl("delete", KSVC, "contained")
    wait_until(lambda: not kubectl("get", "pods", "-o", "name"), "no instance left")
