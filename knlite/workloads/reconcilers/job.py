"""Job: Pods until enough of them have succeeded, or too many have failed.

Every Pod carries a finalizer until its end has been counted, so a Pod that somebody deletes counts
once, as on a cluster.

Source: Kubernetes ``pkg/controller/job`` (counting, back-off, conditions and their texts).
Differs: Pods do not outlive a run. What was running when a run ended is started again by the next,
without counting as a failure; what had finished stays finished.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from knlite.kinds.conditions import Condition, Conditions, since, timestamp
from knlite.kinds.core.job import (
    COMPLETE,
    CONTROLLER_UID,
    FAILED,
    JOB_NAME,
    ON_FAILURE,
    SUSPENDED,
    Job,
    JobStatus,
    finished,
)
from knlite.kinds.core.pod import Pod
from knlite.kinds.meta import controller_of
from knlite.reconcile import (
    Change,
    Create,
    Delete,
    Key,
    Outcome,
    Update,
    UpdateStatus,
    View,
    key_of,
)
from knlite.workloads.pods import (
    SUCCEEDED,
    ended_at,
    has_ended,
    is_leaving,
    moment,
    new_pod,
    ready_since,
    restarts,
)

TRACKING = "batch.kubernetes.io/job-tracking"
"""Finalizer of a Pod whose end has not been counted."""
FIRST_DELAY, MAX_DELAY = 10.0, 360.0
"""Seconds from a failure to the next Pod: after the first one, and at most."""


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The Pods and the status of the Job at *key*."""
    job = view.get(Job, key.namespace, key.name)
    if job is None:
        return Outcome(tuple(_uncounted(each) for each in _orphans(key, view)))
    pods = view.owned(Pod, job)
    if job.metadata.deletion_timestamp is not None:
        return Outcome(tuple(_uncounted(each) for each in pods if TRACKING in _held_by(each)))
    if finished(job) is not None:
        return _after_the_end(job, pods, now)
    count = _Count.of(job, pods)
    changes: list[Change] = []
    how = _end(job, count, now)
    again = None
    if how is not None or job.spec.suspend:
        doomed: Sequence[Pod] = count.active
    else:
        wanted, again = _wanted(job, count, pods, now)
        doomed = count.active[wanted:]
        labels = {JOB_NAME: key.name, CONTROLLER_UID: job.metadata.uid}
        pod = new_pod(job, job.spec.template, f"{key.name}-", labels, TRACKING)
        changes.extend(Create(pod) for _ in range(wanted - len(count.active)))
    status = _status(job, count, how, now)
    # Counted first, then released: both happen before anybody looks again.
    if status != job.status:
        changes.append(UpdateStatus(msgspec.structs.replace(job, status=status)))
    changes.extend(_uncounted(each) for each in count.ended)
    changes.extend(Delete(key_of(each)) for each in doomed)
    deadline = _deadline(job)
    times = [again, None if deadline is None else (deadline - now).total_seconds()]
    return Outcome(
        tuple(changes), min((each for each in times if each is not None and each > 0), default=None)
    )


@dataclass(frozen=True, slots=True)
class _Count:
    """The Pods of a Job, by what they mean to it."""

    active: tuple[Pod, ...]
    """The oldest first."""
    ended: tuple[Pod, ...]
    """Those that are counted now."""
    terminating: int
    succeeded: int
    failed: int

    @classmethod
    def of(cls, job: Job, pods: Sequence[Pod]) -> "_Count":
        active = [each for each in pods if not has_ended(each) and not is_leaving(each)]
        active.sort(key=lambda each: (each.metadata.creation_timestamp or "", each.metadata.name))
        ended = [
            each
            for each in pods
            if TRACKING in _held_by(each) and (has_ended(each) or is_leaving(each))
        ]
        succeeded = sum(each.status.phase == SUCCEEDED for each in ended)
        return cls(
            tuple(active),
            tuple(ended),
            sum(is_leaving(each) and not has_ended(each) for each in pods),
            job.status.succeeded + succeeded,
            job.status.failed + len(ended) - succeeded,
        )


def _end(job: Job, count: _Count, now: datetime) -> Condition | None:
    """How the Job has ended at *now*, if it has."""
    spec = job.spec
    limit, failed = spec.backoff_limit or 0, count.failed
    again = restarts(count.active) if spec.template.spec.restart_policy == ON_FAILURE else 0
    if failed > limit or (again and again >= max(limit, 1)):
        text = "Job has reached the specified backoff limit"
        return Condition(type=FAILED, status="True", reason="BackoffLimitExceeded", message=text)
    deadline = _deadline(job)
    if deadline is not None and deadline <= now:
        text = "Job was active longer than specified deadline"
        return Condition(type=FAILED, status="True", reason="DeadlineExceeded", message=text)
    enough = (
        count.succeeded >= spec.completions
        if spec.completions is not None
        else count.succeeded > 0 and not count.active
    )
    if enough and not job.spec.suspend:
        text = "Reached expected number of succeeded pods"
        return Condition(type=COMPLETE, status="True", reason="CompletionsReached", message=text)
    return None


def _wanted(
    job: Job, count: _Count, pods: Sequence[Pod], now: datetime
) -> tuple[int, float | None]:
    """How many Pods shall be active, and after how many seconds to look again."""
    spec, active = job.spec, len(count.active)
    wanted = spec.parallelism or 0
    if spec.completions is not None:
        wanted = min(wanted, spec.completions - count.succeeded)
    elif count.succeeded:
        # Whoever takes from a queue of work until it is empty is not replaced.
        wanted = min(wanted, active)
    if wanted <= active or not count.failed:
        return wanted, None
    failures = (ended_at(each) for each in pods if each.status.phase != SUCCEEDED)
    last = max((each for each in failures if each is not None), default=None)
    delay = min(FIRST_DELAY * 2.0 ** min(count.failed - 1, 10), MAX_DELAY)
    left = 0.0 if last is None else delay - (now - last).total_seconds()
    return (active, left) if left > 0 else (wanted, None)


def _after_the_end(job: Job, pods: Sequence[Pod], now: datetime) -> Outcome:
    """Nothing of it runs on; after its time to live it goes."""
    changes: list[Change] = [_uncounted(each) for each in pods if TRACKING in _held_by(each)]
    changes.extend(
        Delete(key_of(each)) for each in pods if not has_ended(each) and not is_leaving(each)
    )
    lives, how = job.spec.ttl_seconds_after_finished, finished(job)
    ended = moment(how.last_transition_time) if how is not None else None
    if lives is None or ended is None:
        return Outcome(tuple(changes))
    left = (ended + timedelta(seconds=lives) - now).total_seconds()
    if left > 0:
        return Outcome(tuple(changes), left)
    return Outcome((*changes, Delete(key_of(job))))


def _status(job: Job, count: _Count, how: Condition | None, now: datetime) -> JobStatus:
    suspended = bool(job.spec.suspend) and how is None
    start = job.status.start_time
    if suspended:
        start = None
    elif start is None:
        start = timestamp(now)
    conditions = () if how is None else (how,)
    was = any(each.type == SUSPENDED for each in job.status.conditions)
    if suspended or was:
        conditions = (_suspended(suspended), *conditions)
    active = () if how is not None or suspended else count.active
    return JobStatus(
        conditions=_carried(conditions, job.status.conditions, now),
        start_time=start,
        completion_time=timestamp(now) if how is not None and how.type == COMPLETE else None,
        active=len(active),
        ready=sum(ready_since(each) is not None for each in active),
        terminating=count.terminating,
        succeeded=count.succeeded,
        failed=count.failed,
    )


def _suspended(suspended: bool) -> Condition:
    if suspended:
        return Condition(
            type=SUSPENDED, status="True", reason="JobSuspended", message="Job suspended"
        )
    return Condition(type=SUSPENDED, status="False", reason="JobResumed", message="Job resumed")


def _carried(conditions: Conditions, before: Conditions, now: datetime) -> Conditions:
    return since(conditions, before, timestamp(now))


def _deadline(job: Job) -> datetime | None:
    seconds, start = job.spec.active_deadline_seconds, moment(job.status.start_time)
    if seconds is None or start is None:
        return None
    return start + timedelta(seconds=seconds)


def _orphans(key: Key, view: View) -> list[Pod]:
    """Pods of the Job that is gone, which nobody will count."""

    def is_orphan(pod: Pod) -> bool:
        owner = controller_of(pod)
        mine = owner is not None and (owner.kind, owner.name) == ("Job", key.name)
        return mine and TRACKING in _held_by(pod)

    return [each for each in view.listed(Pod, key.namespace) if is_orphan(each)]


def _held_by(pod: Pod) -> tuple[str, ...]:
    return pod.metadata.finalizers


def _uncounted(pod: Pod) -> Update:
    """*pod* without the finalizer that waits for its count."""
    rest = tuple(each for each in _held_by(pod) if each != TRACKING)
    metadata = msgspec.structs.replace(pod.metadata, finalizers=rest)
    return Update(msgspec.structs.replace(pod, metadata=metadata))
