"""CronJob: makes a Job when one is due, and removes those that nobody wants to look at any more.

Of several times that have passed unseen, as while no run was there, the last one alone counts.

Source: Kubernetes ``pkg/controller/cronjob`` (missed times, concurrency, history, names).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from knlite.kinds import schedule
from knlite.kinds.conditions import timestamp
from knlite.kinds.core.cronjob import FORBID, REPLACE, CronJob, CronJobStatus
from knlite.kinds.core.job import COMPLETE, Job, finished
from knlite.kinds.core.objectreference import ObjectReference
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.ownership import owned_by
from knlite.kinds.schedule import Schedule
from knlite.reconcile import Change, Create, Delete, Key, Outcome, UpdateStatus, View, key_of
from knlite.workloads.pods import moment

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
"""Annotation of a Job: when it was due."""
_WINDOWS = (
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=32),
    timedelta(days=366),
    timedelta(days=366 * 5),
)
"""How far back the last time that was due is looked for, one after another."""


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The Jobs and the status of the CronJob at *key*."""
    cron = view.get(CronJob, key.namespace, key.name)
    if cron is None or cron.metadata.deletion_timestamp is not None:
        return Outcome()
    spec, mine = cron.spec, view.owned(Job, cron)
    times = schedule.parse(spec.schedule, spec.time_zone or "")
    active = [each for each in mine if finished(each) is None]
    changes: list[Change] = [Delete(key_of(each)) for each in _forgotten(cron, mine)]
    last = moment(cron.status.last_schedule_time)
    due = None if spec.suspend else _last_due(times, _since(cron, now), now)
    if due is not None and not (spec.concurrency_policy == FORBID and active):
        if spec.concurrency_policy == REPLACE:
            changes.extend(Delete(key_of(each)) for each in active)
        job = _job(cron, due)
        if view.get(Job, key.namespace, job.metadata.name) is None:
            changes.append(Create(job))
        last = due
    status = _status(mine, active, last, cron.status)
    if status != cron.status:
        changes.append(UpdateStatus(msgspec.structs.replace(cron, status=status)))
    coming = None if spec.suspend else times.next_after(now)
    return Outcome(tuple(changes), None if coming is None else (coming - now).total_seconds())


def _since(cron: CronJob, now: datetime) -> datetime:
    """After which moment a time that was due still counts."""
    begun = moment(cron.status.last_schedule_time) or moment(cron.metadata.creation_timestamp)
    deadline = cron.spec.starting_deadline_seconds
    if deadline is None:
        return begun or now
    latest = now - timedelta(seconds=deadline)
    return latest if begun is None else max(begun, latest)


def _last_due(times: Schedule, since: datetime, now: datetime) -> datetime | None:
    """The last time that was due after *since* and until *now*."""
    for window in _WINDOWS:
        start = max(since, now - window)
        found = times.next_after(start)
        if found is not None and found <= now:
            break
        if start == since:
            return None
    else:
        return None
    while (later := times.next_after(found)) is not None and later <= now:
        found = later
    return found


def _job(cron: CronJob, due: datetime) -> Job:
    meta, template = cron.metadata, cron.spec.job_template
    minutes = int(due.timestamp()) // 60
    return Job(
        metadata=ObjectMeta(
            name=f"{meta.name}-{minutes}",
            namespace=meta.namespace,
            labels=template.metadata.labels,
            annotations={**template.metadata.annotations, SCHEDULED: timestamp(due)},
            owner_references=owned_by(cron),
        ),
        # Its selector names the Job, which the template could not know.
        spec=msgspec.structs.replace(template.spec, selector=None),
    )


def _forgotten(cron: CronJob, mine: Iterable[Job]) -> list[Job]:
    """The finished Jobs beyond those that are to be kept, the oldest first."""
    ends = [(each, how) for each in mine if (how := finished(each)) is not None]
    ends.sort(key=lambda each: (each[0].status.start_time or "", each[0].metadata.name))
    succeeded = [job for job, how in ends if how.type == COMPLETE]
    failed = [job for job, how in ends if how.type != COMPLETE]
    spec = cron.spec
    return [
        *succeeded[: max(0, len(succeeded) - (spec.successful_jobs_history_limit or 0))],
        *failed[: max(0, len(failed) - (spec.failed_jobs_history_limit or 0))],
    ]


def _status(
    mine: Sequence[Job], active: Sequence[Job], last: datetime | None, before: CronJobStatus
) -> CronJobStatus:
    ends = [before.last_successful_time, *(each.status.completion_time for each in mine)]
    return CronJobStatus(
        active=tuple(
            ObjectReference(
                api_version="batch/v1",
                kind="Job",
                namespace=each.metadata.namespace,
                name=each.metadata.name,
                uid=each.metadata.uid,
            )
            for each in active
        ),
        last_schedule_time=None if last is None else timestamp(last.astimezone(UTC)),
        last_successful_time=max((each for each in ends if each is not None), default=None),
    )
