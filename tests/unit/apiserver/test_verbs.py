"""The verbs (Kubernetes API concepts; clients-api reference, Parts 4, 6 and 7)."""

from typing import Any

import pytest

from knlite.apiserver.documents import BATCH
from tests.unit.apiserver.asking import (
    BROKERS,
    CONFIGMAPS,
    SERVICES,
    TABLE,
    Client,
    broker,
    config_map,
    service,
)
from tests.unit.registry.desk import broker as stored_broker

MERGE, JSON, APPLY = "merge-patch+json", "json-patch+json", "apply-patch+yaml"
STRATEGIC = "strategic-merge-patch+json"


def test_what_is_created_comes_back_with_its_defaults(client: Client) -> None:
    answer = client.post(SERVICES, service())
    assert answer.status_code == 201
    found = answer.json()
    assert (found["apiVersion"], found["kind"]) == ("serving.knative.dev/v1", "Service")
    assert found["metadata"]["namespace"] == "default"
    assert found["metadata"]["uid"]
    assert found["spec"]["template"]["spec"]["timeoutSeconds"] == 300
    author = found["metadata"]["annotations"]["serving.knative.dev/creator"]
    assert author == "kubernetes-admin"
    assert client.get(f"{SERVICES}/hello").json() == found


def test_a_body_may_leave_out_what_the_path_says(client: Client) -> None:
    assert client.post(CONFIGMAPS, {"metadata": {"name": "x"}, "data": {"a": "b"}}).is_success


def test_a_body_may_be_yaml(client: Client) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n"
    answer = client.ask("POST", CONFIGMAPS, body, {"Content-Type": "application/yaml"})
    assert answer.json()["data"] == {"a": "b"}


def test_a_status_in_a_new_object_is_ignored(client: Client) -> None:
    body = {**service(), "status": {"url": "http://evil"}}
    assert "status" not in client.post(SERVICES, body).json()


@pytest.mark.parametrize(
    ("path", "body", "code", "reason", "message"),
    [
        pytest.param(BROKERS, broker("b"), 409, "AlreadyExists",
                     'brokers.eventing.knative.dev "b" already exists', id="a name that is taken"),
        pytest.param(SERVICES, {**service(), "kind": "Route"}, 400, "BadRequest",
                     'Route in version "v1" cannot be handled as a Service', id="another kind"),
        pytest.param(SERVICES, {**service(), "apiVersion": "v1"}, 400, "BadRequest",
                     "the API version in the data (v1) does not match the expected API version"
                     " (serving.knative.dev/v1)", id="another version"),
        pytest.param(SERVICES, service(namespace="other"), 400, "BadRequest",
                     "the namespace of the provided object does not match the namespace sent on the"
                     " request", id="another namespace"),
        pytest.param(SERVICES.replace("default", "nowhere"), service(), 404, "NotFound",
                     'namespaces "nowhere" not found', id="a namespace that is not there"),
        pytest.param(SERVICES, {**service(), "spec": {}}, 400, "BadRequest",
                     'admission webhook "validation.webhook.serving.knative.dev" denied the'
                     " request: validation failed: missing field(s):"
                     " spec.template.spec.containers", id="what Knative refuses"),
        pytest.param(CONFIGMAPS, config_map("UPPER"), 422, "Invalid",
                     'ConfigMap "UPPER" is invalid: ', id="what Kubernetes refuses"),
        pytest.param(SERVICES, [1], 400, "BadRequest",
                     "the body of the request must be an object", id="no object"),
        pytest.param(SERVICES, b"{", 400, "BadRequest", "couldn't parse the body as JSON",
                     id="no JSON"),
        pytest.param(SERVICES, b"[" * 5000 + b"]" * 5000, 400, "BadRequest",
                     "nested deeper than", id="hostile depth"),
        pytest.param(SERVICES, b'{"a":' * 300 + b"1" + b"}" * 300, 400, "BadRequest",
                     "nested deeper than", id="depth that the decoder takes"),
        pytest.param(SERVICES, b" " * (3 * 1024 * 1024 + 1), 413, "RequestEntityTooLarge",
                     "limit is 3145728", id="hostile size"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_status(
    client: Client, path: str, body: Any, code: int, reason: str, message: str
) -> None:
    answer = client.post(path, body)
    status = answer.json()
    assert (answer.status_code, status["code"], status["reason"]) == (code, code, reason)
    assert message in status["message"]


def test_a_status_names_what_it_is_about(client: Client) -> None:
    details = client.get(f"{BROKERS}/nope").json()["details"]
    assert details == {"name": "nope", "group": "eventing.knative.dev", "kind": "brokers"}


def test_an_invalid_object_is_named_by_its_kind(client: Client) -> None:
    details = client.post(CONFIGMAPS, config_map("UPPER")).json()["details"]
    assert (details["name"], details["kind"]) == ("UPPER", "ConfigMap")
    assert [cause["field"] for cause in details["causes"]] == ["metadata.name"]


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        pytest.param(BROKERS, broker("b"), "brokers", id="one that exists"),
        pytest.param(BROKERS, {**broker("b"), "spec": 1}, "Broker", id="a wrong type"),
        pytest.param(
            CONFIGMAPS, {**config_map("b"), "data": {"..": ""}}, "ConfigMap", id="refused"
        ),
    ],
)
def test_a_status_names_what_could_not_be_created(
    client: Client, path: str, body: Any, kind: str
) -> None:
    details = client.post(path, body).json()["details"]
    assert (details["name"], details["kind"]) == ("b", kind)


def test_a_name_can_be_generated(client: Client) -> None:
    body = service()
    body["metadata"] = {"generateName": "job-"}
    name = client.post(SERVICES, body).json()["metadata"]["name"]
    assert name.startswith("job-")
    assert len(name) == len("job-") + 5


@pytest.mark.parametrize(
    ("validation", "code", "warnings"),
    [
        ("Strict", 400, []),
        ("Warn", 201, ['299 - "unknown field \\"spec.bogus\\""']),
        ("Ignore", 201, []),
    ],
)
def test_unknown_fields(client: Client, validation: str, code: int, warnings: list[str]) -> None:
    body = {**broker("new"), "spec": {"bogus": 1}}
    answer = client.post(BROKERS, body, fieldValidation=validation)
    assert answer.status_code == code
    assert answer.headers.get_list("warning") == warnings
    if code == 400:
        assert answer.json()["message"] == (
            'Broker in version "v1" cannot be handled as a Broker: strict decoding error: unknown'
            ' field "spec.bogus"'
        )


def test_doubled_fields(client: Client) -> None:
    body = b'{"metadata": {"name": "x", "name": "y"}, "data": {"a": "1", "a": "2"}}'
    answer = client.ask("POST", f"{CONFIGMAPS}?fieldValidation=Strict", body)
    assert answer.status_code == 400
    assert answer.json()["message"].endswith(
        'strict decoding error: duplicate field "metadata.name", duplicate field "data.a"'
    )
    warned = client.ask("POST", CONFIGMAPS, body)
    assert len(warned.headers.get_list("warning")) == 2
    patch = b'{"data": {"a": "1", "a": "2"}}'
    assert (
        client.patch(f"{CONFIGMAPS}/y", MERGE, patch, fieldValidation="Strict").status_code == 400
    )
    assert client.patch(f"{CONFIGMAPS}/y", MERGE, patch).headers["warning"]


def test_a_dry_run_changes_nothing(client: Client) -> None:
    before = client.registry.version
    answer = client.post(SERVICES, service(), dryRun="All")
    assert answer.status_code == 201
    assert answer.json()["spec"]["template"]["spec"]["timeoutSeconds"] == 300
    assert client.get(f"{SERVICES}/hello").status_code == 404
    assert client.delete(f"{BROKERS}/b?dryRun=All").is_success
    assert client.get(f"{BROKERS}/b").is_success
    assert client.registry.version == before
    assert client.post(SERVICES, service(), dryRun="Some").status_code == 400


def test_an_update_keeps_what_the_body_leaves_out(client: Client) -> None:
    old = client.post(SERVICES, service()).json()
    new = client.put(f"{SERVICES}/hello", service()).json()
    assert new["metadata"]["uid"] == old["metadata"]["uid"]
    assert new["metadata"]["resourceVersion"] == old["metadata"]["resourceVersion"]


def test_an_update_of_an_older_state_is_refused(client: Client) -> None:
    body = service(resourceVersion="1")
    client.post(SERVICES, service())
    answer = client.put(f"{SERVICES}/hello", body)
    assert (answer.status_code, answer.json()["reason"]) == (409, "Conflict")
    assert answer.json()["message"] == (
        'Operation cannot be fulfilled on services.serving.knative.dev "hello": the object has been'
        " modified; please apply your changes to the latest version and try again"
    )


def test_an_update_must_be_of_the_object_that_the_path_names(client: Client) -> None:
    client.post(SERVICES, service())
    answer = client.put(f"{SERVICES}/hello", service("other"))
    assert answer.status_code == 400
    assert answer.json()["message"] == (
        "the name of the object (other) does not match the name on the URL (hello)"
    )


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        (MERGE, {"metadata": {"labels": {"a": "1"}}}),
        (JSON, [{"op": "add", "path": "/metadata/labels", "value": {"a": "1"}}]),
    ],
)
def test_patches(client: Client, kind: str, patch: object) -> None:
    answer = client.patch(f"{BROKERS}/b", kind, patch)
    assert answer.status_code == 200
    assert answer.json()["metadata"]["labels"] == {"a": "1"}


def test_core_kinds_are_patched_strategically_and_others_not(client: Client) -> None:
    client.post(CONFIGMAPS, config_map(a="1"))
    patched = client.patch(f"{CONFIGMAPS}/x", STRATEGIC, {"data": {"b": "2"}})
    assert patched.json()["data"] == {"a": "1", "b": "2"}
    refused = client.patch(f"{BROKERS}/b", STRATEGIC, {})
    assert (refused.status_code, refused.json()["reason"]) == (415, "UnsupportedMediaType")
    assert refused.json()["message"] == (
        "the body of the request was in an unknown format - accepted media types include:"
        " application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    )


def test_server_side_apply_creates_and_owns(client: Client) -> None:
    labelled = broker("new", labels={"a": "1"})
    created = client.patch(f"{BROKERS}/new", APPLY, labelled, fieldManager="kubectl")
    assert created.status_code == 201
    (owner,) = created.json()["metadata"]["managedFields"]
    assert (owner["manager"], owner["operation"]) == ("kubectl", "Apply")
    again = client.patch(f"{BROKERS}/new", APPLY, labelled, fieldManager="kubectl")
    assert again.status_code == 200


def test_server_side_apply_tells_of_conflicts(client: Client) -> None:
    path = f"{CONFIGMAPS}/x"
    client.patch(path, APPLY, config_map(a="1"), fieldManager="one")
    refused = client.patch(path, APPLY, config_map(a="2"), fieldManager="two")
    assert (refused.status_code, refused.json()["reason"]) == (409, "Conflict")
    (cause,) = refused.json()["details"]["causes"]
    assert cause["reason"] == "FieldManagerConflict"
    assert cause["field"] == ".data.a"
    forced = client.patch(path, APPLY, config_map(a="2"), fieldManager="two", force="true")
    assert forced.json()["data"] == {"a": "2"}


def test_server_side_apply_needs_a_manager(client: Client) -> None:
    assert client.patch(f"{BROKERS}/b", APPLY, broker()).status_code == 400


def test_the_manager_is_the_program_if_it_names_none(client: Client) -> None:
    agent = {"User-Agent": "kn/v1.15 (linux/amd64)"}
    created = client.ask("POST", BROKERS, broker("new", labels={"a": "1"}), agent)
    (owner,) = created.json()["metadata"]["managedFields"]
    assert (owner["manager"], owner["operation"]) == ("kn", "Update")


def test_the_status_is_a_part_of_its_own(client: Client) -> None:
    path = f"{BROKERS}/b/status"
    patch = {"status": {"observedGeneration": 7}, "metadata": {"labels": {"a": "1"}}}
    patched = client.patch(path, MERGE, patch).json()
    assert patched["status"]["observedGeneration"] == 7
    assert "labels" not in patched["metadata"]
    assert client.get(path).json() == patched
    assert client.delete(path).status_code == 405


def test_a_deletion_says_what_is_gone(client: Client) -> None:
    uid = client.get(f"{BROKERS}/b").json()["metadata"]["uid"]
    answer = client.delete(f"{BROKERS}/b", {"propagationPolicy": "Background"})
    assert answer.json()["status"] == "Success"
    assert answer.json()["details"]["uid"] == uid
    assert client.delete(f"{BROKERS}/b").status_code == 404


def test_a_deletion_that_waits_answers_with_the_object(client: Client) -> None:
    client.post(BROKERS, broker("held", finalizers=["example.com/hold"]))
    answer = client.delete(f"{BROKERS}/held").json()
    assert answer["kind"] == "Broker"
    assert answer["metadata"]["deletionTimestamp"]
    client.patch(f"{BROKERS}/held", MERGE, {"metadata": {"finalizers": None}})
    assert client.get(f"{BROKERS}/held").status_code == 404


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"preconditions": {"uid": "another"}}, 409),
        ({"preconditions": {"resourceVersion": "1"}}, 409),
        ({"propagationPolicy": "Later"}, 400),
        ({"dryRun": ["Some"]}, 400),
    ],
)
def test_deletions_that_are_refused(client: Client, options: object, code: int) -> None:
    assert client.delete(f"{BROKERS}/b", options).status_code == code
    assert client.get(f"{BROKERS}/b").is_success


def test_a_collection_is_deleted_by_selector(client: Client) -> None:
    for name in ("one", "two"):
        client.post(BROKERS, broker(name, labels={"a": "1"}))
    gone = client.delete(f"{BROKERS}?labelSelector=a%3D1").json()
    assert [item["metadata"]["name"] for item in gone["items"]] == ["one", "two"]
    left = client.get(BROKERS).json()["items"]
    assert [item["metadata"]["name"] for item in left] == ["b"]


def names(answer: dict[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in answer["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("labelSelector=a%3D1", ["one"]),
        ("labelSelector=a+in+(1,2)", ["one", "two"]),
        ("labelSelector=!a", ["b"]),
        ("fieldSelector=metadata.name%3Done", ["one"]),
        ("fieldSelector=metadata.name%3Dno", []),
        ("fieldSelector=metadata.name!%3Done", ["b", "two"]),
    ],
)
def test_lists_are_selected(client: Client, query: str, expected: list[str]) -> None:
    for name, value in (("one", "1"), ("two", "2")):
        client.post(BROKERS, broker(name, labels={"a": value}))
    assert names(client.get(f"{BROKERS}?{query}").json()) == expected
    everywhere = "/apis/eventing.knative.dev/v1/brokers"
    assert names(client.get(f"{everywhere}?{query}").json()) == expected


def test_lists_come_in_pieces(client: Client) -> None:
    for name in ("a", "c", "d"):
        client.post(BROKERS, broker(name))
    first = client.get(f"{BROKERS}?limit=2").json()
    assert names(first) == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 2
    client.post(BROKERS, broker("aa"))
    token = first["metadata"]["continue"]
    second = client.get(f"{BROKERS}?limit=2&continue={token}").json()
    assert names(second) == ["c", "d"]
    assert "continue" not in second["metadata"]
    # Whoever watches from there is told of the one that was made meanwhile.
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


@pytest.mark.parametrize(("token", "code"), [("bogus", 400), ("WzksIiIsIngiXQ==", 410)])
def test_a_token_that_leads_nowhere(client: Client, token: str, code: int) -> None:
    answer = client.get(f"{BROKERS}?limit=1&continue={token}")
    assert answer.status_code == code
    if code == 410:
        assert answer.json()["reason"] == "Expired"


def test_a_list_as_a_table(client: Client) -> None:
    found = client.get(BROKERS, TABLE).json()
    assert (found["kind"], found["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    heads = [head["name"] for head in found["columnDefinitions"]]
    assert heads == ["Name", "URL", "Age", "Ready", "Reason", "Class"]
    (row,) = found["rows"]
    assert row["cells"][0] == "b"
    assert row["cells"][2] == "0s"
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert row["object"]["metadata"]["namespace"] == "default"


def test_an_object_as_a_table_with_all_of_it(client: Client) -> None:
    (row,) = client.get(f"{BROKERS}/b?includeObject=Object", TABLE).json()["rows"]
    assert row["object"] == client.get(f"{BROKERS}/b").json()
    (row,) = client.get(f"{BROKERS}/b?includeObject=None", TABLE).json()["rows"]
    assert "object" not in row


def test_metadata_alone(client: Client) -> None:
    accept = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    found = client.get(BROKERS, accept).json()
    assert found["kind"] == "PartialObjectMetadataList"
    assert set(found["items"][0]) == {"kind", "apiVersion", "metadata"}


@pytest.mark.parametrize(
    ("method", "path", "code", "reason"),
    [
        ("GET", f"{BROKERS}/b/scale", 404, "NotFound"),
        ("PATCH", f"{BROKERS}/b/scale", 404, "NotFound"),
        ("POST", f"{BROKERS}/b", 405, "MethodNotAllowed"),
        ("PUT", BROKERS, 405, "MethodNotAllowed"),
        ("POST", "/apis/eventing.knative.dev/v1/brokers", 405, "MethodNotAllowed"),
        ("GET", "/api/v1/namespaces/default/pods/p/exec", 404, "NotFound"),
    ],
)
def test_what_is_not_offered(
    client: Client, method: str, path: str, code: int, reason: str
) -> None:
    answer = client.ask(method, path, {})
    assert (answer.status_code, answer.json()["reason"]) == (code, reason)


def test_nothing_that_is_served_is_accepted(client: Client) -> None:
    answer = client.get(BROKERS, {"Accept": "application/vnd.kubernetes.protobuf"})
    assert (answer.status_code, answer.json()["reason"]) == (406, "NotAcceptable")


def test_nothing_is_written_for_a_client_that_accepts_nothing(client: Client) -> None:
    accept = {"Accept": "application/vnd.kubernetes.protobuf"}
    assert client.ask("POST", BROKERS, broker("new"), accept).status_code == 406
    assert client.get(f"{BROKERS}/new").status_code == 404


@pytest.mark.parametrize(
    ("accept", "items"),
    [
        ("application/json", lambda found: [each["metadata"]["name"] for each in found["items"]]),
        (
            "application/json;as=Table;g=meta.k8s.io;v=v1",
            lambda found: [row["cells"][0] for row in found["rows"]],
        ),
        (
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            lambda found: [each["metadata"]["name"] for each in found["items"]],
        ),
    ],
    ids=["objects", "table", "metadata"],
)
@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1, 3 * BATCH])
def test_long_lists_are_whole(client: Client, accept: str, items: Any, count: int) -> None:
    client.delete(BROKERS)
    names = [f"b{index:04}" for index in range(count)]
    for name in names:
        client.registry.create(stored_broker(name), user="test")
    found = client.get(BROKERS, {"Accept": accept}).json()
    assert items(found) == names
    assert found["metadata"]["resourceVersion"] == str(client.registry.version)
