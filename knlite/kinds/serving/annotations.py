"""Rules of the annotations and labels that Serving reads.

Keys that no rule knows are accepted, as upstream does: annotations belong to everybody.

Source: knative/serving ``pkg/apis/serving/metadata_validation.go``,
``pkg/apis/serving/v1/revision_validation.go``; knative/networking ``metadata_validation.go``;
Knative reference §1.2, §1.4, §1.6.
Differs: a visibility label with an unknown value gets a warning, since it leaves public what was
meant to be hidden; upstream says nothing. Numbers are written in digits; NaN and infinity, which
Go's parser takes, are refused.
Not here: rules of autoscaling (``autoscaling.py``).
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from knlite.kinds import labels
from knlite.kinds.durations import InvalidDuration, at_second_precision, parse_go
from knlite.kinds.fielderror import (
    Errors,
    FieldError,
    generic,
    invalid,
    invalid_key,
    out_of_bounds,
)
from knlite.kinds.quantities import InvalidQuantity
from knlite.kinds.quantities import parse as parse_quantity

Annotations = Mapping[str, str]

IdleTier = Literal["remove", "stop", "freeze"]
IDLE_TIERS: tuple[IdleTier, ...] = ("remove", "stop", "freeze")

# Possessive, so that what is no number is found out in one pass.
_NUMBER = re.compile(r"[+-]?(\d++\.?\d*+|\.\d++)([eE][+-]?\d++)?", re.ASCII)

_OLD_SPELLINGS: Mapping[str, str] = {
    labels.ROLLOUT_DURATION: labels.ROLLOUT_DURATION_OLD,
    labels.HTTP_PROTOCOL: f"{labels.NETWORKING}/httpOption",
    **{
        key: f"{labels.AUTOSCALING}/{old}"
        for key, old in (
            (labels.MIN_SCALE, "minScale"),
            (labels.MAX_SCALE, "maxScale"),
            (labels.INITIAL_SCALE, "initialScale"),
            (labels.TARGET_UTILIZATION, "targetUtilizationPercentage"),
            (labels.TARGET_BURST_CAPACITY, "targetBurstCapacity"),
            (labels.PANIC_WINDOW, "panicWindowPercentage"),
            (labels.PANIC_THRESHOLD, "panicThresholdPercentage"),
            (labels.SCALE_DOWN_DELAY, "scaleDownDelay"),
            (labels.POD_RETENTION, "scaleToZeroPodRetentionPeriod"),
            (labels.AGGREGATION, "metricAggregationAlgorithm"),
        )
    },
}

_NETWORKING_KEYS = frozenset(
    f"{labels.NETWORKING}/{name}"
    for name in (
        "ingress.class",
        "ingress-class",
        "certificate.class",
        "certificate-class",
        "disableAutoTLS",
        "disable-auto-tls",
        "disable-external-domain-tls",
        "httpOption",
        "http-protocol",
    )
)

_SIDECAR = f"queue.sidecar.{labels.GROUP}"
_SIDECAR_PERCENTAGES = (f"{_SIDECAR}/resource-percentage", f"{_SIDECAR}/resourcePercentage")
_SIDECAR_QUANTITIES = tuple(
    f"{_SIDECAR}/{resource}-resource-{bound}"
    for resource in ("cpu", "memory", "ephemeral-storage")
    for bound in ("request", "limit")
)


def find(annotations: Annotations, key: str) -> tuple[str, str | None]:
    """The spelling under which *key* is there, and its value; None if it is absent.

    Most keys of Serving have an old spelling in camelCase, which the new one goes before.
    """
    old = _OLD_SPELLINGS.get(key)
    if key not in annotations and old is not None and old in annotations:
        return old, annotations[old]
    return key, annotations.get(key)


def number_of(text: str) -> float | None:
    """The number that *text* is in digits; None if it is none."""
    return float(text) if _NUMBER.fullmatch(text) else None


def seconds_of(text: str) -> float | None:
    """The Go duration that *text* is; None if it is none."""
    try:
        return parse_go(text)
    except InvalidDuration:
        return None


def http_protocol(annotations: Annotations) -> str:
    """What shall become of plain HTTP, as written; empty if nothing is said."""
    return find(annotations, labels.HTTP_PROTOCOL)[1] or ""


def http_protocol_errors(annotations: Annotations) -> Errors:
    """A warning for plain HTTP that shall be sent on to HTTPS, where there is no certificate."""
    key, text = find(annotations, labels.HTTP_PROTOCOL)
    if text is None or text.lower() != "redirected":
        return ()
    warning = '"redirected" has no effect: only a DomainMapping with spec.tls has a certificate'
    return (replace(generic(warning, key), level="warning"),)


def rollout_duration(annotations: Annotations) -> float:
    """Seconds that a new revision takes to get all requests; 0 where nothing usable is said."""
    return seconds_of(find(annotations, labels.ROLLOUT_DURATION)[1] or "") or 0.0


def template_errors(annotations: Annotations) -> Errors:
    """What is wrong with a template's annotations but for autoscaling; paths are keys."""
    return (
        *networking_errors(annotations),
        *sidecar_errors(annotations),
        *duration_errors(annotations, labels.PROGRESS_DEADLINE, "progress-deadline"),
        *idle_errors(annotations),
    )


def misplaced_autoscaling_errors(annotations: Annotations) -> Errors:
    """Autoscaling annotations where nobody reads them: outside the template."""
    details = 'autoscaling annotations must be put under "spec.template.metadata.annotations"'
    return tuple(
        invalid_key(key, "", f"{details} to work")
        for key in annotations
        if key.startswith(labels.AUTOSCALING)
    )


def networking_errors(annotations: Annotations) -> Errors:
    """Keys of ``networking.knative.dev`` that mean nothing on a template."""
    return tuple(
        invalid_key(key, "")
        for key in annotations
        if key.startswith(labels.NETWORKING) and key not in _NETWORKING_KEYS
    )


def duration_errors(annotations: Annotations, key: str, noun: str) -> Errors:
    """A duration of whole seconds that is not below zero; absent and empty are fine."""
    key, text = find(annotations, key)
    if not text:
        return ()
    seconds = seconds_of(text)
    if seconds is None:
        return (invalid(text, key),)
    if not at_second_precision(text):
        return (generic(f"{noun}={text} is not at second precision", key),)
    if seconds < 0:
        return (generic(f"{noun}={text} must be positive", key),)
    return ()


def sidecar_errors(annotations: Annotations) -> Errors:
    """Sizes of the queue-proxy sidecar, which only a cluster has."""
    errors: list[FieldError] = []
    key = next((each for each in _SIDECAR_PERCENTAGES if each in annotations), None)
    if key is not None:
        text = annotations[key]
        warning = (
            "Queue proxy resource percentage annotation is deprecated. Please use the available"
            " annotations to explicitly set resource values per service"
        )
        errors.append(replace(generic(warning, f"[{key}]"), level="warning"))
        value = number_of(text)
        if value is None:
            errors.append(invalid(text, f"[{key}]"))
        elif not 0.1 <= value <= 100:
            errors.append(out_of_bounds(f"{value:g}", 0.1, 100, f"[{key}]"))
    for key in _SIDECAR_QUANTITIES:
        if key in annotations:
            try:
                parse_quantity(annotations[key])
            except InvalidQuantity:
                errors.append(invalid(annotations[key], f"[{key}]"))
    return tuple(errors)


def idle_errors(annotations: Annotations) -> Errors:
    """A word that names no way to be at scale zero."""
    word = annotations.get(labels.IDLE)
    if word is None or word in IDLE_TIERS:
        return ()
    return (invalid(word, labels.IDLE, f"write one of {', '.join(IDLE_TIERS)}"),)


def misplaced_idle_errors(annotations: Annotations, template: Annotations) -> Errors:
    """A warning for an idle tier on a Service whose *template*, which is read, has none."""
    if labels.IDLE not in annotations or labels.IDLE in template:
        return ()
    details = 'put it under "spec.template.metadata.annotations" to have an effect'
    return (
        replace(
            generic("annotation is not read here", labels.IDLE, details=details), level="warning"
        ),
    )


def idle_tier(annotations: Annotations) -> IdleTier:
    """What becomes of instances at scale zero."""
    word = annotations.get(labels.IDLE)
    return next((each for each in IDLE_TIERS if each == word), "remove")


def author_errors(new: Annotations, old: Annotations, *, spec_changed: bool) -> Errors:
    """Who made an object does not change, and who modified it only when it was modified."""
    errors: list[FieldError] = []
    if new.get(labels.CREATOR, "") != old.get(labels.CREATOR, ""):
        errors.append(generic("annotation value is immutable", labels.CREATOR))
    modifier = new.get(labels.LAST_MODIFIER, "")
    if not spec_changed and modifier != old.get(labels.LAST_MODIFIER, ""):
        errors.append(invalid(modifier, labels.LAST_MODIFIER))
    return tuple(errors)


def visibility_errors(found: Mapping[str, str]) -> Errors:
    """A warning for a visibility label that hides nothing; *found* are labels."""
    value = found.get(labels.VISIBILITY, "")
    if value in ("", "cluster-local"):
        return ()
    details = 'only "cluster-local" hides it from outside; with any other value it is public'
    return (replace(invalid(value, labels.VISIBILITY, details), level="warning"),)
