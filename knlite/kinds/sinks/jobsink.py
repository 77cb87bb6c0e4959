"""JobSink: an address that runs a Job for each event sent to it.

Source: knative/eventing ``pkg/apis/sinks/v1alpha1/job_sink_*.go``; Eventing reference §13.
Not here: what runs (``workloads/jobsink.py``), who answers at the address
(``dataplane/jobsink.py``).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.core import job as jobs
from knlite.kinds.core.job import Job, JobSpec
from knlite.kinds.eventing.appliedpolicy import EVENT_POLICIES_READY, AppliedPolicy
from knlite.kinds.fielderror import Errors, FieldError, generic, merged, neither
from knlite.kinds.meta import Fields, Object, ObjectMeta
from knlite.kinds.objectname import name_errors
from knlite.kinds.podspec.fields import Container, EnvVar

HOST: Final = "job-sink.knative-eventing.svc.cluster.local"
"""Where all of them take events in."""
NAME_LABEL: Final = "sinks.knative.dev/job-sink-name"
"""Label of their Jobs."""
ADDRESSABLE = "Addressable"
CONDITIONS = ConditionSet((ADDRESSABLE, EVENT_POLICIES_READY))
EXECUTION_MODE: Final = "K_EXECUTION_MODE"
"""Variable that tells a program that it runs for one event rather than as a server."""


class JobTemplate(Fields):
    """The Job that is made for each event."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: JobSpec = JobSpec()
    status: Any = None


class JobSinkSpec(Fields):
    job: JobTemplate | None = None


class JobReference(Fields):
    """How the Jobs of a JobSink are found."""

    selector: str = ""


class JobSinkStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    address: Addressable | None = None
    addresses: tuple[Addressable, ...] = ()
    policies: tuple[AppliedPolicy, ...] = ()
    job: JobReference | None = None


class JobSink(Object):
    """An address that runs a Job for each event."""

    spec: JobSinkSpec = JobSinkSpec()
    status: JobSinkStatus = JobSinkStatus()


def defaulted(obj: JobSink, old: JobSink | None, config: Config) -> JobSink:
    """*obj* with the variable that says how its programs are run."""
    job = obj.spec.job
    if job is None:
        return obj
    pod = job.spec.template.spec
    pod = msgspec.structs.replace(
        pod,
        containers=tuple(map(_told_its_mode, pod.containers)),
        init_containers=tuple(map(_told_its_mode, pod.init_containers)),
    )
    template = msgspec.structs.replace(job.spec.template, spec=pod)
    job = msgspec.structs.replace(job, spec=msgspec.structs.replace(job.spec, template=template))
    return msgspec.structs.replace(obj, spec=JobSinkSpec(job=job))


def validated(obj: JobSink, old: JobSink | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults; its Job is tried as if it were made."""
    errors: list[FieldError] = list(name_errors(obj))
    if obj.spec.job is None:
        errors.append(neither("spec.job"))
        return tuple(errors)
    tried = jobs.defaulted(trial(obj), None, config)
    problems = [
        str(each).replace("\n", ": ") for each in merged(jobs.validated(tried, None, config))
    ]
    if problems:
        text = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        name = tried.metadata.name
        errors.append(generic(f'Job.batch "{name}" is invalid: {text}', "spec.job"))
    return tuple(errors)


def trial(obj: JobSink) -> Job:
    """The Job of *obj* under its own name, before anything of an event is in it."""
    job = obj.spec.job or JobTemplate()
    meta = obj.metadata
    return Job(
        metadata=ObjectMeta(
            # Names of Jobs are shorter than those of other objects, and this one is never stored.
            name=meta.name[:63].rstrip("-."),
            namespace=meta.namespace,
            labels=job.metadata.labels,
            annotations=job.metadata.annotations,
        ),
        spec=job.spec,
    )


def _told_its_mode(container: Container) -> Container:
    if any(each.name == EXECUTION_MODE for each in container.env):
        return container
    env = (*container.env, EnvVar(name=EXECUTION_MODE, value="batch"))
    return msgspec.structs.replace(container, env=env)
