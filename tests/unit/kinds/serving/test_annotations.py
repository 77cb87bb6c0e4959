"""Knative reference §1.2, §1.4, §1.6: rules of annotations and labels, and their texts."""

import pytest

from knlite.kinds.fielderror import refusing, rendered
from knlite.kinds.labels import COMMAND, IDLE, ROLLOUT_DURATION, WORKDIR
from knlite.kinds.serving.annotations import (
    author_errors,
    duration_errors,
    idle_tier,
    misplaced_autoscaling_errors,
    misplaced_idle_errors,
    networking_errors,
    sidecar_errors,
    template_errors,
    visibility_errors,
)

A = "autoscaling.knative.dev"


def test_autoscaling_annotations_belong_on_the_template() -> None:
    assert rendered(misplaced_autoscaling_errors({f"{A}/min-scale": "1", "x": "y"})) == (
        'invalid key name "autoscaling.knative.dev/min-scale": \n'
        'autoscaling annotations must be put under "spec.template.metadata.annotations" to work'
    )


def test_a_template_has_known_networking_annotations_only() -> None:
    annotations = {"networking.knative.dev/http-protocol": "x", "networking.knative.dev/x": "y"}
    assert rendered(networking_errors(annotations)) == (
        'invalid key name "networking.knative.dev/x": '
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("10s", ""),
        ("0s", ""),
        ("2m", ""),
        ("x", "invalid value: x: {key}"),
        ("1.5s", "rollout-duration=1.5s is not at second precision: {key}"),
        ("-1s", "rollout-duration=-1s must be positive: {key}"),
    ],
)
@pytest.mark.parametrize("key", [ROLLOUT_DURATION, "serving.knative.dev/rolloutDuration"])
def test_durations_are_whole_seconds(key: str, text: str, expected: str) -> None:
    errors = duration_errors({key: text}, ROLLOUT_DURATION, "rollout-duration")
    assert rendered(errors) == expected.format(key=key)


@pytest.mark.parametrize("word", ["remove", "stop", "freeze"])
def test_an_idle_tier_is_one_of_three_words(word: str) -> None:
    assert template_errors({IDLE: word}) == ()
    assert idle_tier({IDLE: word}) == word


@pytest.mark.parametrize("word", ["", "Freeze", "pause"])
def test_any_other_word_for_an_idle_tier_is_refused(word: str) -> None:
    assert rendered(template_errors({IDLE: word})) == (
        f"invalid value: {word}: knlite.dev/idle\nwrite one of remove, stop, freeze"
    )


def test_an_idle_tier_beside_the_template_gets_a_warning() -> None:
    (warning,) = misplaced_idle_errors({IDLE: "freeze"}, {})
    assert warning.level == "warning"
    assert "spec.template.metadata.annotations" in warning.details
    assert misplaced_idle_errors({IDLE: "freeze"}, {IDLE: "freeze"}) == ()


def test_without_a_word_instances_are_removed() -> None:
    assert idle_tier({}) == "remove"


def test_sizes_of_the_sidecar_are_quantities() -> None:
    prefix = "queue.sidecar.serving.knative.dev"
    errors = sidecar_errors(
        {
            f"{prefix}/cpu-resource-request": "1m",
            f"{prefix}/memory-resource-limit": "x",
            f"{prefix}/resource-percentage": "0.05",
        }
    )
    assert rendered(refusing(errors)) == (
        f"expected 0.1 <= 0.05 <= 100: [{prefix}/resource-percentage]\n"
        f"invalid value: x: [{prefix}/memory-resource-limit]"
    )
    old = sidecar_errors({f"{prefix}/resourcePercentage": "x"})
    assert rendered(refusing(old)) == f"invalid value: x: [{prefix}/resourcePercentage]"
    deprecated = sidecar_errors({f"{prefix}/resource-percentage": "50"})
    assert refusing(deprecated) == ()
    assert rendered(deprecated).startswith("Queue proxy resource percentage annotation is depr")


def test_annotations_of_knlite_and_of_others_are_welcome() -> None:
    annotations = {COMMAND: "./run", WORKDIR: ".", "serving.knative.dev/new": "x", "a": "b"}
    assert template_errors(annotations) == ()


CREATOR = "serving.knative.dev/creator"
MODIFIER = "serving.knative.dev/lastModifier"


@pytest.mark.parametrize(
    ("new", "spec_changed", "text"),
    [
        ({CREATOR: "a", MODIFIER: "a"}, False, ""),
        ({CREATOR: "a", MODIFIER: "b"}, True, ""),
        ({CREATOR: "a", MODIFIER: "b"}, False, f"invalid value: b: {MODIFIER}"),
        ({CREATOR: "b", MODIFIER: "a"}, True, f"annotation value is immutable: {CREATOR}"),
        ({MODIFIER: "a"}, True, f"annotation value is immutable: {CREATOR}"),
    ],
)
def test_authors_are_not_rewritten(new: dict[str, str], spec_changed: bool, text: str) -> None:
    old = {CREATOR: "a", MODIFIER: "a"}
    assert rendered(author_errors(new, old, spec_changed=spec_changed)) == text


def test_a_visibility_that_hides_nothing_gets_a_warning() -> None:
    key = "networking.knative.dev/visibility"
    assert visibility_errors({}) == ()
    assert visibility_errors({key: "cluster-local"}) == ()
    warnings = visibility_errors({key: "cluster_local"})
    assert refusing(warnings) == ()
    assert rendered(warnings).startswith(f"invalid value: cluster_local: {key}\n")
