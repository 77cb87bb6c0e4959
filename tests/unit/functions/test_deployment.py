"""What a deployment changes of what is there (Knative Functions reference §4.4)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from knlite.functions.deployment import (
    built_at,
    from_folder,
    references,
    trigger_changes,
    updated,
)
from knlite.functions.funcspec import (
    Deploy,
    Env,
    FuncYaml,
    PersistentVolumeClaim,
    Run,
    Subscription,
    Volume,
)
from knlite.functions.service import service_of, triggers_of
from knlite.kinds.catalog import read, tree_of

FUNC = FuncYaml(
    name="hello",
    runtime="python",
    deploy=Deploy(
        subscriptions=(
            Subscription(source="default", filters={"type": "order.paid"}),
            Subscription(source="shop", filters={"type": "order.sent"}),
        )
    ),
)
CREATOR = {"serving.knative.dev/creator": "ada"}


def service() -> dict[str, Any]:
    return service_of(FUNC, namespace="default", image="i:latest", built="now", environ={})


def kept(tree: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {**tree, "metadata": {**tree["metadata"], **metadata}}


def test_a_deployed_function_says_where_it_lies() -> None:
    made = from_folder(service(), "/home/ada/hello", {"knlite.dev/code": "sha256:1"})
    assert read(made).problems == ()
    annotations = made["spec"]["template"]["metadata"]["annotations"]
    assert annotations["knlite.dev/function"] == "/home/ada/hello"
    assert annotations["knlite.dev/code"] == "sha256:1"
    assert annotations["function.knative.dev/deployer"] == "knative"


def test_an_update_keeps_traffic_and_creator_and_lets_the_server_name_the_revision() -> None:
    old = kept(
        service(),
        uid="u",
        resourceVersion="7",
        annotations={**CREATOR, "old": "x"},
        managedFields=[{}],
    )
    old["spec"] = {
        "traffic": [{"revisionName": "hello-00001", "percent": 100}],
        "template": {"metadata": {"name": "hello-v1", "annotations": CREATOR}, "spec": {}},
    }
    made = updated(old, service())
    assert made["metadata"]["resourceVersion"] == "7"
    assert "managedFields" not in made["metadata"]
    assert made["metadata"]["annotations"] == {
        "function.knative.dev/deployer": "knative",
        **CREATOR,
    }
    assert made["spec"]["traffic"] == old["spec"]["traffic"]
    template = made["spec"]["template"]
    assert "name" not in template["metadata"]
    assert template["metadata"]["annotations"]["serving.knative.dev/creator"] == "ada"
    assert template["spec"]["containers"][0]["image"] == "i:latest"


def test_an_update_keeps_what_func_yaml_does_not_speak_of() -> None:
    old = kept(service())
    old["spec"] = {
        "template": {
            "spec": {
                "timeoutSeconds": 10,
                "containerConcurrency": 7,
                "serviceAccountName": "gone",
                "volumes": [{"name": "gone", "emptyDir": {}}],
                "containers": [
                    {
                        "name": "user-container",
                        "image": "i:old",
                        "command": ["serve"],
                        "env": [{"name": "GONE", "value": "1"}],
                        "envFrom": [{"secretRef": {"name": "gone"}}],
                        "resources": {"limits": {"cpu": "1"}},
                        "livenessProbe": {"httpGet": {"path": "/gone"}},
                    },
                    {"name": "sidecar", "image": "s"},
                ],
            }
        }
    }
    spec = updated(old, service())["spec"]["template"]["spec"]
    new = service()["spec"]["template"]["spec"]["containers"][0]
    assert spec == {
        "timeoutSeconds": 10,
        "containers": [
            {"name": "user-container", "command": ["serve"], **new},
            {"name": "sidecar", "image": "s"},
        ],
    }


def test_triggers_are_made_once_and_changed_when_they_change() -> None:
    wanted = triggers_of(FUNC, namespace="default", owner="u")
    changes = trigger_changes("hello", "u", [], wanted)
    assert [each["metadata"]["name"] for each in changes.create] == [
        "hello-function-trigger-0",
        "hello-function-trigger-1",
    ]
    there = [kept(each, resourceVersion="3") for each in wanted]
    assert not trigger_changes("hello", "u", there, wanted)
    # As the server fills it in.
    filled = [{**there[0], "spec": {**there[0]["spec"], "delivery": {"retry": 3}}}, there[1]]
    assert not trigger_changes("hello", "u", filled, wanted)
    other = {**wanted[0], "spec": {**wanted[0]["spec"], "filter": {"attributes": {"type": "x"}}}}
    changes = trigger_changes("hello", "u", filled, [other, wanted[1]])
    assert changes.delete == changes.create == ()
    (replaced,) = changes.replace
    assert replaced["metadata"]["resourceVersion"] == "3"
    assert replaced["spec"]["filter"] == {"attributes": {"type": "x"}}
    assert replaced["spec"]["delivery"] == {"retry": 3}


def test_a_trigger_without_a_filter_stays_as_it_is_kept() -> None:
    func = FuncYaml(name="hello", deploy=Deploy(subscriptions=(Subscription(source="default"),)))
    wanted = triggers_of(func, namespace="default", owner="u")
    kept_as = read(wanted[0])
    assert kept_as.value is not None
    assert not trigger_changes("hello", "u", [tree_of(kept_as.value)], wanted)


def test_a_trigger_of_another_broker_is_another_trigger() -> None:
    wanted = triggers_of(FUNC, namespace="default", owner="u")
    moved = {**wanted[0], "spec": {**wanted[0]["spec"], "broker": "other"}}
    changes = trigger_changes("hello", "u", wanted, [moved, wanted[1]])
    assert changes.delete == ("hello-function-trigger-0",)
    assert changes.create == (moved,)


def test_subscriptions_that_are_gone_take_their_triggers_along() -> None:
    there = triggers_of(FUNC, namespace="default", owner="u")
    changes = trigger_changes("hello", "u", there, there[:1])
    assert changes.delete == ("hello-function-trigger-1",)


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param({"name": "hello-function-trigger-x"}, id="by another name"),
        pytest.param({"name": "hello-world-function-trigger-0"}, id="of another function"),
        pytest.param(
            {"name": "hello-function-trigger-0", "ownerReferences": [{"uid": "v"}]},
            id="of another owner",
        ),
    ],
)
def test_what_others_have_made_stays(foreign: dict[str, Any]) -> None:
    trigger = {"metadata": foreign, "spec": {"broker": "default"}}
    assert not trigger_changes("hello", "u", [trigger], [])


def test_all_that_a_function_needs_is_told_once() -> None:
    func = FuncYaml(
        name="hello",
        runtime="python",
        run=Run(
            envs=(
                Env(name="A", value="{{ secret:tokens:one }}"),
                Env(value="{{ secret:tokens }}"),
                Env(value="{{ configMap:settings }}"),
                Env(name="B", value="plain"),
            ),
            volumes=(
                Volume(secret="tokens", path="/t"),
                Volume(persistent_volume_claim=PersistentVolumeClaim(claim_name="data"), path="/d"),
            ),
        ),
        deploy=Deploy(service_account_name="robot", image_pull_secret="hub"),
    )
    assert [each.absent("shop") for each in references(func)] == [
        'referenced Secret "tokens" is not present in namespace "shop"',
        'referenced ConfigMap "settings" is not present in namespace "shop"',
        'referenced PersistentVolumeClaim "data" is not present in namespace "shop"',
        'referenced ServiceAccount "robot" is not present in namespace "shop"',
        'referenced image pull Secret "hub" is not present in namespace "shop"',
    ]


def test_the_default_service_account_need_not_be_there() -> None:
    func = FuncYaml(name="hello", deploy=Deploy(service_account_name="default"))
    assert references(func) == ()


def test_the_moment_of_a_build_is_written_as_go_writes_it() -> None:
    assert built_at(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "20260102T030405"
