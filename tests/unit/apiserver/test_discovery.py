"""Discovery, OpenAPI and reviews, as kubectl asks for them (clients-api reference, Parts 2-4)."""

from typing import Any

import msgspec
import pytest

from knlite.apiserver.openapi import documents
from knlite.kinds.catalog import KINDS
from tests.unit.apiserver.asking import Client

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_the_aggregated_form(client: Client, path: str, version: str) -> None:
    answer = client.get(path, {"Accept": f"{AGGREGATED.format(version)},application/json"})
    assert answer.headers["content-type"] == AGGREGATED.format(version)
    found = answer.json()
    assert found["apiVersion"] == f"apidiscovery.k8s.io/{version}"
    groups = {each["metadata"].get("name", ""): each["versions"] for each in found["items"]}
    if path == "/api":
        assert set(groups) == {""}
    else:
        assert "" not in groups
        (resource,) = (
            each
            for each in groups["serving.knative.dev"][0]["resources"]
            if each["resource"] == "services"
        )
        assert resource["shortNames"] == ["kservice", "ksvc"]
        assert resource["categories"] == ["all", "knative", "serving"]
        assert resource["scope"] == "Namespaced"
        assert "deletecollection" in resource["verbs"]
        assert resource["subresources"][0]["subresource"] == "status"


def test_the_classic_form_says_the_same(client: Client) -> None:
    assert client.get("/api").json()["versions"] == ["v1"]
    groups = client.get("/apis").json()["groups"]
    versions = [v["groupVersion"] for group in groups for v in group["versions"]]
    found = set()
    for version in ["v1", *versions]:
        path = f"/apis/{version}" if "/" in version else f"/api/{version}"
        listed = client.get(path).json()
        assert (listed["kind"], listed["groupVersion"]) == ("APIResourceList", version)
        found |= {(version, each["name"]) for each in listed["resources"]}
    assert found >= {(info.api_version, info.plural) for info in KINDS}
    assert ("serving.knative.dev/v1", "services/status") in found
    assert ("v1", "pods/log") in found


def test_one_group(client: Client) -> None:
    found = client.get("/apis/serving.knative.dev").json()
    assert found["preferredVersion"]["version"] == "v1"
    assert client.get("/apis/example.com").status_code == 404
    assert client.get("/apis/serving.knative.dev/v9").status_code == 404


def test_the_version_is_one_of_kubernetes(client: Client) -> None:
    found = client.get("/version").json()
    assert found["gitVersion"].startswith(f"v1.{found['minor']}.0+knlite.")


def test_openapi_v2_is_empty(client: Client) -> None:
    answer = client.get("/openapi/v2")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].endswith("v2.v1.0+protobuf")


def test_openapi_documents_may_be_kept(client: Client) -> None:
    for path, entry in client.get("/openapi/v3").json()["paths"].items():
        answer = client.get(entry["serverRelativeURL"])
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        bare = client.get(f"/openapi/v3/{path}")
        assert bare.content == answer.content
        assert "cache-control" not in bare.headers
    assert client.get("/openapi/v3/apis/example.com/v1").status_code == 404


def _document(path: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(documents()[path][0])
    return found


def _references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*(_references(each) for each in value.values()), set())
    if isinstance(value, list):
        return set().union(*(_references(each) for each in value), set())
    return set()


@pytest.mark.parametrize("path", documents())
def test_every_reference_leads_somewhere(path: str) -> None:
    found = _document(path)
    known = {f"#/components/schemas/{name}" for name in found["components"]["schemas"]}
    assert _references(found) <= known


@pytest.mark.parametrize("info", [each for each in KINDS if "patch" in each.verbs])
def test_kubectl_learns_that_the_server_checks_fields(info: Any) -> None:
    found = _document(f"apis/{info.api_version}" if info.group else f"api/{info.version}")
    gvk = {"group": info.group, "version": info.version, "kind": info.kind}
    (patch,) = (
        item["patch"]
        for path, item in found["paths"].items()
        if "patch" in item
        and item["patch"]["x-kubernetes-group-version-kind"] == gvk
        and path.endswith("{name}")
    )
    assert "fieldValidation" in [each["name"] for each in patch["parameters"]]


def test_fields_are_described() -> None:
    schemas = _document("apis/serving.knative.dev/v1")["components"]["schemas"]
    service = schemas["dev.knative.serving.v1.Service"]
    assert service["x-kubernetes-group-version-kind"] == [
        {"group": "serving.knative.dev", "version": "v1", "kind": "Service"}
    ]
    containers = next(
        each["properties"]["containers"]
        for name, each in schemas.items()
        if name.endswith(".RevisionSpec")
    )
    assert containers["type"] == "array"
    assert containers["description"]


def test_no_field_is_without_a_description() -> None:
    """Add what is listed here to ``apiserver/fieldtexts.py``."""
    bare = {
        f"{name.rpartition('.')[2]}.{field}"
        for path in documents()
        for name, schema in _document(path)["components"]["schemas"].items()
        for field, value in schema["properties"].items()
        if not value.get("description")
    }
    assert sorted(bare) == []


def test_masked_fields_are_not_explained() -> None:
    schemas = _document("apis/serving.knative.dev/v1")["components"]["schemas"]
    container = next(each for name, each in schemas.items() if name.endswith(".Container"))
    assert "env" in container["properties"]
    assert "lifecycle" not in container["properties"]


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "SelfSubjectAccessReview",
         lambda status: status["allowed"] is True),
        ("/apis/authorization.k8s.io/v1/subjectaccessreviews", "SubjectAccessReview",
         lambda status: status["allowed"] is True),
        ("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", "SelfSubjectRulesReview",
         lambda status: status["resourceRules"][0]["verbs"] == ["*"]),
        ("/apis/authentication.k8s.io/v1/selfsubjectreviews", "SelfSubjectReview",
         lambda status: status["userInfo"]["username"] == "kubernetes-admin"),
    ],
)  # fmt: skip
def test_everybody_may_everything(client: Client, path: str, kind: str, expected: Any) -> None:
    answer = client.post(path, {"kind": kind, "spec": {}})
    assert (answer.status_code, answer.json()["kind"]) == (201, kind)
    assert expected(answer.json()["status"])
