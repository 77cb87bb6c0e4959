"""Deployment: a number of instances that no request wakes, and as such also those of a revision.

Source: Kubernetes apps/v1 Deployment (``pkg/apis/apps/v1/defaults.go``,
``pkg/apis/apps/validation``); knative/serving ``pkg/reconciler/revision/resources``.
Not here: how one is made of a revision (``serving/views/deployment.py``), or run
(``workloads/reconcilers/deployment.py``).
"""

import re

import msgspec

from knlite.kinds.conditions import Conditions
from knlite.kinds.config.bundle import Config
from knlite.kinds.core.podtemplate import (
    PodTemplate,
    template_defaulted,
    template_errors,
)
from knlite.kinds.fielderror import Errors, FieldError, invalid, missing, under
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors
from knlite.kinds.podspec.fields import Port
from knlite.kinds.selectors import LabelSelector, matches, problems

ROLLING, RECREATE = "RollingUpdate", "Recreate"
_PERCENT = re.compile(r"\d+%", re.ASCII)


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
    min_ready_seconds: int = 0
    revision_history_limit: int | None = None
    paused: bool = False
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
    """A number of instances of one template."""

    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()


def defaulted(obj: Deployment, old: Deployment | None, config: Config) -> Deployment:
    """*obj* with Kubernetes' defaults."""
    spec = obj.spec
    strategy = spec.strategy
    if not strategy.type:
        strategy = msgspec.structs.replace(strategy, type=ROLLING)
    if strategy.type == ROLLING:
        rolling = strategy.rolling_update or RollingUpdate()
        rolling = RollingUpdate(
            max_unavailable="25%" if rolling.max_unavailable is None else rolling.max_unavailable,
            max_surge="25%" if rolling.max_surge is None else rolling.max_surge,
        )
        strategy = msgspec.structs.replace(strategy, rolling_update=rolling)
    deadline, history = spec.progress_deadline_seconds, spec.revision_history_limit
    spec = msgspec.structs.replace(
        spec,
        replicas=1 if spec.replicas is None else spec.replicas,
        strategy=strategy,
        template=template_defaulted(spec.template, "Always"),
        progress_deadline_seconds=600 if deadline is None else deadline,
        revision_history_limit=10 if history is None else history,
    )
    return msgspec.structs.replace(obj, spec=spec)


def validated(obj: Deployment, old: Deployment | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    spec = obj.spec
    errors: list[FieldError] = [*name_errors(obj)]
    if spec.selector == LabelSelector():
        errors.append(missing("spec.selector"))
    elif found := problems(spec.selector):
        errors.append(invalid(", ".join(found), "spec.selector"))
    elif not matches(spec.selector, spec.template.metadata.labels):
        text = "`selector` does not match template `labels`"
        errors.append(invalid(dict(spec.template.metadata.labels), "spec.template.labels", text))
    if old is not None and old.spec.selector != spec.selector:
        errors.append(invalid("selector", "spec.selector", "field is immutable"))
    for name, number in (("replicas", spec.replicas), ("minReadySeconds", spec.min_ready_seconds)):
        if (number or 0) < 0:
            errors.append(invalid(number, f"spec.{name}", "must be greater than or equal to 0"))
    errors.extend(under("spec.strategy", _strategy_errors(spec.strategy)))
    errors.extend(under("spec.template", template_errors(spec.template, ("Always",))))
    return tuple(errors)


def _strategy_errors(strategy: Strategy) -> Errors:
    if strategy.type not in {ROLLING, RECREATE}:
        return (invalid(strategy.type, "type", f'supported values: "{RECREATE}", "{ROLLING}"'),)
    rolling = strategy.rolling_update
    if rolling is None:
        return ()
    if strategy.type == RECREATE:
        text = f"may not be specified when strategy `type` is '{RECREATE}'"
        return (invalid("rollingUpdate", "rollingUpdate", text),)
    errors = []
    for name, share in (
        ("maxUnavailable", rolling.max_unavailable),
        ("maxSurge", rolling.max_surge),
    ):
        good = share >= 0 if isinstance(share, int) else bool(_PERCENT.fullmatch(share or ""))
        if not good:
            errors.append(
                invalid(share, f"rollingUpdate.{name}", "must be a number or a percentage")
            )
    if not errors and _nothing(rolling.max_unavailable) and _nothing(rolling.max_surge):
        text = "may not be 0 when `maxSurge` is 0"
        errors.append(invalid(rolling.max_unavailable, "rollingUpdate.maxUnavailable", text))
    return tuple(errors)


def _nothing(share: Port | None) -> bool:
    return not int(str(share or 0).removesuffix("%"))


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
