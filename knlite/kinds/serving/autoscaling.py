"""Rules of the annotations of ``autoscaling.knative.dev``, on templates and Revisions.

Source: knative/serving ``pkg/apis/autoscaling/annotation_validation.go``; Knative reference §2.1.
Differs: a class that no autoscaler here has, and one that has nothing to measure, get a warning.
Not here: what the values mean (``serving/autoscaling/``); where they may not stand
(``annotations.py``).
"""

import re
from dataclasses import replace

from knlite.kinds import labels
from knlite.kinds.config.autoscaler import AutoscalerConfig
from knlite.kinds.durations import at_second_precision, format_go
from knlite.kinds.fielderror import Errors, FieldError, generic, invalid, out_of_bounds
from knlite.kinds.podspec.cpurequest import cpu_request
from knlite.kinds.podspec.fields import PodSpec
from knlite.kinds.serving.annotations import Annotations, find, number_of, seconds_of

KPA = "kpa.autoscaling.knative.dev"
HPA = "hpa.autoscaling.knative.dev"

_INT32_MAX = 2**31 - 1
_SHORTEST_WINDOW = 6.0
_LONGEST_WINDOW = 3600.0
_LEAST_TARGET = 0.01

_INTEGER = re.compile(r"([+-]?)(\d+)", re.ASCII)


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


def autoscaler_class(annotations: Annotations, config: AutoscalerConfig) -> str:
    """Who scales a revision with *annotations*."""
    _, found = find(annotations, labels.CLASS)
    return config.pod_autoscaler_class if found is None else found


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


def _class_errors(annotations: Annotations) -> Errors:
    key, text = find(annotations, labels.CLASS)
    if text is None or text in (KPA, HPA):
        return ()
    if text.endswith(".knative.dev"):
        return (invalid(text, key),)
    unknown = f'there is no autoscaler of class "{text}", {KPA} stands in'
    return (replace(generic(unknown, key), level="warning"),)


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
    value = _integer(text)
    if value is None:
        errors.append(invalid(text, key))
        return 0
    if not 0 <= value <= _INT32_MAX:
        errors.append(out_of_bounds(text, 0, _INT32_MAX, key))
        return 0
    return value


def _initial_scale_errors(annotations: Annotations, config: AutoscalerConfig) -> Errors:
    key, text = find(annotations, labels.INITIAL_SCALE)
    if text is None:
        return ()
    value = _integer(text)
    if value is None:
        return (invalid(text, key),)
    if value < 0:
        return (invalid(text, f"{key} must be greater than 0"),)
    if value == 0 and not config.allow_zero_initial_scale:
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
        value = number_of(text)
        if value is None:
            errors.append(invalid(text, key))
        elif not least <= value <= most:
            errors.append(out_of_bounds(text, least, most, key))
    key, text = find(annotations, labels.TARGET)
    if text is not None:
        value = number_of(text)
        if value is None:
            errors.append(invalid(text, key))
        elif value < _LEAST_TARGET:
            errors.append(generic(f"target {text} should be at least {_LEAST_TARGET}", key))
    key, text = find(annotations, labels.TARGET_BURST_CAPACITY)
    if text is not None:
        value = number_of(text)
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
    seconds = seconds_of(text)
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
    value = _integer(text)
    return value if value is not None and -_INT32_MAX - 1 <= value <= _INT32_MAX else None


def _integer(text: str) -> int | None:
    """The number that *text* is, or one as much out of bounds; None if it is none."""
    match = _INTEGER.fullmatch(text)
    if match is None:
        return None
    sign, digits = match.groups()
    # Python refuses to read the longest ones.
    return int(sign + (digits.lstrip("0")[:20] or "0"))
