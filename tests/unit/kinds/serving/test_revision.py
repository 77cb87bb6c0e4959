"""Knative reference §1.4, §1.7, §1.8: a Revision's own fields, its name, its immutability."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.autoscaler import AutoscalerConfig
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.defaults import DefaultsConfig
from knlite.kinds.fielderror import refusing, rendered
from knlite.kinds.labels import CONFIGURATION, MIN_SCALE
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container
from knlite.kinds.serving.revision import (
    Revision,
    RevisionSpec,
    RevisionTemplate,
    defaulted,
    template_defaulted,
    template_validated,
    validated,
)

CONFIG = Config()
CONTAINERS = (Container(image="example.com/shop"),)
PARENT = ObjectMeta(name="shop")


def revision(**spec: int) -> Revision:
    return Revision(
        metadata=ObjectMeta(name="shop-00001"), spec=RevisionSpec(containers=CONTAINERS, **spec)
    )


def problems(obj: Revision, old: Revision | None = None, config: Config = CONFIG) -> str:
    return rendered(refusing(validated(defaulted(obj, old, config), old, config)))


@pytest.mark.parametrize(
    ("said", "defaults", "expected"),
    [
        ({}, DefaultsConfig(), (300, None, None, 0)),
        ({"timeout_seconds": 0}, DefaultsConfig(), (300, None, None, 0)),
        ({"timeout_seconds": 400}, DefaultsConfig(), (400, 300, None, 0)),
        (
            {"timeout_seconds": 400, "response_start_timeout_seconds": 0},
            DefaultsConfig(),
            (400, 0, None, 0),
        ),
        ({}, DefaultsConfig(revision_idle_timeout_seconds=299), (300, None, 299, 0)),
        ({}, DefaultsConfig(revision_idle_timeout_seconds=300), (300, None, None, 0)),
        (
            {"container_concurrency": 0},
            DefaultsConfig(container_concurrency=9),
            (300, None, None, 0),
        ),
        ({}, DefaultsConfig(container_concurrency=9), (300, None, None, 9)),
    ],
)
def test_timeouts_and_concurrency_have_defaults(
    said: dict[str, int],
    defaults: DefaultsConfig,
    expected: tuple[int, int | None, int | None, int],
) -> None:
    spec = defaulted(revision(**said), None, Config(defaults=defaults)).spec
    assert (
        spec.timeout_seconds,
        spec.response_start_timeout_seconds,
        spec.idle_timeout_seconds,
        spec.container_concurrency,
    ) == expected


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({}, ""),
        ({"timeout_seconds": 600, "container_concurrency": 1000}, ""),
        ({"response_start_timeout_seconds": 9999, "idle_timeout_seconds": 9999}, ""),
        ({"timeout_seconds": 700}, "expected 0 <= 700 <= 600: spec.timeoutSeconds"),
        ({"timeout_seconds": -1}, "expected 0 <= -1 <= 600: spec.timeoutSeconds"),
        (
            {"container_concurrency": -1},
            "expected 0 <= -1 <= 1000: spec.containerConcurrency",
        ),
        (
            {"container_concurrency": 1001},
            "expected 0 <= 1001 <= 1000: spec.containerConcurrency",
        ),
    ],
)
def test_timeouts_and_concurrency_have_bounds(said: dict[str, int], text: str) -> None:
    assert problems(revision(**said)) == text


def test_unlimited_concurrency_can_be_ruled_out() -> None:
    config = Config(defaults=DefaultsConfig(allow_container_concurrency_zero=False))
    assert problems(revision(container_concurrency=0), config=config) == (
        "expected 1 <= 0 <= 1000: spec.containerConcurrency"
    )


def test_a_stored_spec_is_immutable() -> None:
    old = defaulted(revision(), None, CONFIG)
    assert problems(old, old) == ""
    new = replace(old, spec=replace(old.spec, container_concurrency=1))
    assert problems(new, old) == (
        "Immutable fields changed (-old +new): spec\n"
        '*{v1.RevisionSpec}.ContainerConcurrency:\n\t-: "0"\n\t+: "1"\n'
    )


def test_annotations_of_a_stored_revision_may_change_within_bounds() -> None:
    old = defaulted(revision(), None, CONFIG)

    def annotated(text: str) -> Revision:
        return replace(old, metadata=replace(old.metadata, annotations={MIN_SCALE: text}))

    assert problems(annotated("3"), old) == ""
    assert problems(annotated("x"), old) == f"invalid value: x: metadata.annotations.{MIN_SCALE}"


def test_the_label_of_a_configuration_needs_its_owner() -> None:
    obj = replace(revision(), metadata=ObjectMeta(name="x", labels={CONFIGURATION: "shop"}))
    assert problems(obj) == f"missing field(s): metadata.labels.{CONFIGURATION}"


def named(name: str, image: str = "example.com/shop", **meta: dict[str, str]) -> RevisionTemplate:
    return RevisionTemplate(
        metadata=ObjectMeta(name=name, **meta),
        spec=RevisionSpec(containers=(Container(image=image),)),
    )


def stored(
    template: RevisionTemplate, old: RevisionTemplate | None = None, config: Config = CONFIG
) -> RevisionTemplate:
    return template_defaulted(template, old, config, PARENT)


def template_problems(
    template: RevisionTemplate, old: RevisionTemplate | None = None, config: Config = CONFIG
) -> str:
    return rendered(refusing(template_validated(template, old, config, PARENT)))


def test_applying_the_same_named_template_again_changes_nothing() -> None:
    old = stored(named("shop-v1"))
    assert stored(named("shop-v1"), old) == old
    assert template_problems(old, old) == ""


def test_a_changed_template_needs_another_name() -> None:
    old = stored(named("shop-v1"))
    new = replace(
        old,
        spec=replace(
            old.spec, containers=(replace(old.spec.containers[0], image="example.com/other"),)
        ),
    )
    assert template_problems(stored(new, old), old) == (
        "Saw the following changes without a name change (-old +new): metadata.name\n"
        "{*v1.RevisionTemplateSpec}.Spec.PodSpec.Containers[0].Image:\n"
        '\t-: "example.com/shop"\n'
        '\t+: "example.com/other"\n'
    )
    renamed = replace(new, metadata=ObjectMeta(name="shop-v2"))
    assert template_problems(stored(renamed, old), old) == ""


def test_new_defaults_do_not_change_a_named_template() -> None:
    old = stored(named("shop-v1"))
    config = Config(defaults=DefaultsConfig(revision_cpu_limit="1"))
    assert stored(old, old, config) == old


def test_a_template_without_a_name_may_change() -> None:
    old = stored(named(""))
    assert template_problems(stored(named("", image="example.com/other"), old), old) == ""


def test_a_template_is_checked_as_a_whole() -> None:
    template = named("other-v1", annotations={MIN_SCALE: "2", "networking.knative.dev/x": "y"})
    config = Config(autoscaler=AutoscalerConfig())
    assert template_problems(stored(template), config=config) == (
        'invalid key name "networking.knative.dev/x": metadata.annotations\n'
        'invalid value: "other-v1" must have prefix "shop-": metadata.name'
    )
