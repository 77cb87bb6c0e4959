"""Whatever is asked, the answer is what the API promises: never a failure of knlite itself."""

import string
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knlite.kinds.catalog import KINDS
from tests.unit.apiserver.asking import BROKERS, Client, broker, config_map, service
from tests.unit.registry.desk import registry

NAMES = st.sampled_from(["b", "x", "default", "..", "%00", "a%2Fb", "ü", "A" * 300, "-"])
PLURALS = st.sampled_from(sorted({info.plural for info in KINDS}))
ROOTS = st.sampled_from(
    sorted({f"/apis/{info.group}/{info.version}" if info.group else "/api/v1" for info in KINDS})
)
PARTS = st.sampled_from(["", "/status", "/log", "/scale", "/exec", "/finalize", "/status/x"])
WORDS = st.text(alphabet=string.printable, max_size=12)
QUERY = st.dictionaries(
    st.sampled_from(
        [
            "labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "dryRun",
            "fieldManager", "fieldValidation", "force", "includeObject", "propagationPolicy",
            "container", "tailLines", "sinceTime", "sinceSeconds", "previous", "timeoutSeconds",
        ]
    ),
    st.one_of(
        WORDS, st.sampled_from(["1", "0", "true", "All", "Strict", "9" * 30, "a=b", "a in ("])
    ),
    max_size=3,
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), WORDS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["metadata", "spec", "status", "name", "labels", "data", "op", "path",
                             "kind", "apiVersion", "template", "finalizers", "managedFields"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)  # fmt: skip
TYPES = st.sampled_from(
    [
        "application/json",
        "application/yaml",
        "application/merge-patch+json",
        "application/json-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
        "application/vnd.kubernetes.protobuf",
        "text/plain",
        "",
    ]
)


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(registry())


@settings(max_examples=50)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]),
    root=ROOTS,
    plural=PLURALS,
    namespace=st.sampled_from(["", "/namespaces/default", "/namespaces/no", "/namespaces"]),
    name=st.one_of(st.just(""), NAMES),
    part=PARTS,
    query=QUERY,
    body=st.one_of(st.binary(max_size=40), VALUES.map(msgspec.json.encode)),
    kind=TYPES,
)
def test_any_request(
    client: Client,
    method: str,
    root: str,
    plural: str,
    namespace: str,
    name: str,
    part: str,
    query: dict[str, str],
    body: bytes,
    kind: str,
) -> None:
    path = f"{root}{namespace}/{plural}" + (f"/{name}{part}" if name else "")
    answer = client.ask(method, path, body, {"Content-Type": kind}, query)
    assert answer.status_code < 500, answer.text
    if not answer.is_success and method not in {"HEAD", "OPTIONS"}:
        assert answer.json()["kind"] == "Status"
        assert answer.json()["code"] == answer.status_code


BODIES = {
    BROKERS: broker(),
    "/api/v1/namespaces/default/configmaps": config_map(a="1"),
    "/apis/serving.knative.dev/v1/namespaces/default/services": service("b"),
}


@settings(max_examples=50)
@given(
    path=st.sampled_from(sorted(BODIES)),
    where=st.sampled_from(["metadata", "spec", "status", "data", "kind", "apiVersion"]),
    inner=st.sampled_from(
        ["", "name", "template", "labels", "ownerReferences", "managedFields", "finalizers",
         "creationTimestamp", "annotations", "delivery", "traffic"]
    ),
    value=VALUES,
    how=st.sampled_from(
        ["create", "update", "merge-patch+json", "apply-patch+yaml", "json-patch+json"]
    ),
)  # fmt: skip
def test_any_value_in_any_field(
    client: Client, path: str, where: str, inner: str, value: Any, how: str
) -> None:
    body = dict(BODIES[path])
    name = body["metadata"]["name"]
    body[where] = {**(body.get(where) or {}), inner: value} if inner and where in {
        "metadata", "spec", "status", "data"} else value  # fmt: skip
    match how:
        case "create":
            client.delete(f"{path}/{name}")
            answer = client.post(path, body)
        case "update":
            answer = client.put(f"{path}/{name}", body)
        case "json-patch+json":
            pointer = f"/{where}/{inner}".rstrip("/")
            operation = {"op": "add", "path": pointer, "value": value}
            answer = client.patch(f"{path}/{name}", how, [operation])
        case _:
            answer = client.patch(f"{path}/{name}", how, body, fieldManager="me")
    assert answer.status_code < 500, answer.text
    # What was taken can be shown again, in every form.
    assert client.get(path).is_success
    table = {"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"}
    assert client.get(path, table).is_success
