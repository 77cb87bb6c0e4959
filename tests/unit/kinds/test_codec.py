"""Shapes of documents: what a strict API server says about types and unknown fields."""

import pytest

from knlite.kinds.codec import decode, encode, parse_json
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
    tree = parse_json(b'{"metadata": {"name": "a", "name": "b"}, "spec": {}, "spec": {"y": 1}}')
    decoded = decode(Service, tree, strict=False)
    assert decoded.value is not None
    assert decoded.value.metadata.name == "b"
    assert decoded.unknown == (
        'duplicate field "spec"',
        'duplicate field "metadata.name"',
        'unknown field "spec.y"',
    )


@pytest.mark.parametrize("text", [b"{", b"[" * 200 + b"]" * 200, b"[" * 100_000])
def test_json_that_cannot_be_used_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)
