"""Pods as their Deployment or Job makes them, and what their status says.

Source: Kubernetes ``pkg/controller/controller_utils.go``, ``pkg/api/v1/pod``.
Not here: how a Pod is run (``controlplane/kubelet.py``).
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from knlite.kinds.conditions import find
from knlite.kinds.core.pod import INSTANCE, Pod
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.ownership import owned_by

TEMPLATE_HASH = "pod-template-hash"
"""Label of the pods of a Deployment: which of its templates they are of."""
SUCCEEDED, FAILED = "Succeeded", "Failed"
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def template_hash(template: PodTemplate) -> str:
    """Ten letters that change when, and only when, *template* does."""
    written = msgspec.json.encode(template, order="deterministic")
    digest = hashlib.sha256(written).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:10])


def new_pod(
    owner: Object,
    template: PodTemplate,
    prefix: str,
    labels: Mapping[str, str],
    *finalizers: str,
) -> Pod:
    """A Pod of *template* that *owner* controls, whose name will begin with *prefix*.

    It is held until its instance is gone, and by *finalizers*.
    """
    meta = template.metadata
    return Pod(
        metadata=ObjectMeta(
            generate_name=prefix,
            namespace=owner.metadata.namespace,
            labels={**meta.labels, **labels},
            annotations=meta.annotations,
            finalizers=(INSTANCE, *finalizers),
            owner_references=owned_by(owner),
        ),
        spec=template.spec,
    )


def is_leaving(pod: Pod) -> bool:
    """Whether its deletion has been asked for."""
    return pod.metadata.deletion_timestamp is not None


def has_ended(pod: Pod) -> bool:
    """Whether its programs have run to their end."""
    return pod.status.phase in {SUCCEEDED, FAILED}


def ready_since(pod: Pod) -> datetime | None:
    """Since when all its containers are ready; None if they are not."""
    ready = find(pod.status.conditions)
    if ready is None or ready.status != "True":
        return None
    return moment(ready.last_transition_time) or moment(pod.metadata.creation_timestamp)


def restarts(pods: Iterable[Pod]) -> int:
    """How often containers of *pods* were started again."""
    return sum(each.restart_count for pod in pods for each in pod.status.container_statuses)


def ended_at(pod: Pod) -> datetime | None:
    """When the last of its programs ended."""
    terminated = (each.state.terminated for each in pod.status.container_statuses)
    ends = [moment(each.finished_at) for each in terminated if each is not None]
    return max((each for each in ends if each is not None), default=None)


def moment(text: str | None) -> datetime | None:
    """The time that an object's *text* names."""
    return datetime.fromisoformat(text) if text else None
