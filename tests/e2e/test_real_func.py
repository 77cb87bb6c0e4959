"""The real func against knlite: each works with what the other has made.

What func asks the API for and writes into func.yaml: Knative Functions reference, §4.3 to §4.6.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.clients import Client
from tests.e2e.executable import Knlite, running, wait_until
from tests.required import program

pytestmark = pytest.mark.e2e

REGISTRY = "example.com/me"
SERVICE = f"""apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: shop}}
spec: {{template: {{spec: {{containers: [{{image: "{REGISTRY}/shop:latest"}}]}}}}}}
---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {{name: default}}
"""
"""What somebody writes beside a function, as articles do."""


SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"
TRIGGER = "/apis/eventing.knative.dev/v1/namespaces/default/triggers/mail-function-trigger-0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where functions lie; knlite has been started with it."""
    return tmp_path_factory.mktemp("functions")


@pytest.fixture(scope="module")
def knlite(folder: Path) -> Iterator[Knlite]:
    """A knlite that finds its code in the folder, where real func has made the first ones."""
    real = program("func")
    for name, language, template in (
        ("shop", "python", "http"),
        ("mail", "python", "cloudevents"),
        ("node", "node", "http"),
        ("go", "go", "http"),
    ):
        made = [real, "create", "-l", language, "-t", template, str(folder / name)]
        subprocess.run(made, check=True, capture_output=True)
    with (folder / "shop" / "func.yaml").open("a") as file:
        file.write(f"registry: {REGISTRY}\n")
    (folder / "shop" / "service.yaml").write_text(SERVICE)
    knlite_makes("func", "create", "-l", "python", str(folder / "ours"))
    with running(folder) as run:
        yield run.settled()


def knlite_makes(*arguments: str) -> str:
    """What a verb of knlite prints."""
    command = [sys.executable, "-m", "knlite", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def deploy(func: Client, place: Path) -> "subprocess.CompletedProcess[str]":
    """How a deployment ends that builds nothing: knlite runs the source."""
    image = f"{REGISTRY}/{place.name}:latest"
    without = ("--build=false", "--push=false")
    return func.run("deploy", "--path", str(place), *without, "--image", image)


def listed(func: Client) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in json.loads(func("list", "-o", "json"))}


def test_knlite_up_runs_what_func_has_made(knlite: Knlite) -> None:
    answer = knlite.http.post("/", headers={"Host": "shop.default.localhost"}, json={"a": 1})
    assert (answer.status_code, answer.json()) == (200, {"a": 1})


def test_a_function_from_its_deployment_to_its_end(
    func: Client, knlite: Knlite, folder: Path
) -> None:
    mail = folder / "mail"
    said = deploy(func, mail).stderr
    url = f"http://mail.default.localhost:{knlite.port}"
    assert 'Function deployed in namespace "default" and exposed at URL' in said
    assert url in said
    assert listed(func)["mail"] == {
        "name": "mail", "namespace": "default", "runtime": "python", "url": url, "ready": "True",
    }  # fmt: skip
    described = json.loads(func("describe", "--path", str(mail), "-o", "json"))
    assert (described["routes"], described["namespace"]) == ([url], "default")
    answered = func("invoke", "--path", str(mail), "--data", '{"to": "me"}')
    assert "type: parliament.response" in answered
    assert '"to": "me"' in answered

    func("subscribe", "--path", str(mail), "--filter", "type=order.paid", "--source", "default")
    assert 'Function updated in namespace "default"' in deploy(func, mail).stderr
    service = knlite.object(f"{SERVICES}/mail")
    # One for each deployment: what func writes into func.yaml afterwards is no change of the code.
    assert service["status"]["latestReadyRevisionName"] == "mail-00002"
    trigger = knlite.object(TRIGGER)
    assert trigger["spec"]["filter"]["attributes"] == {"type": "order.paid"}
    described = json.loads(func("describe", "--path", str(mail), "-o", "json"))
    assert described["subscriptions"] == [{"source": "", "type": "order.paid", "broker": "default"}]

    func("delete", "--path", str(mail))
    assert knlite.admin.get(f"{SERVICES}/mail").status_code == 404
    # The Trigger belongs to the Service, and goes with it.
    wait_until(lambda: knlite.admin.get(TRIGGER).status_code == 404, "no trigger")


def test_func_goes_on_with_what_knlite_has_made(func: Client, knlite: Knlite, folder: Path) -> None:
    ours = folder / "ours"
    func("config", "envs", "add", "--path", str(ours), "--name", "TARGET", "--value", "you")
    assert 'Env "TARGET" with value "you"' in func("config", "envs", "--path", str(ours))
    assert "Function deployed" in deploy(func, ours).stderr
    assert func("invoke", "--path", str(ours), "--data", '{"a": 1}').strip()
    pod = knlite.object(f"{SERVICES}/ours")["spec"]["template"]["spec"]
    assert {"name": "TARGET", "value": "you"} in pod["containers"][0]["env"]
    assert listed(func)["ours"]["ready"] == "True"


def test_both_edit_the_same_func_yaml(func: Client, folder: Path) -> None:
    place = ("--path", str(folder / "edited"))
    func("create", "-l", "python", place[1])
    secret = "{{ secret:vault:password }}"
    knlite_makes("func", "config", "envs", "add", *place, "--name", "A", "--value", secret)
    knlite_makes("func", "subscribe", *place, "--filter", "type=order.paid")
    assert 'Env "A" with value set from key "password" from Secret "vault"' in func(
        "config", "envs", *place
    )
    func("subscribe", *place, "--filter", "type=order.sent", "--source", "other")
    func("config", "envs", "add", *place, "--name", "B", "--value", "c")
    assert 'Env "B" with value "c"' in knlite_makes("func", "config", "envs", *place)
    written = yaml.safe_load((folder / "edited" / "func.yaml").read_text())
    assert written["deploy"]["subscriptions"] == [
        {"source": "default", "filters": {"type": "order.paid"}},
        {"source": "other", "filters": {"type": "order.sent"}},
    ]


def test_func_finds_what_knlite_has_deployed(func: Client, knlite: Knlite, folder: Path) -> None:
    theirs = folder / "theirs"
    func("create", "-l", "python", str(theirs))
    knlite.shown("func", "deploy", "--path", str(theirs))
    found = listed(func)["theirs"]
    assert (found["runtime"], found["ready"]) == ("python", "True")
    assert func("invoke", "--path", str(theirs), "--data", '{"a": 1}').strip() == '{"a": 1}'
    func("delete", "--path", str(theirs))
    assert knlite.admin.get(f"{SERVICES}/theirs").status_code == 404


@pytest.mark.parametrize(("language", "tool"), [("node", "npm"), ("go", "go")])
def test_other_languages_run_from_source_as_well(
    func: Client, knlite: Knlite, folder: Path, language: str, tool: str
) -> None:
    program(tool)
    place = folder / language
    assert "Function deployed" in deploy(func, place).stderr
    assert "Hello World" in func("invoke", "--path", str(place))


def test_a_resource_that_is_missing_is_named(func: Client, folder: Path) -> None:
    place = folder / "secretive"
    func("create", "-l", "python", str(place))
    func(
        "config", "envs", "add", "--path", str(place),
        "--name", "PASSWORD", "--value", "{{ secret:vault:password }}",
    )  # fmt: skip
    refused = deploy(func, place)
    assert refused.returncode == 1
    assert 'secret "vault" not found' in refused.stderr
