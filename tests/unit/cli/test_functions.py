"""What ``knlite func list`` and ``describe`` print; Knative Functions reference §4.3."""

import json
from typing import Any

import pytest
import yaml

from knlite.cli.func import describe, listing

URL = "http://hello.shop.localhost:8080"


def service(**annotations: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "hello",
            "namespace": "shop",
            "generation": 2,
            "annotations": annotations,
            "labels": {"function.knative.dev/runtime": "python", "team": "web"},
        },
        "spec": {"template": {"spec": {"containers": [{"image": "i:latest"}]}}},
        "status": {
            "url": URL,
            "latestReadyRevisionName": "hello-00002",
            "latestCreatedRevisionName": "hello-00002",
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


REVISION: dict[str, Any] = {
    "metadata": {"name": "hello-00002", "namespace": "shop"},
    "status": {"actualReplicas": 3, "containerStatuses": [{"imageDigest": "i@sha256:1"}]},
}
TRIGGER: dict[str, Any] = {
    "metadata": {"name": "t"},
    "spec": {
        "broker": "default",
        "filter": {"attributes": {"type": "order.paid"}},
        "subscriber": {
            "ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "hello"}
        },
    },
}


def test_a_list_has_funcs_columns_and_the_replicas_of_the_ready_revision() -> None:
    rows = listing.rows_of([service()], [REVISION])
    lines = listing.written(rows, "human").splitlines()
    assert lines[0].split() == [
        "NAME",
        "NAMESPACE",
        "RUNTIME",
        "DEPLOYER",
        "URL",
        "READY",
        "REPLICAS",
    ]
    assert lines[1].split() == ["hello", "shop", "python", "knative", URL, "True", "3"]
    assert json.loads(listing.written(rows, "json")) == rows
    assert yaml.safe_load(listing.written(rows, "yaml")) == rows
    assert listing.written(rows, "url") == f"{URL}\n"


def test_what_a_foreign_deployer_has_made_is_not_listed() -> None:
    raw, ours = "function.knative.dev/deployer", {"function.knative.dev/deployer": "knative"}
    assert listing.rows_of([service(**{raw: "raw"})], []) == []
    assert len(listing.rows_of([service(**ours)], [])) == 1


def test_a_service_that_has_just_come_is_neither_ready_nor_not() -> None:
    new = {"metadata": {"name": "a", "namespace": "b"}, "spec": {}}
    (row,) = listing.rows_of([new], [])
    assert (row["ready"], row["url"], row["replicas"]) == ("Unknown", "", 0)


def test_an_empty_list_says_how_to_fill_it() -> None:
    assert listing.nothing("shop").startswith("no functions found in namespace 'shop'\n")
    assert "--all-namespaces" not in listing.nothing("")


@pytest.mark.parametrize(
    ("output", "lines"),
    [
        ("url", [URL]),
        (
            "plain",
            [
                "Name hello",
                "Image i@sha256:1",
                "Namespace shop",
                f"Route {URL}",
                "Ready true",
                "Deployer knative",
                "Subscription  order.paid default",
                "Label function.knative.dev/runtime python",
                "Label team web",
            ],
        ),
    ],
)
def test_a_function_is_described(output: str, lines: list[str]) -> None:
    found = describe.described(service(), [REVISION], [TRIGGER])
    assert describe.written(found, output).splitlines() == lines
    assert json.loads(describe.written(found, "json")) == found


def test_a_description_as_json_and_yaml_has_the_names_of_func() -> None:
    found = describe.described(service(), [REVISION], [TRIGGER])
    names = [
        *("Route", "routes", "name", "image", "namespace", "deployer", "subscriptions", "labels"),
        *("generation", "ready"),
    ]
    assert list(json.loads(describe.written(found, "json"))) == names
    assert list(yaml.safe_load(describe.written(found, "yaml"))) == ["route", *names[1:]]
    assert found["Route"] == URL


@pytest.mark.parametrize(
    ("subscriber", "reaches"),
    [
        ({"uri": "http://hello.shop.svc.cluster.local"}, True),
        ({"uri": "http://other.shop.svc.cluster.local"}, False),
        ({"ref": {"apiVersion": "v1", "kind": "Service", "name": "hello"}}, False),
    ],
)
def test_subscriptions_are_the_triggers_that_reach_it(
    subscriber: dict[str, Any], reaches: bool
) -> None:
    addressed = service()
    addressed["status"]["address"] = {"url": "http://hello.shop.svc.cluster.local"}
    trigger = {**TRIGGER, "spec": {**TRIGGER["spec"], "subscriber": subscriber}}
    found = describe.described(addressed, [], [trigger])
    assert len(found["subscriptions"]) == reaches


def test_a_description_for_people_has_a_head_for_each_part() -> None:
    found = describe.described(service(), [], [])
    text = describe.written(found, "human")
    assert text.startswith("Function name:\n  hello\nFunction is built in image:\n  i:latest\n")
    assert "Subscriptions" not in text
