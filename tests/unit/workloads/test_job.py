"""Counting the ends of a Job's Pods (Kubernetes ``pkg/controller/job``)."""

from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from knlite.kinds.conditions import timestamp
from knlite.kinds.config.bundle import Config
from knlite.kinds.core.job import Job, JobSpec, defaulted, finished
from knlite.kinds.core.pod import (
    ContainerState,
    Pod,
    PodContainerStatus,
    PodStatus,
    TerminatedState,
)
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container, PodSpec
from knlite.reconcile import Create, Outcome, key_of
from knlite.workloads.pods import has_ended
from knlite.workloads.reconcilers.job import TRACKING, reconcile
from tests.unit.fake_view import FakeView

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class Run:
    """One Job, and Pods that end as a test says."""

    def __init__(self, **spec: object) -> None:
        pod = PodSpec(containers=(Container(name="a", image="a"),), restart_policy="Never")
        whole = replace(JobSpec(template=PodTemplate(spec=pod)), **spec)
        obj = Job(metadata=ObjectMeta(name="once", namespace="shop", uid="u"), spec=whole)
        self.view = FakeView(defaulted(obj, None, Config()))
        self.key = key_of(obj)
        self.now = BEGAN
        self._numbers = count()

    @property
    def job(self) -> Job:
        found = self.view.get(Job, "shop", "once")
        assert found is not None
        return found

    @property
    def active(self) -> list[Pod]:
        return [pod for pod in self.view.listed(Pod, "shop") if not has_ended(pod)]

    def settle(self) -> None:
        for _ in range(20):
            outcome = reconcile(self.key, self.view, self.now)
            if not outcome.changes:
                return
            changes = tuple(
                Create(self._named(change.obj)) if isinstance(change, Create) else change
                for change in outcome.changes
            )
            self.view.apply(Outcome(changes))
        raise AssertionError("it never settles")

    def end(self, pod: Pod, *, well: bool) -> None:
        how = TerminatedState(exit_code=int(not well), finished_at=timestamp(self.now))
        status = PodContainerStatus(
            name="a",
            ready=False,
            restart_count=0,
            image="a",
            image_id="",
            state=ContainerState(terminated=how),
        )
        phase = "Succeeded" if well else "Failed"
        self.view.put(replace(pod, status=PodStatus(phase=phase, container_statuses=(status,))))

    def _named(self, obj: object) -> Pod:
        assert isinstance(obj, Pod)
        name = f"{obj.metadata.generate_name}{next(self._numbers)}"
        return replace(obj, metadata=replace(obj.metadata, name=name, generate_name=""))


@given(
    ends=st.lists(st.booleans(), min_size=30, max_size=30),
    parallelism=st.integers(1, 4),
    completions=st.integers(1, 6),
    limit=st.integers(0, 4),
)
def test_it_ends_when_enough_have_succeeded_or_too_many_failed(
    ends: list[bool], parallelism: int, completions: int, limit: int
) -> None:
    run = Run(parallelism=parallelism, completions=completions, backoff_limit=limit)
    ended: list[bool] = []
    for well in ends:
        run.settle()
        status = run.job.status
        assert (status.succeeded, status.failed) == (sum(ended), len(ended) - sum(ended))
        if finished(run.job) is not None:
            break
        left = completions - sum(ended)
        assert len(run.active) == min(parallelism, left)
        assert status.active == len(run.active)
        run.end(run.active[0], well=well)
        ended.append(well)
        # Longer than any back-off.
        run.now += timedelta(seconds=400)
    how = finished(run.job)
    assert how is not None
    succeeded = sum(ended) >= completions
    assert how.type == ("Complete" if succeeded else "Failed")
    assert succeeded or len(ended) - sum(ended) == limit + 1
    assert run.active == []
    assert all(TRACKING not in pod.metadata.finalizers for pod in run.view.listed(Pod, "shop"))


def test_after_a_failure_it_waits_longer_each_time() -> None:
    run = Run(backoff_limit=10)
    waits = []
    for _ in range(7):
        run.settle()
        (pod,) = run.active
        run.end(pod, well=False)
        run.settle()
        assert run.active == []
        wait = reconcile(run.key, run.view, run.now).requeue_after
        assert wait is not None
        waits.append(wait)
        run.now += timedelta(seconds=wait)
    assert waits == [10, 20, 40, 80, 160, 320, 360]


def test_who_works_off_a_queue_is_not_replaced_once_one_has_succeeded() -> None:
    run = Run(parallelism=3)
    run.settle()
    assert run.job.spec.completions is None
    first, *others = run.active
    run.end(first, well=True)
    run.settle()
    assert len(run.active) == 2
    assert finished(run.job) is None
    for pod in others:
        run.end(pod, well=False)
    run.settle()
    how = finished(run.job)
    assert how is not None
    assert how.type == "Complete"


def test_pods_of_a_job_that_is_gone_are_not_held() -> None:
    run = Run()
    run.settle()
    run.view.remove(run.job)
    run.settle()
    (pod,) = run.view.listed(Pod, "shop")
    assert TRACKING not in pod.metadata.finalizers
