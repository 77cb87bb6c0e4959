"""The Job and the Secret that an event becomes at a JobSink, and what they are called.

Source: knative/eventing ``cmd/jobsink/main.go``; Eventing data plane reference §1.1.
"""

import hashlib
from base64 import b64encode

import msgspec

from knlite.kinds.core.job import Job
from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.names import child_name
from knlite.kinds.ownership import owned_by
from knlite.kinds.podspec.fields import Container, EnvVar, SecretVolume, Volume, VolumeMount
from knlite.kinds.sinks.jobsink import NAME_LABEL, JobSink, JobTemplate

ID_LABEL = "sinks.knative.dev/job-sink-id"
VOLUME = "jobsink-event"
FOLDER = "/etc/jobsink-event"
FILE = "event"
EVENT_PATH = "K_EVENT_PATH"


def event_hash(source: str, event_id: str) -> str:
    """What stands for an event in names and labels: the same event is the same Job."""
    return hashlib.md5(f"{source}{event_id}".encode(), usedforsecurity=False).hexdigest()


def job_name(sink: str, source: str, event_id: str) -> str:
    """What the Job of an event at *sink* is called."""
    return child_name(f"{sink}-", event_hash(source, event_id))


def job_of(sink: JobSink, source: str, event_id: str) -> Job:
    """The Job that runs for an event at *sink*, with the event's Secret in each container."""
    template = sink.spec.job or JobTemplate()
    name = job_name(sink.metadata.name, source, event_id)
    pod = template.spec.template.spec
    pod = msgspec.structs.replace(
        pod,
        containers=tuple(map(_with_event, pod.containers)),
        init_containers=tuple(map(_with_event, pod.init_containers)),
        volumes=(*pod.volumes, Volume(name=VOLUME, secret=SecretVolume(secret_name=name))),
    )
    pod_template = msgspec.structs.replace(template.spec.template, spec=pod)
    return Job(
        metadata=ObjectMeta(
            name=name,
            namespace=sink.metadata.namespace,
            labels={**template.metadata.labels, **_labels(sink, source, event_id)},
            annotations=template.metadata.annotations,
            owner_references=owned_by(sink),
        ),
        spec=msgspec.structs.replace(template.spec, template=pod_template),
    )


def secret_of(job: Job, event: bytes) -> Secret:
    """The Secret with *event*, as structured JSON, that goes with *job*."""
    meta = job.metadata
    own = {key: meta.labels[key] for key in (NAME_LABEL, ID_LABEL)}
    return Secret(
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            labels=own,
            owner_references=owned_by(job),
        ),
        immutable=True,
        data={FILE: b64encode(event).decode()},
    )


def _labels(sink: JobSink, source: str, event_id: str) -> dict[str, str]:
    return {NAME_LABEL: sink.metadata.name, ID_LABEL: event_hash(source, event_id)}


def _with_event(container: Container) -> Container:
    """*container* with the event mounted, unless it mounts a volume of that name itself."""
    own = next((each for each in container.volume_mounts if each.name == VOLUME), None)
    mounts = container.volume_mounts
    if own is None:
        own = VolumeMount(name=VOLUME, mount_path=FOLDER, read_only=True)
        mounts = (*mounts, own)
    env = (*container.env, EnvVar(name=EVENT_PATH, value=own.mount_path))
    return msgspec.structs.replace(container, volume_mounts=mounts, env=env)
