"""CronJob: a Job whenever a schedule says so.

Source: Kubernetes batch/v1 CronJob (``pkg/apis/batch``: defaults and validation).
Not here: which Jobs come and go (``workloads/reconcilers/cronjob.py``).
"""

import msgspec

from knlite.kinds import schedule
from knlite.kinds.config.bundle import Config
from knlite.kinds.core import job as jobs
from knlite.kinds.core.job import Job, JobSpec
from knlite.kinds.core.objectreference import ObjectReference
from knlite.kinds.fielderror import Errors, FieldError, generic, invalid, missing, under
from knlite.kinds.meta import Fields, Object, ObjectMeta
from knlite.kinds.names import label_1123_problems
from knlite.kinds.objectname import name_errors

ALLOW, FORBID, REPLACE = "Allow", "Forbid", "Replace"
LONGEST_NAME = 52
"""Letters; the names of its Jobs are longer by the time that they were due."""


class CronJobTemplate(Fields):
    """The Jobs that it makes."""

    metadata: ObjectMeta = ObjectMeta()
    spec: JobSpec = JobSpec()


class CronJobSpec(Fields):
    schedule: str = ""
    time_zone: str | None = None
    starting_deadline_seconds: int | None = None
    concurrency_policy: str = ""
    suspend: bool | None = None
    job_template: CronJobTemplate = CronJobTemplate()
    successful_jobs_history_limit: int | None = None
    failed_jobs_history_limit: int | None = None


class CronJobStatus(Fields):
    active: tuple[ObjectReference, ...] = ()
    last_schedule_time: str | None = None
    last_successful_time: str | None = None


class CronJob(Object):
    """A Job whenever a schedule says so."""

    spec: CronJobSpec = CronJobSpec()
    status: CronJobStatus = CronJobStatus()


def defaulted(obj: CronJob, old: CronJob | None, config: Config) -> CronJob:
    """*obj* with Kubernetes' defaults."""
    spec = obj.spec
    succeeded, failed = spec.successful_jobs_history_limit, spec.failed_jobs_history_limit
    tried = jobs.defaulted(Job(spec=spec.job_template.spec), None, config)
    spec = msgspec.structs.replace(
        spec,
        concurrency_policy=spec.concurrency_policy or ALLOW,
        suspend=bool(spec.suspend),
        job_template=msgspec.structs.replace(spec.job_template, spec=tried.spec),
        successful_jobs_history_limit=3 if succeeded is None else succeeded,
        failed_jobs_history_limit=1 if failed is None else failed,
    )
    return msgspec.structs.replace(obj, spec=spec)


def validated(obj: CronJob, old: CronJob | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    spec = obj.spec
    errors: list[FieldError] = [*name_errors(obj, label_1123_problems)]
    if len(obj.metadata.name) > LONGEST_NAME:
        text = f"must be no more than {LONGEST_NAME} characters"
        errors.append(invalid(obj.metadata.name, "metadata.name", text))
    errors.extend(under("spec", _schedule_errors(spec)))
    if spec.concurrency_policy not in {ALLOW, FORBID, REPLACE}:
        known = ", ".join(f'"{each}"' for each in (ALLOW, FORBID, REPLACE))
        text = f'Unsupported value: "{spec.concurrency_policy}": supported values: {known}'
        errors.append(generic(text, "spec.concurrencyPolicy"))
    for name, number in (
        ("startingDeadlineSeconds", spec.starting_deadline_seconds),
        ("successfulJobsHistoryLimit", spec.successful_jobs_history_limit),
        ("failedJobsHistoryLimit", spec.failed_jobs_history_limit),
    ):
        if (number or 0) < 0:
            errors.append(invalid(number, f"spec.{name}", "must be greater than or equal to 0"))
    errors.extend(under("spec.jobTemplate.spec", jobs.spec_errors(spec.job_template.spec)))
    return tuple(errors)


def _schedule_errors(spec: CronJobSpec) -> Errors:
    if not spec.schedule:
        return (missing("schedule"),)
    if "TZ" in spec.schedule:
        text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        return (invalid(spec.schedule, "schedule", text),)
    if not spec.schedule.startswith("@") and len(words := spec.schedule.split()) != 5:
        text = f"expected exactly 5 fields, found {len(words)}: [{' '.join(words)}]"
        return (invalid(spec.schedule, "schedule", text),)
    try:
        schedule.parse(spec.schedule, spec.time_zone or "")
    except schedule.InvalidZone as exc:
        return (invalid(spec.time_zone, "timeZone", str(exc)),)
    except schedule.InvalidSchedule as exc:
        return (invalid(spec.schedule, "schedule", str(exc)),)
    return ()
