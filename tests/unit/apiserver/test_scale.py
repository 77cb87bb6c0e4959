"""The scale of a Deployment and of a KafkaSource (Kubernetes autoscaling/v1)."""

from typing import Any

import pytest

from tests.unit.apiserver.asking import Client

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
SCALE = f"{DEPLOYMENTS}/worker/scale"


@pytest.fixture
def worker(client: Client) -> Client:
    labels = {"app": "worker"}
    pod = {"containers": [{"name": "main", "image": "a"}]}
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    body = {"metadata": {"name": "worker"}, "spec": spec}
    assert client.post(DEPLOYMENTS, body).status_code == 201
    return client


def replicas(client: Client) -> Any:
    return client.get(f"{DEPLOYMENTS}/worker").json()["spec"]["replicas"]


def test_it_says_how_many_there_shall_be_and_are(worker: Client) -> None:
    found = worker.get(SCALE).json()
    assert (found["apiVersion"], found["kind"]) == ("autoscaling/v1", "Scale")
    assert found["spec"] == {"replicas": 2}
    assert found["status"] == {"replicas": 0, "selector": "app=worker"}


def test_it_is_replaced_as_long_as_nothing_has_changed_in_between(worker: Client) -> None:
    found = worker.get(SCALE).json()
    found["spec"]["replicas"] = 5
    assert worker.put(SCALE, found).json()["spec"]["replicas"] == 5
    assert replicas(worker) == 5
    assert worker.put(SCALE, found).status_code == 409


def test_it_is_patched(worker: Client) -> None:
    answer = worker.patch(SCALE, "merge-patch+json", {"spec": {"replicas": 3}})
    assert answer.json()["spec"]["replicas"] == 3
    change = [{"op": "replace", "path": "/spec/replicas", "value": 0}]
    assert worker.patch(SCALE, "json-patch+json", change).json()["spec"]["replicas"] == 0
    assert replicas(worker) == 0


@pytest.mark.parametrize("value", [-1, 2**31, "2", True, None, 1.5])
def test_only_numbers_are_taken(worker: Client, value: object) -> None:
    body = {"spec": {"replicas": value}}
    assert worker.put(SCALE, body).status_code == 400
    assert replicas(worker) == 2


def test_what_is_not_there_and_what_cannot_be_is_told(worker: Client) -> None:
    assert worker.get(f"{DEPLOYMENTS}/none/scale").status_code == 404
    assert worker.patch(SCALE, "strategic-merge-patch+json", {}).status_code == 415
    assert worker.delete(SCALE).status_code == 405
    assert worker.get("/apis/batch/v1/namespaces/default/jobs/x/scale").status_code == 404


def test_clients_find_it(worker: Client) -> None:
    resources = worker.get("/apis/apps/v1").json()["resources"]
    (found,) = (each for each in resources if each["name"] == "deployments/scale")
    assert (found["group"], found["version"], found["kind"]) == ("autoscaling", "v1", "Scale")


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_kafka_source_is_scaled_by_its_consumers(client: Client, version: str) -> None:
    sources = f"/apis/sources.knative.dev/{version}/namespaces/default/kafkasources"
    spec = {
        "topics": ["t"],
        "bootstrapServers": ["kafka:9092"],
        "sink": {"uri": "http://sink.example"},
    }
    assert client.post(sources, {"metadata": {"name": "k"}, "spec": spec}).status_code == 201
    assert client.get(f"{sources}/k/scale").json()["spec"] == {"replicas": 1}
    answer = client.patch(f"{sources}/k/scale", "merge-patch+json", {"spec": {"replicas": 0}})
    assert answer.json()["spec"] == {"replicas": 0}
    assert client.get(f"{sources}/k").json()["spec"]["consumers"] == 0
