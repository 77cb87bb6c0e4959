"""Eventing reference §13: validation of an EventTransform."""

import pytest

from knlite.kinds.catalog import read
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.eventtransform import EventTransform, validated
from knlite.kinds.fielderror import refusing, rendered

JSONATA = {"expression": "$"}
SINK = {"uri": "http://example.com"}
BROKER = {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default"}
CA_CERTS = (
    "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n"  # Only its frame is looked at.
)


def transform(**spec: object) -> EventTransform:
    document = {
        "apiVersion": "eventing.knative.dev/v1alpha1",
        "kind": "EventTransform",
        "metadata": {"name": "t", "namespace": "shop"},
        "spec": spec,
    }
    found = read(document)
    assert isinstance(found.value, EventTransform), found.problems
    return found.value


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"jsonata": JSONATA}, id="alone"),
        pytest.param({"jsonata": JSONATA, "sink": SINK}, id="with a sink"),
        pytest.param(
            {"jsonata": JSONATA, "sink": SINK, "reply": {"jsonata": JSONATA}}, id="with a reply"
        ),
        pytest.param(
            {"jsonata": JSONATA, "sink": SINK, "reply": {"jsonata": JSONATA, "discard": False}},
            id="a reply that is said not to be dropped",
        ),
        pytest.param({"jsonata": JSONATA, "sink": SINK, "reply": {"discard": True}}, id="no reply"),
        pytest.param(
            {"jsonata": JSONATA, "sink": {"ref": {**BROKER, "namespace": "shop"}}}, id="same place"
        ),
    ],
)
def test_accepts(spec: dict[str, object]) -> None:
    assert validated(transform(**spec), None, Config()) == ()


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        pytest.param({}, "expected exactly one, got neither: spec.jsonata", id="no type"),
        pytest.param(
            {"jsonata": JSONATA, "reply": {"discard": True}},
            "reply is set without spec.sink: spec.reply",
            id="reply without sink",
        ),
        pytest.param(
            {"jsonata": JSONATA, "sink": SINK, "reply": {"jsonata": JSONATA, "discard": True}},
            "expected exactly one, got both: spec.reply.discard, spec.reply.jsonata",
            id="reply both",
        ),
        pytest.param(
            {"jsonata": JSONATA, "sink": {"ref": {**BROKER, "namespace": "bank"}}},
            "mismatched namespaces: spec.sink.ref.namespace\n"
            'parent namespace: "shop" does not match ref: "bank"',
            id="another namespace",
        ),
        pytest.param(
            {"jsonata": JSONATA, "sink": {**SINK, "CACerts": CA_CERTS}},
            "CACerts for the sink is not supported for JSONata transformations, to propagate CA"
            " trust bundles use labeled ConfigMaps:"
            " https://knative.dev/docs/eventing/features/transport-encryption/"
            "#configure-additional-ca-trust-bundles: spec.sink.CACerts",
            id="certificates",
        ),
    ],
)
def test_refuses_in_upstreams_words(spec: dict[str, object], text: str) -> None:
    assert rendered(validated(transform(**spec), None, Config())) == text


def test_the_expression_may_change_and_the_type_may_not() -> None:
    old = transform(jsonata=JSONATA)
    assert validated(transform(jsonata={"expression": "data"}), old, Config()) == ()
    text = rendered(validated(transform(), old, Config()))
    assert "Transformations types are immutable, transformation type cannot be changed" in text


def test_an_expression_that_is_none_is_only_warned_about() -> None:
    spec = {"jsonata": {"expression": "{"}, "sink": SINK, "reply": {"jsonata": {"expression": ""}}}
    errors = validated(transform(**spec), None, Config())
    assert refusing(errors) == ()
    assert [error.paths[0] for error in errors] == [
        "spec.jsonata.expression",
        "spec.reply.jsonata.expression",
    ]
    assert errors[1].message == "Unexpected end of expression (S0207, at character 0)"
