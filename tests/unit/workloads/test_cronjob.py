"""When a CronJob makes a Job (Kubernetes ``pkg/controller/cronjob``)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from knlite.kinds.conditions import Condition, timestamp
from knlite.kinds.config.bundle import Config
from knlite.kinds.core.cronjob import (
    CronJob,
    CronJobSpec,
    CronJobStatus,
    CronJobTemplate,
    defaulted,
    validated,
)
from knlite.kinds.core.job import Job, JobSpec, JobStatus
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.fielderror import rendered
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container, PodSpec
from knlite.reconcile import Outcome, key_of
from knlite.workloads.reconcilers.cronjob import reconcile
from tests.unit.fake_view import FakeView

CONFIG = Config()
MADE = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)


def cron(times: str = "*/10 * * * *", **spec: object) -> CronJob:
    pod = PodSpec(containers=(Container(name="a", image="a"),), restart_policy="Never")
    template = CronJobTemplate(
        metadata=ObjectMeta(labels={"mine": "yes"}), spec=JobSpec(template=PodTemplate(spec=pod))
    )
    meta = ObjectMeta(
        name="tick", namespace="shop", uid="u", creation_timestamp="2026-01-01T12:00:30Z"
    )
    whole = CronJobSpec(schedule=times, job_template=template)
    return CronJob(metadata=meta, spec=replace(whole, **spec))


def view_of(obj: CronJob) -> FakeView:
    return FakeView(defaulted(obj, None, CONFIG))


def after(view: FakeView, minutes: float) -> Outcome:
    outcome = reconcile(key_of(cron()), view, MADE + timedelta(minutes=minutes))
    view.apply(outcome)
    return outcome


def jobs(view: FakeView) -> list[str]:
    return [job.metadata.name.rpartition("-")[2] for job in view.listed(Job, "shop")]


def minute(text: str) -> str:
    return str(int(datetime.fromisoformat(f"2026-01-01T{text}:00Z").timestamp()) // 60)


def end(view: FakeView, how: str = "Complete") -> None:
    """End all Jobs."""
    for job in view.listed(Job, "shop"):
        condition = Condition(type=how, status="True", reason="R")
        start = (
            job.status.start_time
            or job.metadata.annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"]
        )
        status = JobStatus(conditions=(condition,), start_time=start, completion_time=start)
        view.put(replace(job, status=status))


def status(view: FakeView) -> CronJobStatus:
    found = view.get(CronJob, "shop", "tick")
    assert found is not None
    return found.status


def test_a_job_is_made_when_one_is_due_and_not_before() -> None:
    view = view_of(cron())
    assert after(view, 1).requeue_after == 8.5 * 60
    assert jobs(view) == []
    after(view, 9.5)
    after(view, 9.6)
    assert jobs(view) == [minute("12:10")]
    (job,) = view.listed(Job, "shop")
    assert job.metadata.labels == {"mine": "yes"}
    assert status(view).last_schedule_time == "2026-01-01T12:10:00Z"
    after(view, 9.7)
    assert [each.name for each in status(view).active] == [job.metadata.name]


def test_of_times_that_passed_unseen_only_the_last_counts() -> None:
    view = view_of(cron())
    after(view, 24 * 60)
    assert len(jobs(view)) == 1
    late = view_of(cron(starting_deadline_seconds=10))
    after(late, 24 * 60)
    assert jobs(late) == [], "12:00:00 is 30 s ago"


def test_what_still_runs_is_joined_waited_for_or_replaced() -> None:
    for policy, found in (
        ("Allow", [minute("12:10"), minute("12:20")]),
        ("Forbid", [minute("12:10")]),
        ("Replace", [minute("12:20")]),
    ):
        view = view_of(cron(concurrency_policy=policy))
        after(view, 9.5)
        after(view, 19.5)
        assert jobs(view) == found, policy


def test_what_was_held_back_runs_once_the_other_has_ended() -> None:
    view = view_of(cron(concurrency_policy="Forbid"))
    after(view, 9.5)
    after(view, 19.5)
    end(view)
    after(view, 21)
    assert jobs(view) == [minute("12:10"), minute("12:20")]
    assert status(view).last_successful_time == "2026-01-01T12:10:00Z"


def test_only_so_many_that_have_ended_are_kept() -> None:
    view = view_of(cron(successful_jobs_history_limit=1))
    for number in range(1, 4):
        after(view, number * 10 - 0.5)
        end(view)
    after(view, 35)
    assert jobs(view) == [minute("12:30")]
    failing = view_of(cron(failed_jobs_history_limit=0))
    after(failing, 9.5)
    end(failing, "Failed")
    after(failing, 10)
    assert jobs(failing) == []


def test_a_suspended_one_makes_none() -> None:
    view = view_of(cron(suspend=True))
    assert after(view, 100).requeue_after is None
    assert jobs(view) == []


def test_its_time_zone_counts() -> None:
    view = view_of(cron("0 21 * * *", time_zone="Asia/Tokyo"))
    outcome = after(view, 1)
    # 12:00 UTC has just been: the next is a day later.
    assert outcome.requeue_after == 24 * 3600 - 90


@given(minutes=st.integers(0, 60 * 24 * 40))
def test_whenever_it_looks_it_finds_the_last_time_that_was_due(minutes: int) -> None:
    view = view_of(cron("*/7 3,15 * * *"))
    now = MADE + timedelta(minutes=minutes)
    after(view, minutes)
    due = [
        each
        for back in range(60 * 12 + 60)
        if (each := now.replace(second=0) - timedelta(minutes=back)) > MADE
        and each.hour in {3, 15}
        and each.minute % 7 == 0
    ]
    assert status(view).last_schedule_time == (timestamp(due[0]) if due else None)


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        pytest.param(cron(), "", id="good"),
        pytest.param(cron("@hourly"), "", id="word"),
        pytest.param(cron(""), "missing field(s): spec.schedule", id="none"),
        pytest.param(cron("* * * *"), "expected exactly 5 fields, found 4", id="four"),
        pytest.param(cron("* * * * * *"), "expected exactly 5 fields, found 6", id="six"),
        pytest.param(cron("TZ=UTC * * * * *"), "use timeZone field instead", id="zone"),
        pytest.param(cron("61 * * * *"), "above maximum (59)", id="minute"),
        pytest.param(cron(time_zone="Nowhere"), "spec.timeZone", id="nowhere"),
        pytest.param(cron(concurrency_policy="Maybe"), "spec.concurrencyPolicy", id="policy"),
        pytest.param(
            cron(job_template=CronJobTemplate()),
            "spec.jobTemplate.spec.template.spec.restartPolicy",
            id="template",
        ),
    ],
)
def test_what_is_wrong_is_named(obj: CronJob, words: str) -> None:
    found = rendered(validated(defaulted(obj, None, CONFIG), None, CONFIG))
    assert words in found
    assert bool(found) == bool(words)
