"""DomainMapping and ClusterDomainClaim: defaults and refusals (Knative reference §1.13)."""

from typing import Any

import pytest
from msgspec.structs import replace

from knlite.kinds.admission import Admitted, Denied, admit
from knlite.kinds.catalog import read
from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import rendered
from knlite.kinds.serving.domainmapping import DomainMapping, SecretTLS

GOOD_REF = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "hello"}


def mapping(
    name: str = "hello.example.com", ref: dict[str, Any] | None = None, **meta: str
) -> DomainMapping:
    document = {
        "apiVersion": "serving.knative.dev/v1beta1",
        "kind": "DomainMapping",
        "metadata": {"name": name, "namespace": "shop", **meta},
        "spec": {"ref": GOOD_REF if ref is None else ref},
    }
    found = read(document).value
    assert isinstance(found, DomainMapping)
    return found


def refusal(obj: DomainMapping) -> str:
    outcome = admit(obj, None, Config(), "me")
    assert isinstance(outcome, Denied)
    return rendered(outcome.errors)


def test_the_reference_gets_the_namespace_of_the_mapping_and_the_mapping_its_author() -> None:
    outcome = admit(mapping(), None, Config(), "me")
    assert isinstance(outcome, Admitted)
    obj = outcome.obj
    assert isinstance(obj, DomainMapping)
    assert obj.spec.ref.namespace == "shop"
    assert obj.metadata.annotations["serving.knative.dev/creator"] == "me"


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(
            mapping(generateName="x-"),
            "must not set the field(s): metadata.generateName",
            id="generateName",
        ),
        pytest.param(
            mapping("local"),
            'invalid name "local": name: Invalid value: "local": should be a domain with at least'
            " two segments separated by dots: metadata.name",
            id="one label",
        ),
        pytest.param(
            mapping("hello.svc.cluster.local"),
            'invalid name "hello.svc.cluster.local": must not be a subdomain of cluster local'
            ' domain "cluster.local": metadata.name',
            id="cluster local",
        ),
        pytest.param(
            mapping(ref={}),
            "missing field(s): spec.ref.apiVersion, spec.ref.kind, spec.ref.name",
            id="empty reference",
        ),
        pytest.param(
            mapping(ref={**GOOD_REF, "namespace": "b"}),
            'mismatched namespaces: spec.ref.namespace\nparent namespace: "shop" does not match'
            ' ref: "b"',
            id="other namespace",
        ),
        pytest.param(
            mapping(ref={**GOOD_REF, "group": "g"}),
            "must not set the field(s): spec.ref.group",
            id="group",
        ),
    ],
)
def test_what_is_refused(obj: DomainMapping, text: str) -> None:
    assert refusal(obj) == text


def test_a_name_that_is_no_domain_is_refused_with_the_text_of_kubernetes() -> None:
    text = refusal(mapping("Hello.example.com"))
    assert text.startswith('invalid name "Hello.example.com": name: Invalid value: "Hello.example')
    assert text.endswith(": metadata.name")


def test_a_claim_must_say_whose_it_is() -> None:
    document = {
        "apiVersion": "networking.internal.knative.dev/v1alpha1",
        "kind": "ClusterDomainClaim",
        "metadata": {"name": "hello.example.com"},
    }
    obj = read(document).value
    assert obj is not None
    outcome = admit(obj, None, Config(), "me")
    assert isinstance(outcome, Denied)
    assert rendered(outcome.errors) == "missing field(s): spec.namespace"


def test_what_nothing_here_can_do_is_accepted_and_said() -> None:
    key = "networking.knative.dev/http-protocol"
    obj = mapping()
    metadata = replace(obj.metadata, annotations={key: "Redirected"})
    outcome = admit(replace(obj, metadata=metadata), None, Config(), "me")
    assert isinstance(outcome, Admitted)
    assert rendered(outcome.warnings) == (
        '"redirected" has no effect: only a DomainMapping with spec.tls has a certificate:'
        f" metadata.annotations.{key}"
    )
    spec = replace(obj.spec, tls=SecretTLS(secret_name="cert"))
    outcome = admit(replace(obj, metadata=metadata, spec=spec), None, Config(), "me")
    assert isinstance(outcome, Admitted)
    assert outcome.warnings == ()
