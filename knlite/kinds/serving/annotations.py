"""Rules of the annotations and labels that Serving reads.

Keys that no rule knows are accepted, as upstream does: annotations belong to everybody.

Source: knative/serving ``pkg/apis/autoscaling/annotation_validation.go``,
``pkg/apis/serving/metadata_validation.go``, ``pkg/apis/serving/v1/revision_validation.go``;
knative/networking ``metadata_validation.go``; Knative reference §1.2, §1.4, §1.6, §2.1.
Differs: a class that no autoscaler here has, and one that has nothing to measure, get a warning. A
visibility label with an unknown value gets a warning, since it leaves public what was
meant to be hidden; upstream says nothing. Numbers are written in digits; NaN and infinity, which
Go's parser takes, are refused.
Not here: what the values mean (``serving/autoscaling/``).
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from knlite.kinds import labels
from knlite.kinds.config.autoscaler import AutoscalerConfig
from knlite.kinds.durations import InvalidDuration, at_second_precision, format_go, parse_go
from knlite.kinds.fielderror import (
    Errors,
    FieldError,
    generic,
    invalid,
    invalid_key,
    out_of_bounds,
)
from knlite.kinds.podspec.cpurequest import cpu_request
from knlite.kinds.podspec.fields import PodSpec
from knlite.kinds.quantities import InvalidQuantity
from knlite.kinds.quantities import parse as parse_quantity

Annotations = Mapping[str, str]

KPA = "kpa.autoscaling.knative.dev"
HPA = "hpa.autoscaling.knative.dev"

_INT32_MAX = 2**31 - 1
_SHORTEST_WINDOW = 6.0
_LONGEST_WINDOW = 3600.0
_LEAST_TARGET = 0.01

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

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


def http_protocol(annotations: Annotations) -> str:
    """What shall become of plain HTTP, as written; empty if nothing is said."""
    return find(annotations, labels.HTTP_PROTOCOL)[1] or ""


def rollout_duration(annotations: Annotations) -> float:
    """Seconds that a new revision takes to get all requests; 0 where nothing usable is said."""
    return _seconds(find(annotations, labels.ROLLOUT_DURATION)[1] or "") or 0.0


def autoscaler_class(annotations: Annotations, config: AutoscalerConfig) -> str:
    """Who scales a revision with *annotations*."""
    _, found = find(annotations, labels.CLASS)
    return config.pod_autoscaler_class if found is None else found


def template_errors(annotations: Annotations, config: AutoscalerConfig) -> Errors:
    """What is wrong with the annotations of a revision's template; paths are keys."""
    return (
        *autoscaling_errors(annotations, config),
        *networking_errors(annotations),
        *sidecar_errors(annotations),
        *duration_errors(annotations, labels.PROGRESS_DEADLINE, "progress-deadline"),
    )


def autoscaling_errors(annotations: Annotations, config: AutoscalerConfig) -> Errors:
    """What is wrong with the annotations of ``autoscaling.knative.dev``."""
    return (
        *_class_errors(annotations),
        *_scale_errors(annotations, config),
        *_number_errors(annotations),
        *_window_errors(annotations),
        *_delay_errors(annotations),
        *_metric_errors(annotations, config),
        *_algorithm_errors(annotations),
        *_initial_scale_errors(annotations, config),
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
    seconds = _seconds(text)
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
        value = _number(text)
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


def _class_errors(annotations: Annotations) -> Errors:
    key, text = find(annotations, labels.CLASS)
    if text is None or text in (KPA, HPA):
        return ()
    if text.endswith(".knative.dev"):
        return (invalid(text, key),)
    unknown = f'there is no autoscaler of class "{text}", {KPA} stands in'
    return (replace(generic(unknown, key), level="warning"),)


def unmeasured_errors(annotations: Annotations, pod: PodSpec, config: AutoscalerConfig) -> Errors:
    """A warning where the HPA class would measure against a request that nobody makes."""
    _, target = find(annotations, labels.TARGET)
    _, metric = find(annotations, labels.METRIC)
    by_cpu = not target or metric in (None, "cpu")
    if autoscaler_class(annotations, config) != HPA or not by_cpu or cpu_request(pod) is not None:
        return ()
    text = "without a request there is nothing to measure cpu against, and only the bounds count"
    path = "containers[*].resources.requests.cpu"
    return (replace(generic(text, path), level="warning"),)


def _scale_errors(annotations: Annotations, config: AutoscalerConfig) -> Errors:
    errors: list[FieldError] = []
    least = _scale(annotations, labels.MIN_SCALE, errors)
    most = _scale(annotations, labels.MAX_SCALE, errors)
    if most and most < least:
        text = f"max-scale={most} is less than min-scale={least}"
        errors.append(generic(text, labels.MAX_SCALE, labels.MIN_SCALE))
    key, text_of_most = find(annotations, labels.MAX_SCALE)
    if text_of_most is not None and config.max_scale_limit:
        if most > config.max_scale_limit:
            errors.append(out_of_bounds(most, 1, config.max_scale_limit, key))
        elif most == 0:
            text = f"max-scale=0 (unlimited), must be less than {config.max_scale_limit}"
            errors.append(generic(text, key))
    key, text_of_activation = find(annotations, labels.ACTIVATION_SCALE)
    if text_of_activation is not None:
        activation = _int32(text_of_activation)
        if activation is None:
            errors.append(invalid(text_of_activation, key))
        elif least > activation:
            text = f"min-scale={least} is greater than activation-scale={activation}"
            errors.append(generic(text, key))
        elif most and most < activation:
            text = f"max-scale={most} is less than activation-scale={activation}"
            errors.append(generic(text, key))
        elif activation < 2:
            text = f"activation-scale={activation} must be greater than 1"
            errors.append(generic(text, key))
    return tuple(errors)


def _scale(annotations: Annotations, key: str, errors: list[FieldError]) -> int:
    """A number of instances; 0 where it is absent, or wrong, which *errors* then says."""
    key, text = find(annotations, key)
    if text is None:
        return 0
    if not _INTEGER.fullmatch(text):
        errors.append(invalid(text, key))
        return 0
    value = int(text)
    if not 0 <= value <= _INT32_MAX:
        errors.append(out_of_bounds(text, 0, _INT32_MAX, key))
        return 0
    return value


def _initial_scale_errors(annotations: Annotations, config: AutoscalerConfig) -> Errors:
    key, text = find(annotations, labels.INITIAL_SCALE)
    if text is None:
        return ()
    if not _INTEGER.fullmatch(text):
        return (invalid(text, key),)
    if int(text) < 0:
        return (invalid(text, f"{key} must be greater than 0"),)
    if int(text) == 0 and not config.allow_zero_initial_scale:
        return (invalid(text, f"{key}=0 not allowed by cluster"),)
    return ()


def _number_errors(annotations: Annotations) -> Errors:
    errors: list[FieldError] = []
    for each, least, most in (
        (labels.PANIC_WINDOW, 1, 100),
        (labels.PANIC_THRESHOLD, 110, 1000),
        (labels.TARGET_UTILIZATION, 1, 100),
    ):
        key, text = find(annotations, each)
        if text is None:
            continue
        value = _number(text)
        if value is None:
            errors.append(invalid(text, key))
        elif not least <= value <= most:
            errors.append(out_of_bounds(text, least, most, key))
    key, text = find(annotations, labels.TARGET)
    if text is not None:
        value = _number(text)
        if value is None:
            errors.append(invalid(text, key))
        elif value < _LEAST_TARGET:
            errors.append(generic(f"target {text} should be at least {_LEAST_TARGET}", key))
    key, text = find(annotations, labels.TARGET_BURST_CAPACITY)
    if text is not None:
        value = _number(text)
        if value is None or (value < 0 and value != -1):
            errors.append(invalid(text, key))
    return tuple(errors)


def _window_errors(annotations: Annotations) -> Errors:
    key, text = find(annotations, labels.WINDOW)
    if text is None:
        return ()
    return _bounded_duration_errors(text, key, _SHORTEST_WINDOW, whole_seconds=True)


def _delay_errors(annotations: Annotations) -> Errors:
    """Delays may be as long as the longest window: nothing older is remembered."""
    errors: list[FieldError] = []
    for each, whole_seconds in ((labels.SCALE_DOWN_DELAY, True), (labels.POD_RETENTION, False)):
        key, text = find(annotations, each)
        if text is not None:
            errors += _bounded_duration_errors(text, key, 0.0, whole_seconds=whole_seconds)
    return tuple(errors)


def _bounded_duration_errors(
    text: str, key: str, shortest: float, *, whole_seconds: bool
) -> Errors:
    seconds = _seconds(text)
    if seconds is None:
        return (invalid(text, key),)
    if not shortest <= seconds <= _LONGEST_WINDOW:
        return (out_of_bounds(text, format_go(shortest), format_go(_LONGEST_WINDOW), key),)
    if whole_seconds and not at_second_precision(text):
        return (generic("must be specified with at most second precision", key),)
    return ()


def _metric_errors(annotations: Annotations, config: AutoscalerConfig) -> Errors:
    key, metric = find(annotations, labels.METRIC)
    if metric is None:
        return ()
    autoscaler = autoscaler_class(annotations, config)
    if autoscaler == KPA:
        known = metric in ("concurrency", "rps")
    else:
        # The HPA knows metrics of any name; of other autoscalers nothing is known.
        known = metric != "" or autoscaler != HPA
    return () if known else (invalid(metric, key),)


def _algorithm_errors(annotations: Annotations) -> Errors:
    key, text = find(annotations, labels.AGGREGATION)
    _, autoscaler = find(annotations, labels.CLASS)
    # Of other autoscalers, and of the default one, upstream knows nothing here.
    if not text or autoscaler != KPA:
        return ()
    if text in ("linear", "weighted-exponential", "weightedExponential"):
        return ()
    return (invalid(text, key),)


def _int32(text: str) -> int | None:
    if not _INTEGER.fullmatch(text):
        return None
    value = int(text)
    return value if -_INT32_MAX - 1 <= value <= _INT32_MAX else None


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _seconds(text: str) -> float | None:
    try:
        return parse_go(text)
    except InvalidDuration:
        return None
