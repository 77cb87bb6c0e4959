"""Knative reference §1.9, §1.11: config-deployment."""

import pytest

from knlite.kinds.config.deployment import KEYS, DeploymentConfig, parse
from knlite.kinds.config.values import ConfigInvalid


def test_an_empty_section_is_the_shipped_one() -> None:
    assert parse({}) == DeploymentConfig()


def test_the_new_spelling_goes_before_the_old_one() -> None:
    config = parse(
        {
            "progressDeadline": "1m",
            "progress-deadline": "2m",
            "registriesSkippingTagResolving": "a.example, b.example,",
        }
    )
    assert config == DeploymentConfig(
        progress_deadline=120.0, registries_skipping_tag_resolving=("a.example", "b.example")
    )
    assert parse({"progressDeadline": "1m"}).progress_deadline == 60.0


def test_what_needs_a_cluster_is_known_and_has_no_effect() -> None:
    data = {"queue-sidecar-image": "x", "queue-sidecar-cpu-request": "25m"}
    assert data.keys() <= KEYS
    assert parse(data) == DeploymentConfig()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            {"progress-deadline": "0s"},
            "progress-deadline cannot be a non-positive duration, was 0s",
        ),
        (
            {"progress-deadline": "1.5s"},
            "progress-deadline must be rounded to a whole second, was: 1.5s",
        ),
        (
            {"digest-resolution-timeout": "-1s"},
            "digest-resolution-timeout cannot be a non-positive duration, was -1s",
        ),
        (
            {"default-affinity-type": "x"},
            'unsupported default-affinity-type value: "x"',
        ),
        (
            {"queue-sidecar-memory-limit": "x"},
            'failed to parse "queue-sidecar-memory-limit": quantities must match the regular'
            " expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
    ],
)
def test_refuses_what_the_webhook_refuses(data: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        parse(data)
    assert str(refused.value) == text
