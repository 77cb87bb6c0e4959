"""Deployment: how many instances a revision shall have and has, as Kubernetes clients look at it.

Source: Kubernetes apps/v1 Deployment; knative/serving ``pkg/reconciler/revision/resources``.
Not here: how one is made of a revision (``serving/views/deployment.py``).
"""

from knlite.kinds.conditions import Conditions
from knlite.kinds.meta import Fields, Object, ObjectMeta
from knlite.kinds.podspec.fields import PodSpec, Port
from knlite.kinds.selectors import LabelSelector


class PodTemplate(Fields):
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()


class RollingUpdate(Fields):
    max_unavailable: Port | None = None
    """A number, or a percentage as text."""
    max_surge: Port | None = None


class Strategy(Fields):
    type: str = ""
    rolling_update: RollingUpdate | None = None


class DeploymentSpec(Fields):
    replicas: int | None = None
    selector: LabelSelector = LabelSelector()
    template: PodTemplate = PodTemplate()
    strategy: Strategy = Strategy()
    revision_history_limit: int | None = None
    progress_deadline_seconds: int | None = None


class DeploymentStatus(Fields):
    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    conditions: Conditions = ()


class Deployment(Object):
    """The instances of one revision, as a number."""

    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()


def ready_column(deployment: Deployment) -> str:
    """``1/2``: ready replicas of all."""
    return f"{deployment.status.ready_replicas}/{deployment.spec.replicas or 0}"


def containers_column(deployment: Deployment) -> str:
    """The names of its containers."""
    return ",".join(each.name for each in deployment.spec.template.spec.containers)


def images_column(deployment: Deployment) -> str:
    """The images of its containers."""
    return ",".join(each.image for each in deployment.spec.template.spec.containers)


def selector_column(deployment: Deployment) -> str:
    """Which Pods are its."""
    return ",".join(f"{k}={v}" for k, v in deployment.spec.selector.match_labels.items())
