"""Knative reference §1.5: the flags of config-features."""

import pytest

from knlite.kinds.config import features
from knlite.kinds.config.features import KEYS, FeaturesConfig, parse
from knlite.kinds.config.values import ConfigInvalid


def test_only_several_containers_and_empty_dirs_are_on_by_default() -> None:
    standard = parse({})
    assert {key for key in KEYS if standard.enabled(key)} == {
        "multi-container",
        "kubernetes.podspec-volumes-emptydir",
    }
    assert {standard.flag(key) for key in KEYS} == {"Enabled", "Disabled"}


def test_values_are_read_in_any_case_and_other_keys_are_passed_over() -> None:
    config = parse({"kubernetes.podspec-fieldref": "aLLowed", "unknown": "Enabled"})
    assert config.flag(features.FIELD_REF) == "Allowed"
    assert config.permitted(features.FIELD_REF)
    assert not config.enabled(features.FIELD_REF)
    assert config.flags.keys() == {features.FIELD_REF}


@pytest.mark.parametrize(
    ("value", "secure"), [("Disabled", False), ("allowrootbounded", True), ("Enabled", True)]
)
def test_secure_pod_defaults_have_two_degrees(value: str, secure: bool) -> None:
    assert parse({"secure-pod-defaults": value}).secure_pods is secure


@pytest.mark.parametrize(
    ("key", "value", "choices"),
    [
        ("multi-container", "yes", "Enabled, Allowed, Disabled"),
        ("multi-container", "AllowRootBounded", "Enabled, Allowed, Disabled"),
        ("secure-pod-defaults", "Allowed", "Disabled, AllowRootBounded, Enabled"),
    ],
)
def test_another_value_is_refused(key: str, value: str, choices: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        parse({key: value})
    assert str(refused.value) == f'{key} = "{value}" is not one of: {choices}'


def test_a_flag_that_nobody_set_has_its_default() -> None:
    assert FeaturesConfig().flag(features.MULTI_CONTAINER) == "Enabled"
