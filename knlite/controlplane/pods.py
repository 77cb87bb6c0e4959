"""Instances as Pods, for reconcilers and for people who look.

A Pod is held by a finalizer until its instance is gone. So deleting one, whoever does it, asks for
the end of that instance, and the Pod is Terminating until its last request is over.

Source: Kubernetes core/v1 Pod; Knative reference §1.10, §1.11.
Differs: nothing schedules a Pod. It is a report, written a moment after the fact; what it says of
ports is where the instance is reached from this machine. On a cluster the kubelet's grace period
does what the finalizer does here.
Not here: what it says (``serving/podlife.py``).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime

import msgspec

from knlite.controlplane.reporting import Reporter
from knlite.errors import KnliteError
from knlite.kinds.conditions import since, timestamp
from knlite.kinds.core.node import Node
from knlite.kinds.core.pod import INSTANCE, Pod
from knlite.kinds.labels import REVISION
from knlite.kinds.meta import ObjectMeta, controller_of
from knlite.kinds.ownership import owned_by
from knlite.kinds.podspec.fields import Container, PodSpec
from knlite.kinds.serving.revision import Revision
from knlite.reconcile import Key
from knlite.registry.registry import CONTROLLER, Notification, Registry
from knlite.runtime.port import Exit
from knlite.serving.instance import Address, RevisionName
from knlite.serving.podlife import PodLife, new_life, termination
from knlite.serving.views.derived import instance_annotations, instance_labels

HOST = "127.0.0.1"

Deleted = Callable[[RevisionName, str], None]
"""Is told the revision and the name of an instance whose Pod somebody deletes."""


class PodWriter:
    """Writes the Pod of each instance of a revision, and the status of all Pods."""

    def __init__(
        self, registry: Registry, reporter: Reporter, wall: Callable[[], datetime]
    ) -> None:
        self._registry = registry
        self._reporter = reporter
        self._wall = wall
        self._lives: dict[tuple[RevisionName, str], PodLife] = {}
        self._written: set[Key] = set()

    @contextmanager
    def watching(self, deleted: Deleted) -> Iterator[None]:
        """Tell *deleted* of Pods that are to go, while the context lasts.

        Pods that an earlier run has left are removed first: their instances ended with it.
        """
        for pod in tuple(self._registry.view.listed(Pod, "")):
            if not is_of_revision(pod):
                continue
            self._remove(Key(Pod, pod.metadata.namespace, pod.metadata.name))

        def note(notification: Notification) -> None:
            pod = notification.obj
            if not isinstance(pod, Pod) or notification.change == "added":
                return
            if not is_of_revision(pod):
                return
            gone = notification.change == "deleted"
            if gone or pod.metadata.deletion_timestamp is not None:
                name = pod.metadata.labels.get(REVISION, "")
                deleted(RevisionName(pod.metadata.namespace, name), pod.metadata.name)

        with self._registry.listening(note):
            yield

    def starting(self, revision: RevisionName, name: str) -> None:
        """It is being started, for the first time or again."""
        self._change(revision, name, lambda life: life.starting())

    def started(self, revision: RevisionName, name: str, address: Address) -> None:
        """Its programs run."""
        now = self._now()
        self._change(revision, name, lambda life: life.started(address.host, now))

    def answering(self, revision: RevisionName, name: str, ready: frozenset[str]) -> None:
        """These of its containers are ready."""
        self._change(revision, name, lambda life: life.answering(ready))

    def frozen(self, revision: RevisionName, name: str) -> None:
        """It is kept in memory."""
        self._change(revision, name, lambda life: life.frozen())

    def stopped(self, revision: RevisionName, name: str) -> None:
        """It is kept on disk."""
        self._change(revision, name, lambda life: life.stopped())

    def ended(self, revision: RevisionName, name: str, exit_: Exit, message: str) -> None:
        """The program of one of its containers has ended; *message* is its last words."""
        now = self._now()

        def change(life: PodLife) -> PodLife:
            one = life.containers.get(exit_.container)
            running = one.state.running if one is not None else None
            began = running.started_at if running is not None else ""
            how = termination(exit_.code, oom=exit_.oom, message=message, began=began, now=now)
            return life.ended(exit_.container, how)

        self._change(revision, name, change)

    def failed(self, revision: RevisionName, name: str, reason: str, message: str) -> None:
        """It could not be started, or not become ready."""
        self._change(revision, name, lambda life: life.failed(reason, message))

    def backing_off(self, revision: RevisionName, name: str, seconds: float) -> None:
        """It will be started again in *seconds*."""
        pod = f"{name}_{revision.namespace}"
        self._change(revision, name, lambda life: life.backing_off(seconds, pod))

    def draining(self, revision: RevisionName, name: str) -> None:
        """It gets no new requests and will be stopped."""
        self._change(revision, name, lambda life: replace(life, draining=True))

    def over(self, revision: RevisionName, name: str, phase: str) -> None:
        """It has ended for good; the Pod stays, and nothing holds it any more."""
        self._change(revision, name, lambda life: replace(life, over=phase))
        self._lives.pop((revision, name), None)

    def gone(self, revision: RevisionName, name: str) -> None:
        """It is no more."""
        self._lives.pop((revision, name), None)
        key = Key(Pod, revision.namespace, name)
        self._reporter.report(key, lambda: self._remove(key))

    def _change(
        self, revision: RevisionName, name: str, change: Callable[[PodLife], PodLife]
    ) -> None:
        life = self._lives.get((revision, name))
        if life is None:
            life = new_life(self._containers(revision, name))
        changed = change(life)
        self._lives[revision, name] = changed
        key = Key(Pod, revision.namespace, name)
        self._reporter.report(key, lambda: self._write(revision, key, changed))

    def _containers(self, revision: RevisionName, name: str) -> tuple[Container, ...]:
        view = self._registry.view
        owner = view.get(Revision, *revision) if revision.name else None
        source = owner or view.get(Pod, revision.namespace, name)
        return source.spec.containers if source is not None else ()

    def _write(self, name: RevisionName, key: Key, life: PodLife) -> None:
        revision = self._registry.view.get(Revision, *name)
        # The namespace may be going away, which takes no new objects.
        with suppress(KnliteError):
            view = self._registry.view
            pod = view.get(Pod, key.namespace, key.name)
            if pod is None:
                if revision is None or key in self._written:
                    return
                node = next((each.metadata.name for each in view.listed(Node, "")), "")
                pod = self._registry.create(_pod(revision, key.name, node), user=CONTROLLER)
                self._written.add(key)
            images = {} if revision is None else _images(revision)
            now = self._now()
            status = life.status(pod.spec.containers, images)
            status = msgspec.structs.replace(
                status,
                conditions=since(status.conditions, pod.status.conditions, now),
                host_ip=HOST,
                start_time=pod.status.start_time or now,
            )
            self._registry.update_status(msgspec.structs.replace(pod, status=status))
            if life.draining and pod.metadata.deletion_timestamp is None:
                self._registry.delete(key)
            if life.over:
                self._let_go(key)

    def _remove(self, key: Key) -> None:
        self._written.discard(key)
        pod = self._registry.view.get(Pod, key.namespace, key.name)
        if pod is None:
            return
        with suppress(KnliteError):
            if pod.metadata.deletion_timestamp is None:
                self._registry.delete(key)
            self._let_go(key)

    def _let_go(self, key: Key) -> None:
        """Hold the Pod no more; others may."""
        pod = self._registry.view.get(Pod, key.namespace, key.name)
        if pod is None or INSTANCE not in pod.metadata.finalizers:
            return
        rest = tuple(each for each in pod.metadata.finalizers if each != INSTANCE)
        metadata = msgspec.structs.replace(pod.metadata, finalizers=rest)
        self._registry.update(msgspec.structs.replace(pod, metadata=metadata), user=CONTROLLER)

    def _now(self) -> str:
        return timestamp(self._wall())


def is_of_revision(pod: Pod) -> bool:
    """Whether *pod* is an instance of a revision, made here, and not by its owner."""
    owner = controller_of(pod)
    return owner is not None and owner.kind == "Revision"


def _images(revision: Revision) -> dict[str, str]:
    return {each.name: each.image_digest for each in revision.status.container_statuses}


def _pod(revision: Revision, name: str, node: str) -> Pod:
    meta = revision.metadata
    return Pod(
        metadata=ObjectMeta(
            name=name,
            namespace=meta.namespace,
            labels=instance_labels(revision),
            annotations=instance_annotations(revision),
            finalizers=(INSTANCE,),
            owner_references=owned_by(revision),
        ),
        spec=PodSpec(
            containers=revision.spec.containers,
            init_containers=revision.spec.init_containers,
            volumes=revision.spec.volumes,
            node_name=node,
        ),
    )
