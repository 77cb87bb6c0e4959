"""Knative reference §1.2, §1.3, §1.8: defaults and rules of a Configuration."""

from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import refusing, rendered
from knlite.kinds.labels import LAST_MODIFIER, MIN_SCALE, SERVICE
from knlite.kinds.meta import ObjectMeta, OwnerReference
from knlite.kinds.podspec.fields import Container
from knlite.kinds.serving.configuration import (
    Configuration,
    ConfigurationSpec,
    defaulted,
    validated,
)
from knlite.kinds.serving.revision import RevisionSpec, RevisionTemplate

CONFIG = Config()


def configuration(image: str = "example.com/shop", **meta: dict[str, str]) -> Configuration:
    spec = RevisionSpec(containers=(Container(image=image),))
    return Configuration(
        metadata=ObjectMeta(name="shop", **meta),
        spec=ConfigurationSpec(template=RevisionTemplate(spec=spec)),
    )


def stored(obj: Configuration, old: Configuration | None = None) -> Configuration:
    return defaulted(obj, old, CONFIG)


def problems(obj: Configuration, old: Configuration | None = None) -> str:
    return rendered(refusing(validated(stored(obj, old), old, CONFIG)))


def test_its_template_gets_defaults_and_the_same_again_changes_nothing() -> None:
    old = stored(configuration())
    assert old.spec.template.spec.timeout_seconds == 300
    assert stored(configuration(), old) == old
    assert problems(configuration()) == ""


def test_errors_are_found_below_the_template() -> None:
    assert problems(configuration(image="")) == (
        "missing field(s): spec.template.spec.containers[0].image"
    )
    misplaced = configuration(annotations={MIN_SCALE: "1"}, labels={SERVICE: "x"})
    assert problems(misplaced).splitlines() == [
        f'invalid key name "{MIN_SCALE}": metadata.annotations',
        'autoscaling annotations must be put under "spec.template.metadata.annotations" to work',
        f"missing field(s): metadata.labels.{SERVICE}",
    ]


def test_the_modifier_changes_with_the_spec_only_unless_a_service_owns_it() -> None:
    old = stored(configuration(annotations={LAST_MODIFIER: "a"}))
    new = configuration(annotations={LAST_MODIFIER: "b"})
    assert problems(new, old) == f"invalid value: b: metadata.annotations.{LAST_MODIFIER}"
    changed = configuration(image="example.com/other", annotations={LAST_MODIFIER: "b"})
    assert problems(changed, old) == ""
    owner = OwnerReference(api_version="v1", kind="Service", name="shop", uid="1")
    owned = replace(new, metadata=replace(new.metadata, owner_references=(owner,)))
    assert problems(owned, old) == ""
