"""Defaults and rules of Deployments (Kubernetes ``pkg/apis/apps``)."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.core.deployment import (
    Deployment,
    DeploymentSpec,
    RollingUpdate,
    Strategy,
    defaulted,
    validated,
)
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.fielderror import rendered
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container, ContainerPort, PodSpec, VolumeMount
from knlite.kinds.selectors import LabelSelector

CONFIG = Config()
MAIN = Container(name="main", image="app")


def deployment(*containers: Container, policy: str = "", **spec: object) -> Deployment:
    template = PodTemplate(
        metadata=ObjectMeta(labels={"app": "a"}),
        spec=PodSpec(containers=containers or (MAIN,), restart_policy=policy),
    )
    selector = LabelSelector(match_labels={"app": "a"})
    whole = DeploymentSpec(selector=selector, template=template)
    meta = ObjectMeta(name="a", namespace="shop")
    return Deployment(metadata=meta, spec=replace(whole, **spec))


def complaints(obj: Deployment, old: Deployment | None = None) -> str:
    return rendered(validated(defaulted(obj, old, CONFIG), old, CONFIG))


def test_it_gets_kubernetes_defaults() -> None:
    spec = defaulted(deployment(), None, CONFIG).spec
    assert (spec.replicas, spec.progress_deadline_seconds) == (1, 600)
    assert spec.strategy.type == "RollingUpdate"
    assert spec.strategy.rolling_update == RollingUpdate(max_unavailable="25%", max_surge="25%")
    assert spec.template.spec.restart_policy == "Always"
    assert complaints(deployment()) == ""


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        pytest.param(
            deployment(selector=LabelSelector()), "missing field(s): spec.selector", id="selector"
        ),
        pytest.param(
            deployment(selector=LabelSelector(match_labels={"app": "b"})),
            "does not match template `labels`",
            id="other labels",
        ),
        pytest.param(deployment(replicas=-1), "spec.replicas", id="replicas"),
        pytest.param(
            deployment(policy="Never"),
            'Unsupported value: "Never": supported values: "Always":'
            " spec.template.spec.restartPolicy",
            id="policy",
        ),
        pytest.param(
            deployment(Container(name="main")), "spec.template.spec.containers[0].image", id="image"
        ),
        pytest.param(deployment(MAIN, MAIN), "Duplicate value", id="twice"),
        pytest.param(
            deployment(replace(MAIN, volume_mounts=(VolumeMount(name="v", mount_path="/v"),))),
            'Not found: "v": spec.template.spec.containers[0].volumeMounts[0].name',
            id="volume",
        ),
        pytest.param(
            deployment(replace(MAIN, ports=(ContainerPort(container_port=70_000),))),
            "must be between 1 and 65535, inclusive",
            id="port",
        ),
        pytest.param(
            deployment(strategy=Strategy(type="Sideways")), "spec.strategy.type", id="strategy"
        ),
        pytest.param(
            deployment(
                strategy=Strategy(
                    type="RollingUpdate",
                    rolling_update=RollingUpdate(max_unavailable="0%", max_surge=0),
                )
            ),
            "may not be 0 when `maxSurge` is 0",
            id="standstill",
        ),
        pytest.param(
            deployment(
                strategy=Strategy(
                    type="RollingUpdate", rolling_update=RollingUpdate(max_surge="lots")
                )
            ),
            "spec.strategy.rollingUpdate.maxSurge",
            id="no share",
        ),
    ],
)
def test_what_is_wrong_is_named(obj: Deployment, words: str) -> None:
    assert words in complaints(obj)


def test_its_selector_cannot_be_changed() -> None:
    template = deployment().spec.template
    labels = {"app": "a", "other": "b"}
    other = deployment(
        selector=LabelSelector(match_labels={"other": "b"}),
        template=replace(template, metadata=ObjectMeta(labels=labels)),
    )
    assert "field is immutable" in complaints(other, defaulted(deployment(), None, CONFIG))
