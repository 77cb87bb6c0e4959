"""Knative reference §2.2: the keys of config-autoscaler."""

from knlite.kinds.config.autoscaler import KEYS, AutoscalerConfig, parse


def test_every_field_is_read_from_the_key_of_its_name() -> None:
    assert {field.replace("_", "-") for field in AutoscalerConfig.__slots__} == KEYS


def test_an_empty_section_is_the_shipped_one() -> None:
    assert parse({}) == AutoscalerConfig()
