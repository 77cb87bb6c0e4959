"""Eventing reference §13: defaults and validation of a JobSink."""

from knlite.kinds.config.bundle import Config
from knlite.kinds.core.job import JobSpec
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.fielderror import rendered
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container, EnvVar, PodSpec
from knlite.kinds.sinks.jobsink import JobSink, JobSinkSpec, JobTemplate, defaulted, validated

CONFIG = Config()


def sink(container: Container | None = None, policy: str = "Never") -> JobSink:
    job = None
    if container is not None:
        pod = PodSpec(containers=(container,), restart_policy=policy)
        job = JobTemplate(spec=JobSpec(template=PodTemplate(spec=pod)))
    meta = ObjectMeta(name="reader", namespace="shop")
    return JobSink(metadata=meta, spec=JobSinkSpec(job=job))


def complaints(obj: JobSink) -> str:
    return rendered(validated(defaulted(obj, None, CONFIG), None, CONFIG))


def test_a_job_is_required() -> None:
    assert complaints(sink()) == "expected exactly one, got neither: spec.job"


def test_programs_are_told_that_they_run_for_one_event() -> None:
    obj = defaulted(sink(Container(name="a", image="a")), None, CONFIG)
    assert obj.spec.job is not None
    env = obj.spec.job.spec.template.spec.containers[0].env
    assert env == (EnvVar(name="K_EXECUTION_MODE", value="batch"),)
    assert defaulted(obj, obj, CONFIG) == obj


def test_a_mode_that_its_author_wrote_stays() -> None:
    own = (EnvVar(name="K_EXECUTION_MODE", value="mine"),)
    obj = defaulted(sink(Container(name="a", image="a", env=own)), None, CONFIG)
    assert obj.spec.job is not None
    assert obj.spec.job.spec.template.spec.containers[0].env == own


def test_the_job_is_tried() -> None:
    assert complaints(sink(Container(name="a", image="a"))) == ""
    found = complaints(sink(Container(name="a"), policy="Always"))
    assert found.startswith('Job.batch "reader" is invalid: ')
    assert found.endswith(": spec.job")
    assert 'valid values: "OnFailure", "Never"' in found
