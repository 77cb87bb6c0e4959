"""Deployments and Jobs from the manifest to programs (Kubernetes apps/v1, batch/v1)."""

import json

import pytest
from msgspec.structs import replace

from knlite.controlplane.jobsinks import JobSinks
from knlite.controlplane.kubelet import AT_ONCE
from knlite.errors import AlreadyExists, Forbidden, InstanceFailed, InvalidInput, NotFound
from knlite.eventing.cloudevent import CloudEvent
from knlite.facts import ReconcileFailed
from knlite.kinds.conditions import Condition, find, is_true
from knlite.kinds.core.cronjob import CronJob
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.core.job import Job, finished
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.pod import Pod
from knlite.kinds.core.secret import Secret
from knlite.kinds.podspec.fields import EnvVar
from knlite.kinds.sinks.jobsink import JobSink
from knlite.kinds.sources.container import ContainerSource
from knlite.kinds.sources.sinkbinding import SinkBinding
from knlite.reconcile import Key
from knlite.runtime.fake import Script
from knlite.serving.volume import FileVolume
from tests.flows.cell import Cell, on_virtual_time, opened

WORKER = Key(Deployment, "default", "worker")
JOB = Key(Job, "default", "once")


def deployment(
    cell: Cell, image: str = "worker", namespace: str = "default", **spec: object
) -> None:
    labels = {"app": "worker"}
    pod = {"containers": [{"name": "main", "image": image}]}
    cell.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "worker", "namespace": namespace},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
                **spec,
            },
        }
    )


def job(cell: Cell, policy: str = "Never", namespace: str = "default", **spec: object) -> None:
    pod = {"restartPolicy": policy, "containers": [{"name": "main", "image": "task"}]}
    cell.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "once", "namespace": namespace},
            "spec": {"template": {"spec": pod}, **spec},
        }
    )


def pods(cell: Cell) -> list[Pod]:
    return list(cell.registry.view.listed(Pod, "default"))


def jobs(cell: Cell) -> list[Job]:
    return list(cell.registry.view.listed(Job, "default"))


def the_deployment(cell: Cell) -> Deployment:
    found = cell.registry.at(WORKER)
    assert isinstance(found, Deployment)
    return found


def condition(cell: Cell, name: str) -> tuple[str, str]:
    found = find(the_deployment(cell).status.conditions, name)
    assert found is not None
    return found.status, found.reason


def the_job(cell: Cell) -> Job:
    found = cell.registry.at(JOB)
    assert isinstance(found, Job)
    return found


def end_of(cell: Cell) -> Condition:
    found = finished(the_job(cell))
    assert found is not None
    return found


@on_virtual_time
async def test_a_deployment_runs_without_a_request_and_says_so() -> None:
    async with opened({"worker": Script()}) as cell:
        deployment(cell, replicas=2)
        await cell.advance(2)
        assert cell.running() == 2
        status = the_deployment(cell).status
        assert (status.replicas, status.ready_replicas, status.updated_replicas) == (2, 2, 2)
        assert condition(cell, "Available") == ("True", "MinimumReplicasAvailable")
        assert condition(cell, "Progressing") == ("True", "NewReplicaSetAvailable")
        assert {pod.metadata.labels["app"] for pod in pods(cell)} == {"worker"}
        assert cell.runtime.instances[0].launch.port == 0


@on_virtual_time
async def test_it_is_scaled_and_ends_with_its_deployment() -> None:
    async with opened({"worker": Script(stopping=0.1)}) as cell:
        deployment(cell)
        await cell.advance(2)
        deployment(cell, replicas=3)
        await cell.advance(2)
        assert cell.running() == 3
        deployment(cell, replicas=1)
        await cell.advance(5)
        assert (cell.running(), len(pods(cell))) == (1, 1)
        cell.registry.delete(WORKER)
        await cell.advance(5)
        assert (cell.running(), len(pods(cell))) == (0, 0)


@on_virtual_time
async def test_a_new_template_comes_up_before_the_old_one_goes() -> None:
    async with opened({"worker": Script(), "newer": Script()}) as cell:
        deployment(cell, replicas=2)
        await cell.advance(2)
        deployment(cell, image="newer", replicas=2)
        least = 2
        for _ in range(50):
            await cell.advance(0.1)
            least = min(least, the_deployment(cell).status.available_replicas)
        assert least == 2
        assert {pod.spec.containers[0].image for pod in pods(cell)} == {"newer"}
        assert cell.running() == 2


@on_virtual_time
async def test_a_rollout_that_cannot_start_keeps_the_old_one_and_exceeds_its_deadline() -> None:
    async with opened({"worker": Script(), "bad": Script(lives=0.1, code=3)}) as cell:
        deployment(cell, progressDeadlineSeconds=60)
        await cell.advance(2)
        unready = {"exec": {"command": ["false"]}}
        cell.unwell["Readiness", "main"] = "no"
        pod = {"containers": [{"name": "main", "image": "bad", "readinessProbe": unready}]}
        template = {"metadata": {"labels": {"app": "worker"}}, "spec": pod}
        deployment(cell, progressDeadlineSeconds=60, template=template)
        await cell.advance(70)
        assert condition(cell, "Progressing") == ("False", "ProgressDeadlineExceeded")
        assert condition(cell, "Available")[0] == "True"
        assert cell.running() == 1


@on_virtual_time
async def test_what_crashes_is_started_again_later_and_later() -> None:
    async with opened({"worker": Script(lives=1.0, code=1)}) as cell:
        deployment(cell)
        await cell.advance(60)
        # Starts at 0, 1, 12 and 33 seconds: at once, then after 10 and 20 more.
        assert len(cell.runtime.instances) == 4
        (pod,) = pods(cell)
        (status,) = pod.status.container_statuses
        assert status.restart_count == 3
        assert status.state.waiting is not None
        assert status.state.waiting.reason == "CrashLoopBackOff"


@on_virtual_time
async def test_a_pod_that_somebody_deletes_is_replaced() -> None:
    async with opened({"worker": Script()}) as cell:
        deployment(cell)
        await cell.advance(2)
        (before,) = pods(cell)
        cell.registry.delete(Key(Pod, "default", before.metadata.name))
        await cell.advance(5)
        (after,) = pods(cell)
        assert after.metadata.name != before.metadata.name
        assert cell.running() == 1


@on_virtual_time
async def test_deployments_of_revisions_are_nobodys_to_write() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(1)
        key = Key(Deployment, "default", "web-00001-deployment")
        computed = cell.registry.at(key)
        assert isinstance(computed, Deployment)
        with pytest.raises(Forbidden, match='it follows from Revision "web-00001"'):
            cell.registry.delete(key)
        with pytest.raises(Forbidden, match="cannot be changed"):
            cell.registry.update(computed, user="test")
        plain = replace(computed.metadata, resource_version="", owner_references=())
        with pytest.raises(AlreadyExists):
            cell.registry.create(replace(computed, metadata=plain), user="test")


@on_virtual_time
async def test_a_job_ends_with_its_program() -> None:
    async with opened({"task": Script(lives=2.0, code=0)}) as cell:
        job(cell)
        await cell.advance(1)
        assert the_job(cell).status.active == 1
        await cell.advance(5)
        assert (end_of(cell).type, end_of(cell).reason) == ("Complete", "CompletionsReached")
        status = the_job(cell).status
        assert (status.succeeded, status.active, status.failed) == (1, 0, 0)
        assert status.completion_time is not None
        (pod,) = pods(cell)
        assert (pod.status.phase, pod.metadata.finalizers) == ("Succeeded", ())
        cell.registry.delete(JOB)
        assert pods(cell) == []


@on_virtual_time
async def test_a_job_gives_up_at_its_backoff_limit() -> None:
    async with opened({"task": Script(lives=1.0, code=7)}) as cell:
        job(cell, backoffLimit=2)
        await cell.advance(120)
        assert end_of(cell).reason == "BackoffLimitExceeded"
        assert the_job(cell).status.failed == 3
        assert [pod.status.phase for pod in pods(cell)] == ["Failed"] * 3


@on_virtual_time
async def test_a_program_that_is_started_in_place_counts_towards_the_limit() -> None:
    async with opened({"task": Script(lives=1.0, code=7)}) as cell:
        job(cell, policy="OnFailure", backoffLimit=2)
        await cell.advance(120)
        assert end_of(cell).reason == "BackoffLimitExceeded"
        assert len(cell.runtime.instances) == 3
        assert cell.running() == 0


@on_virtual_time
async def test_a_job_runs_as_many_as_it_says_at_a_time() -> None:
    async with opened({"task": Script(lives=2.0, code=0)}) as cell:
        job(cell, parallelism=2, completions=5)
        await cell.advance(1)
        assert cell.running() == 2
        await cell.advance(20)
        assert the_job(cell).status.succeeded == 5
        assert len(cell.runtime.instances) == 5


@on_virtual_time
async def test_a_job_has_a_deadline_and_a_time_to_live() -> None:
    async with opened({"task": Script()}) as cell:
        job(cell, activeDeadlineSeconds=10, ttlSecondsAfterFinished=30)
        await cell.advance(15)
        assert end_of(cell).reason == "DeadlineExceeded"
        assert cell.running() == 0
        await cell.advance(40)
        assert cell.registry.at(JOB) is None
        assert pods(cell) == []


@on_virtual_time
async def test_a_job_whose_pod_is_deleted_runs_another_one() -> None:
    async with opened({"task": Script(lives=30.0, code=0)}) as cell:
        job(cell)
        await cell.advance(2)
        (pod,) = pods(cell)
        cell.registry.delete(Key(Pod, "default", pod.metadata.name))
        await cell.advance(60)
        assert end_of(cell).type == "Complete"
        assert the_job(cell).status.failed == 1


@on_virtual_time
async def test_a_suspended_job_waits() -> None:
    async with opened({"task": Script(lives=2.0, code=0)}) as cell:
        job(cell, suspend=True)
        await cell.advance(5)
        assert cell.running() == 0
        job(cell, suspend=False)
        await cell.advance(5)
        assert end_of(cell).type == "Complete"


@on_virtual_time
async def test_what_an_earlier_run_has_finished_stays_finished_and_the_rest_starts_again() -> None:
    async with opened({"task": Script(lives=2.0, code=0)}) as cell:
        job(cell)
        await cell.advance(5)
        left = [each for each in cell.kept.values() if not isinstance(each, Pod)]
    async with opened({"task": Script(lives=2.0, code=0)}, kept=left) as cell:
        await cell.advance(5)
        assert cell.runtime.instances == []
        assert end_of(cell).type == "Complete"
        cell.registry.delete(JOB)
        job(cell)
        await cell.advance(1)
        left = [each for each in cell.kept.values() if not isinstance(each, Pod)]
    async with opened({"task": Script(lives=2.0, code=0)}, kept=left) as cell:
        await cell.advance(5)
        assert end_of(cell).type == "Complete"
        assert the_job(cell).status.failed == 0


@on_virtual_time
async def test_the_template_of_a_job_cannot_be_changed() -> None:
    async with opened({"task": Script(lives=2.0, code=0)}) as cell:
        job(cell)
        found = the_job(cell)
        container = found.spec.template.spec.containers[0]
        changed = replace(container, env=(EnvVar(name="A", value="b"),))
        pod = replace(found.spec.template.spec, containers=(changed,))
        template = replace(found.spec.template, spec=pod)
        with pytest.raises(Exception, match="field is immutable"):
            cell.registry.update(
                replace(found, spec=replace(found.spec, template=template)), user="test"
            )


@on_virtual_time
async def test_what_waits_for_a_secret_starts_when_it_appears() -> None:
    async with opened({"worker": Script()}) as cell:
        source = {"secretKeyRef": {"name": "s", "key": "k"}}
        main = {"name": "main", "image": "worker", "env": [{"name": "A", "valueFrom": source}]}
        template = {"metadata": {"labels": {"app": "worker"}}, "spec": {"containers": [main]}}
        deployment(cell, template=template)
        await cell.advance(30)
        (pod,) = pods(cell)
        waiting = pod.status.container_statuses[0].state.waiting
        assert waiting is not None
        assert 'secret "s" not found' in waiting.message
        meta = {"name": "s", "namespace": "default"}
        cell.apply({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": {"k": "dg=="}})
        await cell.advance(1)
        assert cell.runtime.instances[-1].launch.serving.env["A"] == "v"


@on_virtual_time
async def test_an_image_that_cannot_be_had_is_no_failure_of_a_job() -> None:
    missing = InstanceFailed("ErrImagePull", "no such image")
    async with opened({"task": Script(prepare_fails=missing)}) as cell:
        job(cell, backoffLimit=0)
        await cell.advance(60)
        assert finished(the_job(cell)) is None
        (pod,) = pods(cell)
        waiting = pod.status.container_statuses[0].state.waiting
        assert waiting is not None
        assert waiting.reason == "ImagePullBackOff"


@on_virtual_time
async def test_a_program_that_cannot_be_started_is_one() -> None:
    missing = InstanceFailed("StartError", "no such program")
    async with opened({"task": Script(start_fails=missing)}) as cell:
        job(cell, backoffLimit=0)
        await cell.advance(5)
        assert end_of(cell).reason == "BackoffLimitExceeded"


@on_virtual_time
async def test_a_cron_job_runs_when_it_is_due_and_ends_with_all_that_is_its() -> None:
    async with opened({"task": Script(lives=2.0, code=0)}) as cell:
        pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "task"}]}
        cell.apply(
            {
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "metadata": {"name": "tick", "namespace": "default"},
                "spec": {
                    "schedule": "* * * * *",
                    "jobTemplate": {"spec": {"template": {"spec": pod}}},
                },
            }
        )
        await cell.advance(190)
        assert len(cell.runtime.instances) == 3
        assert {each.type for job in jobs(cell) if (each := finished(job))} == {"Complete"}
        cell.registry.delete(Key(CronJob, "default", "tick"))
        await cell.advance(1)
        assert (jobs(cell), pods(cell)) == ([], [])
        await cell.advance(190)
        assert len(cell.runtime.instances) == 3


@on_virtual_time
async def test_the_first_program_of_a_container_source_knows_its_sink() -> None:
    async with opened({"worker": Script()}) as cell:
        cell.apply(
            {
                "apiVersion": "sources.knative.dev/v1",
                "kind": "ContainerSource",
                "metadata": {"name": "heart", "namespace": "default"},
                "spec": {
                    "template": {"spec": {"containers": [{"image": "worker"}]}},
                    "sink": {"uri": "http://x.example"},
                },
            }
        )
        await cell.advance(5)
        (only,) = cell.runtime.instances
        assert only.launch.serving.env["K_SINK"] == "http://x.example"
        assert only.launch.service == "heart"
        source = cell.registry.at(Key(ContainerSource, "default", "heart"))
        assert isinstance(source, ContainerSource)
        assert is_true(source.status.conditions)
        cell.registry.delete(Key(ContainerSource, "default", "heart"))
        await cell.advance(5)
        assert cell.running() == 0
        assert cell.registry.view.listed(SinkBinding, "default") == []


@on_virtual_time
async def test_an_event_at_a_job_sink_is_a_job_with_the_event_in_its_reach() -> None:
    async with opened({"task": Script(lives=2.0, code=0)}) as cell:
        pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "task"}]}
        cell.apply(
            {
                "apiVersion": "sinks.knative.dev/v1alpha1",
                "kind": "JobSink",
                "metadata": {"name": "reader", "namespace": "default"},
                "spec": {"job": {"spec": {"template": {"spec": pod}}}},
            }
        )
        sinks = JobSinks(cell.registry)
        attributes = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
        assert sinks.standing("default", "reader", "/s", "1") is None
        for _ in range(2):
            sinks.start("default", "reader", CloudEvent(attributes))
        await cell.advance(1)
        assert sinks.standing("default", "reader", "/s", "1") == "Running"
        (only,) = cell.runtime.instances
        volume = only.launch.volumes["jobsink-event"]
        assert isinstance(volume, FileVolume)
        assert json.loads(volume.files["event"].content) == attributes
        await cell.advance(5)
        assert sinks.standing("default", "reader", "/s", "1") == "Complete"
        sinks.start("default", "reader", CloudEvent(attributes))
        await cell.advance(5)
        assert len(cell.runtime.instances) == 1
        cell.registry.delete(Key(JobSink, "default", "reader"))
        assert (jobs(cell), cell.registry.view.listed(Secret, "default")) == ([], [])
        with pytest.raises(NotFound):
            sinks.start("default", "reader", CloudEvent(attributes))


@on_virtual_time
async def test_a_namespace_takes_running_workloads_along() -> None:
    scripts = {"worker": Script(stopping=1.0), "task": Script(stopping=1.0)}
    async with opened(scripts) as cell:
        cell.apply(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": "away", "namespace": ""},
            }
        )
        for apply in (deployment, job):
            apply(cell, namespace="away")
        await cell.advance(2)
        assert cell.running() == 2
        cell.registry.delete(Key(Namespace, "", "away"))
        await cell.advance(10)
        assert cell.running() == 0
        assert cell.registry.at(Key(Namespace, "", "away")) is None
        assert not [fact for fact in cell.facts if isinstance(fact, ReconcileFailed)]


@on_virtual_time
async def test_an_edit_of_a_config_map_reaches_what_runs() -> None:
    def config_map(value: str) -> dict[str, object]:
        meta = {"name": "c", "namespace": "default"}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"k": value}}

    async with opened({"worker": Script()}) as cell:
        cell.apply(config_map("before"))
        mount = {"name": "v", "mountPath": "/v"}
        main = {"name": "main", "image": "worker", "volumeMounts": [mount]}
        pod = {"containers": [main], "volumes": [{"name": "v", "configMap": {"name": "c"}}]}
        deployment(cell, template={"metadata": {"labels": {"app": "worker"}}, "spec": pod})
        await cell.advance(2)
        cell.apply(config_map("after"))
        await cell.advance(1)
        (instance,) = cell.runtime.instances
        held = cell.runtime.volumes[instance.launch.instance]["v"]
        assert held.files["k"].content == b"after"


def by_itself(policy: str = "") -> dict[str, object]:
    """A Pod that nothing but its author wants."""
    containers = [{"name": "main", "image": "task"}]
    spec = {"containers": containers, **({"restartPolicy": policy} if policy else {})}
    metadata = {"name": "alone", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@on_virtual_time
async def test_a_pod_by_itself_runs_until_it_is_deleted() -> None:
    async with opened({"task": Script(stopping=0.1)}) as cell:
        cell.apply(by_itself())
        await cell.advance(2)
        assert cell.running() == 1
        (pod,) = pods(cell)
        assert (pod.status.phase, pod.spec.restart_policy) == ("Running", "Always")
        cell.registry.delete(Key(Pod, "default", "alone"))
        (leaving,) = pods(cell)
        assert leaving.metadata.deletion_timestamp is not None
        await cell.advance(5)
        assert (cell.running(), pods(cell)) == (0, [])


@on_virtual_time
async def test_a_pod_by_itself_may_end_and_cannot_be_edited() -> None:
    async with opened({"task": Script(lives=1.0, code=0)}) as cell:
        cell.apply(by_itself("Never"))
        await cell.advance(5)
        assert [pod.status.phase for pod in pods(cell)] == ["Succeeded"]
        with pytest.raises(InvalidInput, match="cannot be changed"):
            cell.apply(by_itself("Always"))
        cell.registry.delete(Key(Pod, "default", "alone"))
        assert pods(cell) == []


@on_virtual_time
async def test_of_programs_that_end_only_so_many_run_at_once() -> None:
    async with opened({"task": Script(lives=10.0, code=0)}) as cell:
        many = AT_ONCE + 5
        job(cell, parallelism=many, completions=many)
        await cell.advance(5)
        assert (cell.running(), len(pods(cell))) == (AT_ONCE, many)
        waiting = [pod for pod in pods(cell) if not is_true(pod.status.conditions)]
        assert {pod.status.phase for pod in waiting} == {"Pending"}
        await cell.advance(10)
        assert cell.running() == 5
        await cell.advance(10)
        assert end_of(cell).type == "Complete"


@on_virtual_time
async def test_what_waits_for_its_turn_can_be_deleted() -> None:
    async with opened({"task": Script(lives=10.0, code=0)}) as cell:
        job(cell, parallelism=AT_ONCE + 5, completions=AT_ONCE + 5)
        await cell.advance(5)
        cell.registry.delete(JOB)
        await cell.advance(15)
        assert (cell.running(), pods(cell)) == (0, [])
        # Every turn has been given back.
        job(cell, parallelism=AT_ONCE, completions=AT_ONCE)
        await cell.advance(5)
        assert cell.running() == AT_ONCE
