"""Shapes of documents: what a strict API server says about types and unknown fields."""

import pytest

from knlite.kinds.codec import decode, encode
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.serving.service import Service

GOOD = {
    "metadata": {"name": "hello", "labels": {"team": "a"}},
    "spec": {
        "template": {
            "spec": {
                "containerConcurrency": 0,
                "containers": [{"image": "x", "ports": [{"containerPort": 8081}]}],
            }
        }
    },
}


def problems(tree: object, *, strict: bool = True) -> list[tuple[str, str]]:
    return [(p.path, p.text) for p in decode(Service, tree, strict=strict).problems]


def test_encoding_gives_back_what_was_decoded() -> None:
    service = decode(Service, GOOD).value
    assert service is not None
    assert encode(service) == {
        "metadata": {"name": "hello", "labels": {"team": "a"}},
        "spec": {
            "template": {
                "spec": {
                    "containerConcurrency": 0,
                    "containers": ({"image": "x", "ports": ({"containerPort": 8081},)},),
                }
            }
        },
    }


def test_null_counts_as_absent() -> None:
    service = decode(Service, {"metadata": {"name": "x", "annotations": None}, "spec": None}).value
    assert service is not None
    assert service.metadata.annotations == {}


def test_all_problems_of_a_document_are_told_at_once() -> None:
    tree = {
        "metadata": {"name": "x", "labels": {"a": 1}},
        "spec": {
            "templat": {},
            "template": {"spec": {"timeoutSeconds": "5s", "containers": {"image": "x"}}},
        },
    }
    assert problems(tree) == [
        (
            "metadata.labels.a",
            'metadata.labels.a: Invalid value: "integer":'
            ' metadata.labels.a in body must be of type string: "integer"',
        ),
        (
            "spec.templat",
            'strict decoding error: unknown field "spec.templat" (did you mean "template"?)',
        ),
        (
            "spec.template.spec.timeoutSeconds",
            'spec.template.spec.timeoutSeconds: Invalid value: "string":'
            ' spec.template.spec.timeoutSeconds in body must be of type integer: "string"',
        ),
        (
            "spec.template.spec.containers",
            'spec.template.spec.containers: Invalid value: "object":'
            ' spec.template.spec.containers in body must be of type array: "object"',
        ),
    ]


def test_unknown_fields_are_pruned_for_clients_that_are_not_strict() -> None:
    service = decode(Service, {"spec": {"zzz": 1}}, strict=False).value
    assert service == Service()


def test_a_boolean_is_not_an_integer() -> None:
    tree = {"spec": {"template": {"spec": {"timeoutSeconds": True}}}}
    assert [path for path, _ in problems(tree)] == ["spec.template.spec.timeoutSeconds"]


def test_a_probe_port_may_be_a_number_or_a_name() -> None:
    for port in (8080, "http1"):
        probe = {"httpGet": {"port": port}}
        tree = {"spec": {"template": {"spec": {"containers": [{"readinessProbe": probe}]}}}}
        assert problems(tree) == []


def test_a_document_that_is_no_object_is_told_so() -> None:
    assert len(problems(["a", "b"])) == 1


def test_what_was_pruned_is_told_in_the_words_of_field_validation() -> None:
    decoded = decode(Service, {"zzz": 1, "spec": {"y": 1}}, strict=False)
    assert decoded.unknown == ('unknown field "zzz"', 'unknown field "spec.y"')


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (
            {"data": {"a": 1}},
            "cannot unmarshal number into Go struct field ConfigMap.data of type string",
        ),
        (
            {"metadata": {"labels": {"a": True}}},
            "cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            {"immutable": "yes"},
            "cannot unmarshal string into Go struct field ConfigMap.immutable of type bool",
        ),
    ],
)
def test_wrong_types_in_the_words_of_a_go_decoder(tree: object, text: str) -> None:
    assert [problem.in_go for problem in decode(ConfigMap, tree).problems] == [text]


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 99_999_999_999])
def test_an_integer_that_is_shorter_in_go_is_as_short_here(number: int) -> None:
    assert decode(DeliverySpec, {"retry": 2**31 - 1}).value == DeliverySpec(retry=2**31 - 1)
    (problem,) = decode(DeliverySpec, {"retry": number}).problems
    assert problem.text == (
        'retry: Invalid value: "integer": retry in body must be of type int32: "integer"'
    )


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
def test_an_integer_has_64_bits(number: int) -> None:
    assert not problems({"spec": {"template": {"spec": {"timeoutSeconds": 2**63 - 1}}}})
    (problem,) = problems({"spec": {"template": {"spec": {"timeoutSeconds": number}}}})
    path = "spec.template.spec.timeoutSeconds"
    assert problem == (
        path,
        f'{path}: Invalid value: "number": {path} in body must be of type integer: "number"',
    )
