"""Revision and the template it is stamped from.

Source: Knative reference §1.3, §1.4, §1.8, §1.11.
"""

import msgspec

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.meta import Fields, Object, ObjectMeta
from knlite.kinds.podspec.fields import PodSpec

RESOURCES_AVAILABLE = "ResourcesAvailable"
CONTAINER_HEALTHY = "ContainerHealthy"
ACTIVE = "Active"

CONDITIONS = ConditionSet((RESOURCES_AVAILABLE, CONTAINER_HEALTHY))
"""``Active`` is informational: a revision at zero stays Ready."""


class RevisionSpec(PodSpec):
    """A pod and how requests reach it. Timeouts are in seconds; None means not set."""

    container_concurrency: int | None = None
    timeout_seconds: int | None = None
    response_start_timeout_seconds: int | None = None
    idle_timeout_seconds: int | None = None


class RevisionTemplate(Fields):
    """What the next revision will look like. A name is only given by those who bring their own."""

    metadata: ObjectMeta = ObjectMeta()
    spec: RevisionSpec = RevisionSpec()


class ContainerStatus(Fields):
    """The image a container really runs; the digest is fixed at creation."""

    name: str = ""
    image_digest: str = ""


class RevisionStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    log_url: str = ""
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    actual_replicas: int | None = None
    desired_replicas: int | None = None


class Revision(Object):
    """An immutable snapshot of code and configuration."""

    spec: RevisionSpec = RevisionSpec()
    status: RevisionStatus = msgspec.field(default_factory=RevisionStatus)
