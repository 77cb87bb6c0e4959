"""Kinds that are served in several versions (Kubernetes API concepts; Eventing reference §2)."""

from typing import Any

from tests.unit.apiserver.asking import TABLE, Client

MERGE = "merge-patch+json"
SINK = {"uri": "http://sink.example"}


def path(group: str, version: str, plural: str) -> str:
    return f"/apis/{group}.knative.dev/{version}/namespaces/default/{plural}"


def pings(version: str) -> str:
    return path("sources", version, "pingsources")


def types(version: str) -> str:
    return path("eventing", version, "eventtypes")


def ping(version: str) -> dict[str, Any]:
    return {
        "apiVersion": f"sources.knative.dev/{version}",
        "kind": "PingSource",
        "metadata": {"name": "p"},
        "spec": {"schedule": "@hourly", "data": "hello", "sink": SINK},
    }


def attributes(*names: str) -> dict[str, Any]:
    return {
        "apiVersion": "eventing.knative.dev/v1beta3",
        "kind": "EventType",
        "metadata": {"name": "t"},
        "spec": {"attributes": [{"name": name, "value": f"the-{name}"} for name in names]},
    }


def test_an_object_is_shown_in_the_version_of_the_path(client: Client) -> None:
    answer = client.post(pings("v1beta2"), ping("v1beta2"))
    assert answer.status_code == 201
    assert answer.json()["apiVersion"] == "sources.knative.dev/v1beta2"
    found = client.get(f"{pings('v1')}/p").json()
    assert found["apiVersion"] == "sources.knative.dev/v1"
    assert found["spec"]["schedule"] == "@hourly"
    listed = client.get(pings("v1beta2")).json()
    assert listed["apiVersion"] == "sources.knative.dev/v1beta2"
    assert [each["apiVersion"] for each in listed["items"]] == ["sources.knative.dev/v1beta2"]


def test_an_object_is_changed_in_any_version(client: Client) -> None:
    created = client.post(pings("v1"), ping("v1")).json()
    changed = client.patch(f"{pings('v1beta2')}/p", MERGE, {"spec": {"data": "more"}}).json()
    assert (changed["apiVersion"], changed["spec"]["data"]) == (
        "sources.knative.dev/v1beta2",
        "more",
    )
    replaced = client.put(
        f"{pings('v1beta2')}/p",
        {**changed, "spec": {**changed["spec"], "data": "most"}},
    )
    assert replaced.is_success
    found = client.get(f"{pings('v1')}/p").json()
    assert found["spec"]["data"] == "most"
    assert found["metadata"]["uid"] == created["metadata"]["uid"]


def test_an_object_is_applied_in_any_version(client: Client) -> None:
    for version in ("v1beta2", "v1"):
        answer = client.ask(
            "PATCH",
            f"{pings(version)}/p?fieldManager=test",
            ping(version),
            {"Content-Type": "application/apply-patch+yaml"},
        )
        assert answer.is_success
        assert answer.json()["apiVersion"] == f"sources.knative.dev/{version}"


def test_versions_of_other_shapes_are_converted(client: Client) -> None:
    document = attributes("type", "source", "specversion", "id", "schemadata")
    assert client.post(types("v1beta3"), document).status_code == 201
    old = client.get(f"{types('v1beta2')}/t").json()
    assert old["spec"] == {"type": "the-type", "source": "the-source", "schema": "the-schemadata"}
    new = client.get(f"{types('v1beta3')}/t").json()
    assert new["spec"]["attributes"] == [
        {"name": "specversion", "required": True},
        {"name": "id", "required": True},
        {"name": "type", "required": True, "value": "the-type"},
        {"name": "source", "required": True, "value": "the-source"},
        {"name": "schemadata", "value": "the-schemadata"},
    ]
    patched = client.patch(f"{types('v1beta3')}/t", MERGE, {"spec": {"description": "orders"}})
    assert patched.json()["spec"]["description"] == "orders"
    assert client.get(f"{types('v1beta1')}/t").json()["spec"]["description"] == "orders"


def test_each_version_has_rules_and_columns_of_its_own(client: Client) -> None:
    answer = client.post(types("v1beta3"), attributes("type", "source"))
    assert answer.status_code == 400
    assert answer.json()["message"] == (
        'admission webhook "validation.webhook.eventing.knative.dev" denied the request:'
        " validation failed: missing field(s): spec.attributes.id, spec.attributes.specversion"
    )
    old = {"metadata": {"name": "t"}, "spec": {"source": "/s"}}
    assert "missing field(s): spec.type" in client.post(types("v1beta2"), old).json()["message"]
    heads = {
        version: [
            each["name"]
            for each in client.ask("GET", types(version), headers=TABLE).json()["columnDefinitions"]
        ]
        for version in ("v1beta2", "v1beta3")
    }
    assert "Schema" in heads["v1beta2"]
    assert "Schema" not in heads["v1beta3"]


def test_a_reference_by_another_version_is_an_owner(client: Client) -> None:
    owner = client.post(pings("v1"), ping("v1")).json()["metadata"]
    reference = {
        "apiVersion": "sources.knative.dev/v1beta2",
        "kind": "PingSource",
        "name": "p",
        "uid": owner["uid"],
    }
    document = {
        "metadata": {"name": "t", "ownerReferences": [reference]},
        "spec": {"type": "a"},
    }
    assert client.post(types("v1beta2"), document).status_code == 201
    assert client.ask("DELETE", f"{pings('v1beta2')}/p").is_success
    assert client.get(f"{types('v1beta2')}/t").status_code == 404


def test_discovery_names_all_versions_the_newest_first(client: Client) -> None:
    found = client.get("/apis/sources.knative.dev").json()
    versions = [each["version"] for each in found["versions"]]
    assert versions == ["v1", "v1beta2", "v1beta1", "v1alpha1"]
    assert client.get("/openapi/v3/apis/eventing.knative.dev/v1beta3").is_success


def test_a_version_of_another_shape_is_applied_again_and_again(client: Client) -> None:
    document = attributes("type", "source", "specversion", "id")
    for description, code in (("one", 201), ("two", 200), ("two", 200)):
        spec = {**document["spec"], "description": description}
        answer = client.ask(
            "PATCH",
            f"{types('v1beta3')}/t?fieldManager=test",
            {**document, "spec": spec},
            {"Content-Type": "application/apply-patch+yaml"},
        )
        assert answer.status_code == code, answer.text
        assert answer.json()["apiVersion"] == "eventing.knative.dev/v1beta3"
        assert answer.json()["spec"]["description"] == description
    found = client.get(f"{types('v1beta2')}/t").json()
    assert found["spec"]["type"] == "the-type"
    (entry,) = found["metadata"]["managedFields"]
    assert entry["apiVersion"] == "eventing.knative.dev/v1beta3"


def test_json_patches_are_of_the_version_they_are_sent_to(client: Client) -> None:
    client.post(types("v1beta3"), attributes("type", "source", "specversion", "id"))
    patch = [{"op": "replace", "path": "/spec/attributes/2/value", "value": "another"}]
    answer = client.patch(f"{types('v1beta3')}/t", "json-patch+json", patch)
    assert answer.is_success, answer.text
    assert client.get(f"{types('v1beta2')}/t").json()["spec"]["type"] == "another"
    gone = [{"op": "remove", "path": "/spec/attributes/1"}]
    refused = client.patch(f"{types('v1beta3')}/t", "json-patch+json", gone)
    assert "missing field(s): spec.attributes.id" in refused.json()["message"]
