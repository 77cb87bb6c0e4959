"""Knative reference §2.2: the keys of config-autoscaler."""

import pytest

from knlite.kinds.config.autoscaler import KEYS, AutoscalerConfig, parse
from knlite.kinds.config.values import ConfigInvalid


def test_every_field_is_read_from_the_key_of_its_name() -> None:
    assert {field.replace("_", "-") for field in AutoscalerConfig.__slots__} == KEYS


def test_an_empty_section_is_the_shipped_one() -> None:
    assert parse({}) == AutoscalerConfig()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            {"min-scale": "many"},
            'failed to parse data: failed to parse "min-scale": strconv.ParseInt: parsing "many":'
            " invalid syntax",
        ),
        (
            {"max-scale": "2147483648"},
            'failed to parse data: failed to parse "max-scale": strconv.ParseInt: parsing'
            ' "2147483648": value out of range',
        ),
        (
            {"target-burst-capacity": "x"},
            'failed to parse data: failed to parse "target-burst-capacity": strconv.ParseFloat:'
            ' parsing "x": invalid syntax',
        ),
        (
            {"enable-scale-to-zero": "yes"},
            'failed to parse data: failed to parse "enable-scale-to-zero": strconv.ParseBool:'
            ' parsing "yes": invalid syntax',
        ),
        (
            {"stable-window": "60"},
            'failed to parse data: failed to parse "stable-window": time: missing unit in duration'
            ' "60"',
        ),
        (
            {"scale-to-zero-grace-period": "0s"},
            "scale-to-zero-grace-period must be positive, was: 0s",
        ),
        ({"scale-down-delay": "-1s"}, "scale-down-delay cannot be negative, was: -1s"),
        (
            {"scale-down-delay": "1500ms"},
            "scale-down-delay = 1.5s, must be specified with at most second precision",
        ),
        (
            {"scale-to-zero-pod-retention-period": "-4s"},
            "scale-to-zero-pod-retention-period cannot be negative, was: -4s",
        ),
        (
            {"target-burst-capacity": "-11"},
            "target-burst-capacity must be either non-negative or -1 (for unlimited), was:"
            " -11.000000",
        ),
        (
            {"container-concurrency-target-percentage": "101"},
            "container-concurrency-target-percentage = 1.010000 is outside of valid range of"
            " (0, 100]",
        ),
        (
            {
                "container-concurrency-target-percentage": "5",
                "container-concurrency-target-default": "0.1",
            },
            "container-concurrency-target-percentage and container-concurrency-target-default"
            " yield target concurrency of 0.005, can't be less than 0.01",
        ),
        (
            {"requests-per-second-target-default": "0"},
            "requests-per-second-target-default must be at least 0.01, was: 0",
        ),
        ({"activator-capacity": "0.5"}, "activator-capacity = 0.5, must be at least 1"),
        ({"max-scale-up-rate": "1"}, "max-scale-up-rate = 1, must be greater than 1.0"),
        ({"max-scale-down-rate": "0.9"}, "max-scale-down-rate = 0.9, must be greater than 1.0"),
        ({"stable-window": "5s"}, "stable-window = 5s, must be in [6s; 1h0m0s] range"),
        (
            {"stable-window": "60500ms"},
            "stable-window = 1m0.5s, must be specified with at most second precision",
        ),
        (
            {"panic-window-percentage": "101"},
            "panic-window-percentage = 101, must be in [1, 100] interval",
        ),
        (
            {"initial-scale": "0"},
            "initial-scale = 0, must be at least 0 (or at least 1 when allow-zero-initial-scale is"
            " false)",
        ),
        ({"min-scale": "-1"}, "min-scale = -1, must be at least 0"),
        ({"max-scale": "-1"}, "max-scale = -1, must be in [0, max-scale-limit(0)] range"),
        ({"max-scale-limit": "3"}, "max-scale = 0, must be in [1, max-scale-limit(3)] range"),
        ({"max-scale-limit": "-1"}, "max-scale-limit = -1, must be at least 0"),
        (
            {"min-scale": "3", "max-scale": "2"},
            "min-scale (3) must be less than max-scale (2)",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_refuses_what_the_webhook_refuses(data: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        parse(data)
    assert str(refused.value) == text


def test_shares_up_to_one_are_fractions() -> None:
    assert parse({"container-concurrency-target-percentage": "0.5"}) == parse(
        {"container-concurrency-target-percentage": "50"}
    )
