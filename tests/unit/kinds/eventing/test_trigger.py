"""Eventing reference §4: defaults, validation and immutability of a Trigger."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventing import EventingConfig
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.filters import SubscriptionsAPIFilter
from knlite.kinds.eventing.trigger import (
    Trigger,
    TriggerFilter,
    TriggerSpec,
    defaulted,
    validated,
)
from knlite.kinds.fielderror import rendered
from knlite.kinds.kreference import KReference
from knlite.kinds.labels import BROKER, DEPENDENCY, INJECTION
from knlite.kinds.meta import ObjectMeta

CONFIG = Config()
SUBSCRIBER = Destination(uri="http://x.example")
REFERENCE = KReference(api_version="eventing.knative.dev/v1", kind="Broker", name="b")
PATH = "metadata.annotations"


def trigger(annotations: dict[str, str] | None = None, **spec: object) -> Trigger:
    meta = ObjectMeta(name="t", namespace="shop", annotations=annotations or {})
    standard = TriggerSpec(broker="default", subscriber=SUBSCRIBER)
    return Trigger(metadata=meta, spec=replace(standard, **spec))


def test_a_trigger_gets_a_filter_a_label_and_namespaces() -> None:
    subscriber = Destination(ref=KReference(api_version="v1", kind="Service", name="s"))
    obj = defaulted(trigger(subscriber=subscriber), None, CONFIG)
    assert obj.spec.filter == TriggerFilter()
    assert obj.metadata.labels == {BROKER: "default"}
    assert obj.spec.subscriber.ref is not None
    assert obj.spec.subscriber.ref.namespace == "shop"
    assert validated(obj, None, CONFIG) == ()
    assert defaulted(obj, obj, CONFIG) == obj


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(trigger(broker=""), "missing field(s): spec.broker", id="no-broker"),
        pytest.param(
            trigger(broker_ref=REFERENCE),
            "expected exactly one, got both: spec.broker, spec.brokerRef",
            id="two-brokers",
        ),
        pytest.param(trigger(broker="", broker_ref=REFERENCE), "", id="broker-ref"),
        pytest.param(
            trigger(broker="", broker_ref=replace(REFERENCE, namespace="other")),
            "must not set the field(s): spec.namespace\nonly name, apiVersion and kind are"
            " supported fields when feature.CrossNamespaceEventLinks is disabled",
            id="broker-elsewhere",
        ),
        pytest.param(
            trigger(subscriber=Destination()),
            "expected at least one, got none: spec.subscriber.ref, spec.subscriber.uri",
            id="no-subscriber",
        ),
        pytest.param(
            trigger(filter=TriggerFilter(attributes={"Foo": "x", "type": ""})),
            'invalid key name "Foo": spec.filter.attributes[Foo]\nAttribute name must start with'
            " a letter and can only contain lowercase alphanumeric",
            id="attribute",
        ),
        pytest.param(
            trigger(filters=(SubscriptionsAPIFilter(exact={"Foo": "x"}),)),
            'invalid key name "Foo": spec.filters[0].exact[Foo]\nAttribute name must start with'
            " a letter and can only contain lowercase alphanumeric",
            id="filters",
        ),
        pytest.param(
            trigger({INJECTION: "maybe"}),
            'The provided injection annotation value can only be "enabled" or "disabled", not'
            f' "maybe": {PATH}[{INJECTION}]',
            id="injection-value",
        ),
        pytest.param(
            trigger({INJECTION: "enabled"}, broker="b"),
            "The provided injection annotation is only used for default broker, but non-default"
            f' broker specified here: "b": {PATH}[{INJECTION}]',
            id="injection-broker",
        ),
        pytest.param(
            trigger({DEPENDENCY: '{"kind":"X","name":"n","apiVersion":"v1","namespace":"other"}'}),
            'Namespace must be empty or equal to the trigger namespace "shop":'
            f" {PATH}[{DEPENDENCY}].namespace",
            id="dependency-elsewhere",
        ),
        pytest.param(
            trigger({DEPENDENCY: "{}"}),
            f"missing field(s): {PATH}[{DEPENDENCY}].apiVersion, {PATH}[{DEPENDENCY}].kind,"
            f" {PATH}[{DEPENDENCY}].name",
            id="dependency-empty",
        ),
    ],
)
def test_validation(obj: Trigger, text: str) -> None:
    assert rendered(validated(obj, None, CONFIG)) == text


def test_a_dependency_must_be_json() -> None:
    text = rendered(validated(trigger({DEPENDENCY: "x"}), None, CONFIG))
    assert text.startswith(
        f'The provided annotation was not a corev1.ObjectReference: "x": {PATH}[{DEPENDENCY}]\n'
    )


def test_the_broker_may_not_change() -> None:
    errors = validated(trigger(broker="new"), trigger(broker="old"), CONFIG)
    assert rendered(errors) == (
        'Immutable fields changed (-old +new): broker, spec\n{string}:\n\t-: "old"\n\t+: "new"\n'
    )


def test_links_across_namespaces_are_allowed_behind_their_flag() -> None:
    config = Config(eventing=EventingConfig(flags={"cross-namespace-event-links": "enabled"}))
    obj = trigger(broker="", broker_ref=replace(REFERENCE, namespace="other"))
    obj = defaulted(obj, None, config)
    assert obj.metadata.labels == {BROKER: "b"}
    assert validated(obj, None, config) == ()
