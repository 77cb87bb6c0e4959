"""Kubernetes' own Service: what is kept, completed and refused."""

from typing import Any

import pytest

from knlite.kinds.admission import Admitted, Denied, admit
from knlite.kinds.catalog import by_resource, document, find_kind, read
from knlite.kinds.config.bundle import Config
from knlite.kinds.core.k8sservice import KubernetesService
from knlite.kinds.fielderror import rendered
from knlite.kinds.serving.service import Service


def admitted(spec: dict[str, Any], name: str = "db") -> Admitted | Denied:
    found = read({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec})
    assert found.value is not None, found.problems
    return admit(found.value, None, Config(), "me")


def test_the_word_service_means_knatives_and_svc_means_kubernetes() -> None:
    service, svc = find_kind("service"), find_kind("svc")
    assert service is not None
    assert svc is not None
    assert (service.type, svc.type) == (Service, KubernetesService)
    core = by_resource("", "v1", "services")
    assert core is not None
    assert (core.type, core.kind) == (KubernetesService, "Service")


def test_a_service_is_completed_and_keeps_its_addresses_under_kubernetes_names() -> None:
    spec = {"clusterIP": "None", "ports": [{"port": 80}], "externalIPs": ["10.0.0.1"]}
    outcome = admitted(spec)
    assert isinstance(outcome, Admitted)
    written = document(outcome.obj)
    assert written["kind"] == "Service"
    assert written["spec"]["type"] == "ClusterIP"
    assert written["spec"]["clusterIP"] == "None"
    assert written["spec"]["externalIPs"] == ("10.0.0.1",)
    assert written["spec"]["ports"] == ({"protocol": "TCP", "port": 80, "targetPort": 80},)


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({}, "Required value: spec.ports"),
        ({"type": "ExternalName"}, "Required value: spec.externalName"),
        ({"ports": [{"port": 0}]}, "must be between 1 and 65535, inclusive: spec.ports[0].port"),
        (
            {"type": "Odd", "ports": [{"port": 80}]},
            'Unsupported value: "Odd": supported values: "ClusterIP", "ExternalName",'
            ' "LoadBalancer", "NodePort": spec.type',
        ),
    ],
)
def test_what_is_refused(spec: dict[str, Any], text: str) -> None:
    outcome = admitted(spec)
    assert isinstance(outcome, Denied)
    assert rendered(outcome.errors) == text
