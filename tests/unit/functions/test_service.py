"""The Service and the Triggers of a function; Knative Functions reference §4.4."""

from typing import Any

import pytest

from knlite.errors import InvalidInput
from knlite.functions.funcspec import (
    Deploy,
    EmptyDir,
    Env,
    FuncYaml,
    Label,
    Limits,
    Options,
    Resources,
    Run,
    Scale,
    Subscription,
    Volume,
)
from knlite.functions.service import service_of, triggers_of

FUNC = FuncYaml(
    name="hello",
    runtime="python",
    run=Run(
        envs=(
            Env(name="A", value="b"),
            Env(name="USER_NAME", value="{{ env:LOCAL_USER }}"),
            Env(name="TOKEN", value="{{ secret:tokens:one }}"),
            Env(value="{{ configMap:settings }}"),
        ),
        volumes=(
            Volume(secret="tokens", path="/etc/tokens"),
            Volume(empty_dir=EmptyDir(medium="Memory", size_limit="1024Mi"), path="/tmp/scratch"),
        ),
    ),
    deploy=Deploy(
        annotations={"team": "shop"},
        labels=(Label(key="stage", value="{{ env:STAGE }}"), Label(key="bare")),
        options=Options(
            scale=Scale(min=0, max=10, target=75.0),
            resources=Resources(limits=Limits(cpu="1000m", concurrency=5)),
        ),
        subscriptions=(Subscription(source="default", filters={"type": "order.paid"}),),
    ),
)
ENVIRON = {"LOCAL_USER": "bob", "STAGE": "test"}


def made(func: FuncYaml = FUNC) -> dict[str, Any]:
    return service_of(func, namespace="shop", image="i:latest", built="now", environ=ENVIRON)


def test_labels_and_annotations_stand_on_service_and_template() -> None:
    service = made()
    labels = {
        "boson.dev/function": "true",
        "function.knative.dev/name": "hello",
        "function.knative.dev/runtime": "python",
        "stage": "test",
        "bare": "",
    }
    annotations = {"function.knative.dev/deployer": "knative", "team": "shop"}
    template = service["spec"]["template"]["metadata"]
    assert service["metadata"] == {
        "name": "hello",
        "namespace": "shop",
        "labels": labels,
        "annotations": annotations,
    }
    assert template["labels"] == labels
    assert template["annotations"] == {
        **annotations,
        "autoscaling.knative.dev/min-scale": "0",
        "autoscaling.knative.dev/max-scale": "10",
        "autoscaling.knative.dev/target": "75.000000",
    }


def test_the_container_has_variables_health_and_volumes() -> None:
    spec = made()["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert "name" not in container
    assert "ports" not in container
    assert container["image"] == "i:latest"
    assert container["env"] == [
        {"name": "BUILT", "value": "now"},
        {"name": "ADDRESS", "value": "0.0.0.0"},
        {"name": "A", "value": "b"},
        {"name": "USER_NAME", "value": "bob"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "tokens", "key": "one"}}},
    ]
    assert container["envFrom"] == [{"configMapRef": {"name": "settings"}}]
    assert container["readinessProbe"] == {"httpGet": {"path": "/health/readiness", "port": 8080}}
    assert container["resources"] == {"limits": {"cpu": "1"}}
    assert container["volumeMounts"] == [
        {"name": "secret-tokens", "mountPath": "/etc/tokens"},
        {"name": "empty-dir-1", "mountPath": "/tmp/scratch"},
    ]
    empty = {"medium": "Memory", "sizeLimit": "1Gi"}
    assert spec["volumes"][1] == {"name": "empty-dir-1", "emptyDir": empty}
    assert spec["containerConcurrency"] == 5


def test_a_bare_function_has_nothing_empty() -> None:
    spec = made(FuncYaml(name="a", runtime="go"))["spec"]["template"]["spec"]
    assert spec.keys() == {"containers"}
    assert "resources" not in spec["containers"][0]


def test_each_subscription_is_a_trigger_of_the_service() -> None:
    (trigger,) = triggers_of(FUNC, namespace="shop", owner="u-1")
    service = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "hello"}
    assert trigger["metadata"] == {
        "name": "hello-function-trigger-0",
        "namespace": "shop",
        "ownerReferences": [{**service, "uid": "u-1"}],
    }
    assert trigger["spec"] == {
        "broker": "default",
        "filter": {"attributes": {"type": "order.paid"}},
        "subscriber": {"ref": service},
    }


def test_a_variable_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidInput, match="expected environment variable 'LOCAL_USER' not found"):
        service_of(FUNC, namespace="shop", image="i", built="now", environ={})


def test_a_name_that_no_service_can_have_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Function name 'My_Function' must consist"):
        made(FuncYaml(name="My_Function", runtime="go"))
