"""What kubectl shows of what happens inside: events, deployments, endpoints.

Source: ``docs/kubernetes.md``; clients API reference, Part 4 (describe, rollout, events).
"""

import subprocess

import pytest

from tests.e2e.clients import Client, apply, ready, service
from tests.e2e.executable import wait_until

pytestmark = pytest.mark.e2e


def test_describe_tells_the_story_of_a_service(kubectl: Client) -> None:
    apply(kubectl, service("story"))
    ready(kubectl, "story")
    wait_until(lambda: "Service is ready" in kubectl("describe", "ksvc", "story"), "its story")
    story = kubectl("describe", "ksvc", "story").partition("\nEvents:\n")[2]
    told = [line.split()[1] for line in story.splitlines()[2:]]
    assert told[:3] == ["Created"] * 3
    assert told.index("ScaledUp") < told.index("InstanceReady") < told.index("Ready")
    assert 'Created Revision "story-00001"' in kubectl("events", "--for", "ksvc/story")


def test_a_deployment_rolls_out_as_the_service_becomes_ready(kubectl: Client) -> None:
    apply(kubectl, service("rolled"))
    ready(kubectl, "rolled")
    name = "deployment/rolled-00001-deployment"
    assert "successfully rolled out" in kubectl("rollout", "status", name, "--timeout=30s")
    heading, row = kubectl("get", name).splitlines()
    assert heading.split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert row.split()[1:4] == ["1/1", "1", "1"]
    assert "it follows from Revision" in kubectl.refused("delete", name)
    kubectl("delete", "ksvc", "rolled")
    assert "NotFound" in kubectl.refused("get", name)


def test_who_waits_for_a_deployment_is_told_when_it_is_available(kubectl: Client) -> None:
    apply(kubectl, service("awaited"))
    name = "awaited-00001-deployment"
    wait_until(lambda: name in kubectl("get", "deployments", "-o", "name"), "the deployment")
    said = kubectl("wait", "--for=condition=Available", f"deployment/{name}", "--timeout=60s")
    assert said == f"deployment.apps/{name} condition met\n"


def test_a_watch_of_deployments_follows_what_happens(kubectl: Client) -> None:
    with subprocess.Popen(
        [kubectl.program, "get", "deployments", "--watch-only", "-o", "name"],
        stdout=subprocess.PIPE,
        text=True,
        env=kubectl.environment,
    ) as watching:
        try:
            apply(kubectl, service("watched"))
            assert watching.stdout is not None
            wanted = "deployment.apps/watched-00001-deployment\n"
            assert any(line == wanted for line in watching.stdout)
        finally:
            watching.terminate()


def test_endpoints_are_those_of_the_activator_or_of_instances(kubectl: Client) -> None:
    apply(kubectl, service("reached"))
    ready(kubectl, "reached")
    wait_until(lambda: private(kubectl), "the endpoint of its instance")
    slices = kubectl.object("endpointslices", "-l", "kubernetes.io/service-name=reached-00001")
    (public,) = slices["items"]
    path = kubectl.object("sks", "reached-00001")
    assert path["spec"]["mode"] == "Proxy"
    activator = kubectl.object("endpointslices", "activator-service", "-n", "knative-serving")
    assert public["endpoints"] == activator["endpoints"]
    assert public["addressType"] == "IPv4"


def private(kubectl: Client) -> list[object]:
    found = kubectl.object("endpointslices", "reached-00001-private")
    return list(found.get("endpoints", ()))


def test_there_is_a_node_and_it_has_the_pods(kubectl: Client) -> None:
    apply(kubectl, service("placed"))
    ready(kubectl, "placed")
    (node,) = kubectl("get", "nodes", "-o", "name").splitlines()
    assert " Ready " in kubectl("get", "nodes")
    wait_until(lambda: "placed-00001-deployment-" in kubectl("describe", node), "its pod")
