"""Knative reference §0.2, Eventing reference §1.1: the envelope around what is wrong."""

import pytest

from knlite.kinds.fielderror import generic, invalid, invalid_key, missing
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.webhooks import TRIAL, denial

SHOP = ObjectMeta(name="shop", namespace="default")
WRONG = (missing("spec.template.spec.containers"),)


@pytest.mark.parametrize(
    ("kind", "group", "webhook"),
    [
        ("Service", "serving.knative.dev", "serving"),
        ("Revision", "serving.knative.dev", "serving"),
        ("DomainMapping", "serving.knative.dev", "serving"),
        ("PodAutoscaler", "autoscaling.internal.knative.dev", "serving"),
        ("Ingress", "networking.internal.knative.dev", "serving"),
        ("Broker", "eventing.knative.dev", "eventing"),
        ("SinkBinding", "sources.knative.dev", "eventing"),
        ("Subscription", "messaging.knative.dev", "eventing"),
        ("Sequence", "flows.knative.dev", "eventing"),
        ("KafkaSource", "sources.knative.dev", "kafka.eventing"),
        ("KafkaChannel", "messaging.knative.dev", "kafka.eventing"),
        ("RabbitmqBrokerConfig", "eventing.knative.dev", "rabbitmq.eventing"),
        ("RabbitmqSource", "sources.knative.dev", "rabbitmq.sources"),
    ],
)
def test_a_webhook_of_knative_refuses_its_kinds(kind: str, group: str, webhook: str) -> None:
    found = denial(kind, group, SHOP, WRONG)
    assert (found.code, found.reason, found.causes) == (400, "BadRequest", ())
    assert found.message == (
        f'admission webhook "validation.webhook.{webhook}.knative.dev" denied the request:'
        " validation failed: missing field(s): spec.template.spec.containers"
    )


def test_all_errors_are_told_at_once_sorted_by_message() -> None:
    errors = (missing("b"), generic("Traffic targets sum to 90, want 100", "a"), missing("c"))
    assert denial("Service", "serving.knative.dev", SHOP, errors).message.endswith(
        "validation failed: Traffic targets sum to 90, want 100: a\nmissing field(s): b, c"
    )


def test_an_error_without_a_path_still_ends_with_colon_and_space() -> None:
    errors = (generic("multi-container is off, but found 2 containers"),)
    message = denial("Service", "serving.knative.dev", SHOP, errors).message
    assert message.endswith("validation failed: multi-container is off, but found 2 containers: ")


def test_a_name_that_no_object_may_have_is_refused_before_any_webhook() -> None:
    meta = ObjectMeta(name="My_Shop", namespace="default")
    found = denial("Service", "serving.knative.dev", meta, WRONG)
    assert (found.code, found.reason) == (422, "Invalid")
    assert found.message.startswith(
        'Service.serving.knative.dev "My_Shop" is invalid: metadata.name: Invalid value:'
        ' "My_Shop": a lowercase RFC 1123 subdomain must consist of'
    )


@pytest.mark.parametrize(
    ("namespace", "webhook"), [("knative-serving", "serving"), ("knative-eventing", "eventing")]
)
def test_settings_are_refused_by_the_webhook_for_them(namespace: str, webhook: str) -> None:
    meta = ObjectMeta(name="config-autoscaler", namespace=namespace)
    errors = (generic("max-scale-up-rate = 1, must be greater than 1.0", "data"),)
    found = denial("ConfigMap", "", meta, errors)
    assert found.code == 400
    assert found.message == (
        f'admission webhook "config.webhook.{webhook}.knative.dev" denied the request:'
        " validation failed: max-scale-up-rate = 1, must be greater than 1.0"
    )


@pytest.mark.parametrize("namespace", ["default", "knative-serving"])
def test_kinds_of_kubernetes_are_refused_in_its_own_words(namespace: str) -> None:
    meta = ObjectMeta(name="settings", namespace=namespace)
    found = denial("ConfigMap", "", meta, (invalid_key("a b", "data[a b]", "a valid config key"),))
    assert (found.code, found.reason) == (422, "Invalid")
    assert found.message == (
        'ConfigMap "settings" is invalid: data[a b]: Invalid value: "a b": a valid config key'
    )
    assert [(each.reason, each.field) for each in found.causes] == [
        ("FieldValueInvalid", "data[a b]")
    ]


def test_several_errors_of_kubernetes_stand_in_brackets() -> None:
    errors = (
        generic("field is immutable when `immutable` is set", "data"),
        invalid("Opaque", "type", "field is immutable"),
        missing("metadata.name"),
    )
    assert denial("Secret", "", SHOP, errors).message == (
        'Secret "shop" is invalid: [data: Forbidden: field is immutable when `immutable` is set,'
        ' type: Invalid value: "Opaque": field is immutable, metadata.name: Required value]'
    )


def test_a_group_of_kubernetes_is_part_of_the_name() -> None:
    found = denial("Deployment", "apps", SHOP, (missing("spec.selector"),))
    assert found.message == 'Deployment.apps "shop" is invalid: spec.selector: Required value'


def test_a_secret_that_is_not_base64_cannot_even_be_read() -> None:
    found = denial("Secret", "", SHOP, (generic("value is not base64", "data[a]"),))
    assert (found.code, found.reason) == (400, "BadRequest")
    assert found.message.startswith('Secret in version "v1" cannot be handled as a Secret: illegal')


def test_a_trial_run_fails_in_the_callback() -> None:
    errors = (generic(f"{TRIAL}no pod", "spec.template"),)
    assert denial("Service", "serving.knative.dev", SHOP, errors).message == (
        'admission webhook "validation.webhook.serving.knative.dev" denied the request:'
        " validation callback failed: dry run failed with no pod: spec.template"
    )
