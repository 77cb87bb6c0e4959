"""Eventing reference §12: what an EventType is in each of its versions."""

import pytest

from knlite.kinds.catalog import kind_named, read, tree_of
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.eventtype import EventType, defaulted, validated
from knlite.kinds.fielderror import rendered

BROKER = {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default"}


def stored(version: str, **spec: object) -> EventType:
    metadata = {"name": "paid", "namespace": "shop"}
    api_version = f"eventing.knative.dev/{version}"
    tree = {"apiVersion": api_version, "kind": "EventType", "metadata": metadata, "spec": spec}
    found = read(tree)
    assert isinstance(found.value, EventType), found.problems
    return found.value


def attribute(name: str, value: str = "") -> dict[str, object]:
    return {"name": name, "required": True, **({"value": value} if value else {})}


def test_attributes_of_the_newest_version_become_the_fields_of_the_stored_one() -> None:
    obj = stored(
        "v1beta3",
        reference=BROKER,
        description="somebody has paid",
        attributes=[
            *(attribute(name) for name in ("specversion", "id", "color")),
            attribute("type", "order.paid"),
            attribute("source", "/shop"),
            attribute("schemadata", "http://schema.example"),
        ],
    )
    spec = obj.spec
    assert (spec.type, spec.source, spec.schema) == ("order.paid", "/shop", "http://schema.example")
    assert spec.description == "somebody has paid"
    assert spec.reference is not None
    assert spec.reference.name == "default"


def test_the_newest_version_shows_the_stored_fields_as_attributes() -> None:
    served = kind_named("eventing.knative.dev/v1beta3", "EventType")
    assert served is not None
    obj = stored("v1beta2", type="order.paid", schema="http://schema.example", broker="lost")
    assert tree_of(obj, served)["spec"] == {
        "attributes": [
            attribute("specversion"),
            attribute("id"),
            attribute("type", "order.paid"),
            attribute("source"),
            {"name": "schemadata", "value": "http://schema.example"},
        ]
    }


def test_attributes_that_every_event_has_must_be_named() -> None:
    document = {
        "apiVersion": "eventing.knative.dev/v1beta3",
        "kind": "EventType",
        "metadata": {"name": "paid"},
        "spec": {"attributes": [attribute("type", "a"), attribute("source")]},
    }
    found = read(document)
    assert rendered(found.errors) == (
        "missing field(s): spec.attributes.id, spec.attributes.specversion"
    )


@pytest.mark.parametrize("version", ["v1beta1", "v1beta2"])
def test_older_versions_want_a_type_and_refer_to_their_own_namespace(version: str) -> None:
    obj = defaulted(stored(version, reference=BROKER), None, Config())
    assert obj.spec.reference is not None
    assert obj.spec.reference.namespace == "shop"
    assert rendered(validated(obj, None, Config())) == "missing field(s): spec.type"
