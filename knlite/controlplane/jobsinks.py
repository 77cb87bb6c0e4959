"""Makes the Job of each event that a JobSink gets; implements what ``dataplane/jobsink.py`` asks.

Source: knative/eventing ``cmd/jobsink/main.go``.
Not here: what Job and Secret look like (``workloads/jobsink.py``), running them (``kubelet.py``).
"""

from contextlib import suppress
from typing import Literal

from knlite.errors import AlreadyExists, NotFound
from knlite.eventing.authorization import Guard, guard_of
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.jsonformat import encode
from knlite.kinds.core.job import COMPLETE, Job, finished
from knlite.kinds.core.secret import Secret
from knlite.kinds.sinks.jobsink import JobSink
from knlite.registry.registry import CONTROLLER, Registry
from knlite.workloads.jobsink import job_name, job_of, secret_of


class JobSinks:
    """The JobSinks of *registry*."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def known(self, namespace: str, name: str) -> bool:
        """Whether there is a JobSink of that name."""
        return self._registry.view.get(JobSink, namespace, name) is not None

    def guard(self, namespace: str, name: str) -> Guard | None:
        """What a known JobSink asks of its senders."""
        sink = self._registry.view.get(JobSink, namespace, name)
        return None if sink is None else guard_of(sink, self._registry.view)

    def start(self, namespace: str, name: str, event: CloudEvent) -> None:
        """Have the Job of *event*, and the Secret that it reads the event from.

        An event that has been there before has both. Raises ``KnliteError``.
        """
        view = self._registry.view
        sink = view.get(JobSink, namespace, name)
        if sink is None:
            raise NotFound(f"there is no JobSink {namespace}/{name}")
        source, event_id = event.attributes["source"], event.attributes["id"]
        wanted = job_of(sink, source, event_id)
        job = view.get(Job, namespace, wanted.metadata.name)
        if job is None:
            job = self._registry.create(wanted, user=CONTROLLER)
        if view.get(Secret, namespace, wanted.metadata.name) is None and finished(job) is None:
            with suppress(AlreadyExists):
                self._registry.create(secret_of(job, encode(event)), user=CONTROLLER)

    def standing(
        self, namespace: str, name: str, source: str, event_id: str
    ) -> Literal["Complete", "Failed", "Running"] | None:
        """How the Job of an event stands; None if there is none."""
        job = self._registry.view.get(Job, namespace, job_name(name, source, event_id))
        if job is None:
            return None
        how = finished(job)
        if how is None:
            return "Running"
        return "Complete" if how.type == COMPLETE else "Failed"
