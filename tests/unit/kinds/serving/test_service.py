"""Knative reference §1.2 to §1.8: defaults and rules of a Service, seen from its manifest."""

from typing import Any

import pytest

from knlite.kinds.codec import decode
from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import refusing, rendered
from knlite.kinds.labels import CREATOR, LAST_MODIFIER, ROLLOUT_DURATION
from knlite.kinds.serving.route import TrafficTarget
from knlite.kinds.serving.service import Service, defaulted, validated

CONFIG = Config()
CONTAINER = {"image": "example.com/shop"}


def service(
    meta: dict[str, Any] | None = None,
    template: dict[str, Any] | None = None,
    spec: dict[str, Any] | None = None,
    **others: Any,
) -> Service:
    tree = {
        "metadata": {"name": "shop", "namespace": "default", **(meta or {})},
        "spec": {
            "template": {
                "metadata": template or {},
                "spec": {"containers": [CONTAINER], **(spec or {})},
            },
            **others,
        },
    }
    decoded = decode(Service, tree)
    assert decoded.value is not None, decoded.problems
    return decoded.value


def stored(obj: Service, old: Service | None = None) -> Service:
    return defaulted(obj, old, CONFIG)


def problems(obj: Service, old: Service | None = None) -> str:
    return rendered(refusing(validated(stored(obj, old), old, CONFIG)))


def test_without_traffic_the_latest_revision_gets_all_of_it() -> None:
    obj = stored(service())
    assert obj.spec.traffic == (TrafficTarget(latest_revision=True, percent=100),)
    assert obj.spec.template.spec.containers[0].name == "user-container"
    assert problems(service()) == ""


@pytest.mark.parametrize("template", [{}, {"name": "shop-v1"}])
def test_applying_the_same_file_again_changes_nothing(template: dict[str, str]) -> None:
    old = stored(service(template=template))
    assert stored(service(template=template), old) == old
    assert problems(service(template=template), old) == ""


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"meta": {"name": ""}},
            "name or generateName is required: metadata.name",
        ),
        (
            {"meta": {"annotations": {"autoscaling.knative.dev/min-scale": "1"}}},
            'invalid key name "autoscaling.knative.dev/min-scale": metadata.annotations\n'
            'autoscaling annotations must be put under "spec.template.metadata.annotations" to'
            " work",
        ),
        (
            {"meta": {"annotations": {ROLLOUT_DURATION: "1.5s"}}},
            "rollout-duration=1.5s is not at second precision:"
            f" metadata.annotations.{ROLLOUT_DURATION}",
        ),
        (
            {"template": {"annotations": {"autoscaling.knative.dev/window": "5s"}}},
            "expected 6s <= 5s <= 1h0m0s:"
            " spec.template.metadata.annotations.autoscaling.knative.dev/window",
        ),
        (
            {"template": {"annotations": {"serving.knative.dev/progress-deadline": "-1s"}}},
            "progress-deadline=-1s must be positive:"
            " spec.template.metadata.annotations.serving.knative.dev/progress-deadline",
        ),
        (
            {"template": {"name": "x"}},
            'invalid value: "x" must have prefix "shop-": spec.template.metadata.name',
        ),
        (
            {"meta": {"name": "", "generateName": "x-"}, "template": {"name": "x-1"}},
            "must not set the field(s): spec.template.metadata.name",
        ),
        (
            {"spec": {"containers": []}},
            "missing field(s): spec.template.spec.containers",
        ),
        (
            {"spec": {"nodeName": "n"}},
            "must not set the field(s): spec.template.spec.nodeName",
        ),
        (
            {"spec": {"containerConcurrency": -1}},
            "expected 0 <= -1 <= 1000: spec.template.spec.containerConcurrency",
        ),
        (
            {"spec": {"timeoutSeconds": 700}},
            "expected 0 <= 700 <= 600: spec.template.spec.timeoutSeconds",
        ),
        (
            {"traffic": [{"latestRevision": True, "percent": 90}]},
            "Traffic targets sum to 90, want 100: spec.traffic",
        ),
        (
            {"traffic": [{"configurationName": "shop", "percent": 100}]},
            "must not set the field(s): spec.traffic[0].configurationName",
        ),
    ],
)
def test_refuses(given: dict[str, Any], text: str) -> None:
    assert problems(service(**given)) == text


def test_a_named_template_that_changes_needs_another_name() -> None:
    old = stored(service(template={"name": "shop-v1"}))
    changed = service(template={"name": "shop-v1"}, spec={"serviceAccountName": "x"})
    first = problems(changed, old).splitlines()[0]
    assert first == (
        "Saw the following changes without a name change (-old +new): spec.template.metadata.name"
    )
    renamed = service(template={"name": "shop-v2"}, spec={"serviceAccountName": "x"})
    assert problems(renamed, old) == ""


def test_traffic_may_change_under_a_named_template() -> None:
    old = stored(service(template={"name": "shop-v1"}))
    traffic = [{"revisionName": "shop-v0", "percent": 100}]
    new = service(template={"name": "shop-v1"}, traffic=traffic)
    assert problems(new, old) == ""


def test_authors_are_not_rewritten() -> None:
    old = stored(service({"annotations": {CREATOR: "a", LAST_MODIFIER: "a"}}))
    new = service({"annotations": {CREATOR: "b", LAST_MODIFIER: "b"}})
    assert problems(new, old) == (
        f"annotation value is immutable: metadata.annotations.{CREATOR}\n"
        f"invalid value: b: metadata.annotations.{LAST_MODIFIER}"
    )


def test_a_new_service_is_warned_of_insecure_defaults_once() -> None:
    warnings = validated(stored(service()), None, CONFIG)
    assert {warning.level for warning in warnings} == {"warning"}
    assert len(rendered(warnings).splitlines()) == 1
