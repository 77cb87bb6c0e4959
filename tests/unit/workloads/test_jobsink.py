"""What an event becomes at a JobSink (Eventing data plane reference §1.1)."""

from base64 import b64decode

from knlite.kinds.core.job import JobSpec
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container, PodSpec, VolumeMount
from knlite.kinds.sinks.jobsink import JobSink, JobSinkSpec, JobTemplate
from knlite.workloads.jobsink import job_name, job_of, secret_of


def sink(*containers: Container) -> JobSink:
    pod = PodSpec(containers=containers, init_containers=(Container(name="init"),))
    template = JobTemplate(
        metadata=ObjectMeta(labels={"mine": "yes"}),
        spec=JobSpec(template=PodTemplate(spec=pod)),
    )
    meta = ObjectMeta(name="reader", namespace="shop", uid="u")
    return JobSink(metadata=meta, spec=JobSinkSpec(job=template))


def test_the_same_event_has_the_same_name_and_another_another() -> None:
    assert job_name("reader", "/s", "1") == job_name("reader", "/s", "1")
    names = {job_name("reader", "/s", "1"), job_name("reader", "/s", "2"), job_name("r", "/s", "1")}
    assert len(names) == 3
    assert all(len(job_name("r" * 253, "/s", str(number))) <= 63 for number in range(9))


def test_every_container_finds_the_event() -> None:
    job = job_of(sink(Container(name="a")), "/s", "1")
    pod = job.spec.template.spec
    for container in (*pod.containers, *pod.init_containers):
        (mount,) = container.volume_mounts
        assert (mount.name, mount.mount_path) == ("jobsink-event", "/etc/jobsink-event")
        assert mount.read_only
        assert {each.name: each.value for each in container.env} == {
            "K_EVENT_PATH": "/etc/jobsink-event"
        }
    (volume,) = pod.volumes
    assert volume.secret is not None
    assert volume.secret.secret_name == job.metadata.name
    assert job.metadata.labels["mine"] == "yes"
    assert job.metadata.owner_references[0].kind == "JobSink"


def test_a_mount_of_its_own_is_left_where_it_is() -> None:
    own = VolumeMount(name="jobsink-event", mount_path="/elsewhere")
    job = job_of(sink(Container(name="a", volume_mounts=(own,))), "/s", "1")
    container = job.spec.template.spec.containers[0]
    assert container.volume_mounts == (own,)
    assert container.env[-1].value == "/elsewhere"


def test_the_secret_holds_the_event_and_goes_with_its_job() -> None:
    job = job_of(sink(Container(name="a")), "/s", "1")
    secret = secret_of(job, b'{"id":"1"}')
    assert secret.immutable
    assert b64decode(secret.data["event"]) == b'{"id":"1"}'
    assert secret.metadata.name == job.metadata.name
    assert secret.metadata.owner_references[0].kind == "Job"
