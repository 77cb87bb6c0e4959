"""Job: programs that run to their end, as often as it takes to succeed.

Source: Kubernetes batch/v1 Job (``pkg/apis/batch/v1/defaults.go``, ``pkg/apis/batch/validation``).
Differs: ``selector`` names the Job by its name, not by its uid, which it gets later here;
``completionMode: Indexed``, ``podFailurePolicy`` and ``successPolicy`` are refused.
Not here: how it runs (``workloads/reconcilers/job.py``).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from knlite.kinds.conditions import Condition, Conditions
from knlite.kinds.config.bundle import Config
from knlite.kinds.core.podtemplate import (
    PodTemplate,
    template_defaulted,
    template_errors,
)
from knlite.kinds.fielderror import Errors, FieldError, generic, invalid, under
from knlite.kinds.meta import Fields, Object
from knlite.kinds.names import label_1123_problems
from knlite.kinds.objectname import name_errors
from knlite.kinds.selectors import LabelSelector

COMPLETE, FAILED, SUSPENDED = "Complete", "Failed", "Suspended"
JOB_NAME: Final = "batch.kubernetes.io/job-name"
"""Label of the pods of a Job."""
CONTROLLER_UID: Final = "batch.kubernetes.io/controller-uid"
BACKOFF_LIMIT = 6
NEVER, ON_FAILURE = "Never", "OnFailure"


class JobSpec(Fields):
    parallelism: int | None = None
    completions: int | None = None
    active_deadline_seconds: int | None = None
    backoff_limit: int | None = None
    ttl_seconds_after_finished: int | None = None
    suspend: bool | None = None
    completion_mode: str = ""
    selector: LabelSelector | None = None
    manual_selector: bool | None = None
    template: PodTemplate = PodTemplate()
    pod_replacement_policy: str = ""
    # Refused by name:
    pod_failure_policy: Any = None
    success_policy: Any = None
    backoff_limit_per_index: int | None = None
    max_failed_indexes: int | None = None
    managed_by: str | None = None


class JobStatus(Fields):
    conditions: Conditions = ()
    start_time: str | None = None
    completion_time: str | None = None
    active: int = 0
    ready: int = 0
    terminating: int = 0
    succeeded: int = 0
    failed: int = 0
    uncounted_terminated_pods: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Job(Object):
    """Programs that run to their end."""

    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()


def finished(job: Job) -> Condition | None:
    """The condition that says how *job* has ended; None while it has not."""
    return next(
        (
            each
            for each in job.status.conditions
            if each.type in {COMPLETE, FAILED} and each.status == "True"
        ),
        None,
    )


def defaulted(obj: Job, old: Job | None, config: Config) -> Job:
    """*obj* with Kubernetes' defaults."""
    spec = obj.spec
    parallelism, completions = spec.parallelism, spec.completions
    if parallelism is None and completions is None:
        parallelism = completions = 1
    selector = spec.selector
    if selector is None and obj.metadata.name:
        selector = LabelSelector(match_labels={JOB_NAME: obj.metadata.name})
    spec = msgspec.structs.replace(
        spec,
        parallelism=1 if parallelism is None else parallelism,
        completions=completions,
        backoff_limit=BACKOFF_LIMIT if spec.backoff_limit is None else spec.backoff_limit,
        suspend=bool(spec.suspend),
        completion_mode=spec.completion_mode or "NonIndexed",
        selector=selector,
        template=template_defaulted(spec.template, "Always"),
        pod_replacement_policy=spec.pod_replacement_policy or "TerminatingOrFailed",
    )
    return msgspec.structs.replace(obj, spec=spec)


def validated(obj: Job, old: Job | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    errors: list[FieldError] = [*name_errors(obj, label_1123_problems)]
    errors.extend(under("spec", spec_errors(obj.spec)))
    if old is not None:
        for path, before, now in (
            ("completions", old.spec.completions, obj.spec.completions),
            ("selector", old.spec.selector, obj.spec.selector),
            ("template", old.spec.template, obj.spec.template),
        ):
            if before != now:
                errors.append(invalid(path, f"spec.{path}", "field is immutable"))
    return tuple(errors)


def spec_errors(spec: JobSpec) -> Errors:
    """What is wrong with *spec*, which has its defaults; paths begin below it."""
    errors: list[FieldError] = []
    for name, number in (
        ("parallelism", spec.parallelism),
        ("completions", spec.completions),
        ("backoffLimit", spec.backoff_limit),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished),
    ):
        if (number or 0) < 0:
            errors.append(invalid(number, name, "must be greater than or equal to 0"))
    if spec.completion_mode != "NonIndexed":
        errors.append(generic(f'"{spec.completion_mode}" is not supported here', "completionMode"))
    for name, value in (
        ("podFailurePolicy", spec.pod_failure_policy),
        ("successPolicy", spec.success_policy),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index),
        ("maxFailedIndexes", spec.max_failed_indexes),
        ("managedBy", spec.managed_by),
    ):
        if value is not None:
            errors.append(generic("not supported here", name))
    if spec.template.spec.restart_policy == "Always":
        # The default of pods, so Kubernetes holds it to be missing.
        text = 'Required value: valid values: "OnFailure", "Never"'
        errors.append(generic(text, "template.spec.restartPolicy"))
    else:
        errors.extend(under("template", template_errors(spec.template, (ON_FAILURE, NEVER))))
    return tuple(errors)


def completions_column(job: Job) -> str:
    """``0/1``: succeeded of wanted."""
    if job.spec.completions is not None:
        return f"{job.status.succeeded}/{job.spec.completions}"
    many = job.spec.parallelism or 0
    return f"{job.status.succeeded}/1 of {many}" if many > 1 else f"{job.status.succeeded}/1"


def status_column(job: Job) -> str:
    """``Running``, ``Complete``, ``Failed``, ``Suspended`` or ``Terminating``."""
    how = finished(job)
    if how is not None:
        return how.type
    if job.metadata.deletion_timestamp is not None:
        return "Terminating"
    return SUSPENDED if job.spec.suspend else "Running"
