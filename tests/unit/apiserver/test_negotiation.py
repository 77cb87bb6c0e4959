"""What a client accepts (Kubernetes API concepts; clients-api reference, Part 6)."""

import pytest

from knlite.apiserver.negotiation import Accepted, accepted, discovery_version

KUBECTL = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,"
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param("", Accepted(), id="anything"),
        pytest.param("*/*", Accepted(), id="anything, said"),
        pytest.param("application/json, */*", Accepted(), id="kn"),
        pytest.param(KUBECTL, Accepted("Table", "v1"), id="kubectl get"),
        pytest.param(
            "application/json;g=meta.k8s.io;v=v1beta1;as=Table",
            Accepted("Table", "v1beta1"),
            id="another order",
        ),
        pytest.param(
            "application/vnd.kubernetes.protobuf,application/json", Accepted(), id="protobuf first"
        ),
        pytest.param(
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            Accepted("PartialObjectMetadataList", "v1"),
            id="metadata",
        ),
        pytest.param("application/vnd.kubernetes.protobuf", None, id="protobuf alone"),
        pytest.param("application/json;as=Poem;v=v1", None, id="unknown"),
        pytest.param(";;,;", None, id="nonsense"),
    ],
)
def test_the_first_form_that_is_served(header: str, expected: Accepted | None) -> None:
    assert accepted(header) == expected


@pytest.mark.parametrize(
    ("header", "version"),
    [
        ("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
         "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
         "application/json", "v2"),
        ("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
         "application/json", "v2beta1"),
        ("application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,"
         "application/json", None),
        ("application/json, */*", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_form_of_discovery(header: str, version: str | None) -> None:
    assert discovery_version(header) == version
