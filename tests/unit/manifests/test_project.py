"""Functions without a manifest: each is what ``func deploy`` would make of it."""

from pathlib import Path

import pytest

from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.serving.service import Service
from knlite.manifests.project import read_project

FUNC = """specVersion: 0.36.0
name: {name}
runtime: python
created: 2026-01-02T03:04:05.678Z
"""
SUBSCRIBED = """deploy:
  namespace: shop
  subscriptions:
  - source: default
    filters: {type: order.paid}
"""
SERVICE = """apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: web}
spec: {template: {spec: {containers: [{image: example.com/web}]}}}
"""


def write(folder: Path, name: str, more: str = "") -> None:
    folder.mkdir(exist_ok=True)
    (folder / "func.yaml").write_text(FUNC.format(name=name) + more)


def test_a_function_speaks_for_itself(tmp_path: Path) -> None:
    write(tmp_path / "hello", "hello")
    found = read_project([tmp_path], {})
    assert not found.complaints
    (declared,) = found.declared
    assert isinstance(declared.obj, Service)
    assert (declared.obj.metadata.namespace, declared.obj.metadata.name) == ("default", "hello")
    (container,) = declared.obj.spec.template.spec.containers
    (project,) = found.sources.projects
    assert project.image == container.image == "knlite.local/hello:latest"
    assert container.env[0].value == "20260102T030405"
    assert declared.manifest.file == str(tmp_path / "hello" / "func.yaml")


def test_its_subscriptions_are_triggers_in_its_namespace(tmp_path: Path) -> None:
    write(tmp_path / "mail", "mail", f"registry: example.com/me\n{SUBSCRIBED}")
    service, trigger = (each.obj for each in read_project([tmp_path], {}).declared)
    assert isinstance(service, Service)
    assert service.spec.template.spec.containers[0].image == "example.com/me/mail:latest"
    assert isinstance(trigger, Trigger)
    assert (trigger.metadata.namespace, trigger.spec.broker) == ("shop", "default")


def test_beside_a_manifest_it_says_nothing(tmp_path: Path) -> None:
    write(tmp_path / "hello", "hello")
    (tmp_path / "service.yaml").write_text(SERVICE)
    found = read_project([tmp_path], {})
    assert [each.obj.metadata.name for each in found.declared] == ["web"]
    assert [each.image for each in found.sources.projects] == [""]


def test_two_of_one_name_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path / "a", "hello")
    write(tmp_path / "b", "hello")
    (complaint,) = read_project([tmp_path], {}).complaints
    assert complaint.file == str(tmp_path / "b" / "func.yaml")
    assert str(tmp_path / "a" / "func.yaml") in complaint.message


def test_a_name_that_no_service_can_have_is_said_with_its_line(tmp_path: Path) -> None:
    write(tmp_path / "hello", "Hello_World")
    (complaint,) = read_project([tmp_path], {}).complaints
    assert (complaint.file, complaint.line) == (str(tmp_path / "hello" / "func.yaml"), 2)
    assert "Hello_World" in complaint.message


@pytest.mark.parametrize(
    "wrong",
    [
        "deploy: {options: {scale: {min: -1}}}\n",
        "run: {envs: [{name: A, value: '{{ env:GONE }}'}]}\n",
    ],
)
def test_what_is_wrong_is_said_once(tmp_path: Path, wrong: str) -> None:
    write(tmp_path / "hello", "hello", wrong)
    found = read_project([tmp_path], {})
    assert len(found.complaints) == 1
    assert not found.declared
