"""ContainerSource: a Deployment of its program, and a SinkBinding that tells it where events go.

The SinkBinding comes first, so that the first pod of the Deployment knows its sink already. Whoever
edits either of them finds the edit undone.

Differs: a child's name that somebody else has taken, and a child that admission would refuse, are
told by the condition of that child; upstream only logs it.

Source: knative/eventing ``pkg/reconciler/containersource``; Eventing reference §11.
"""

from datetime import datetime

import msgspec

from knlite.eventing.binding import unbind
from knlite.kinds.catalog import info_of
from knlite.kinds.conditions import Condition, ConditionEditor, Conditions, find
from knlite.kinds.core import deployment as deployments
from knlite.kinds.core.deployment import Deployment, DeploymentSpec
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.fielderror import refusing, rendered
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.names import child_name
from knlite.kinds.ownership import controls, owned_by
from knlite.kinds.selectors import LabelSelector
from knlite.kinds.sources import sinkbinding as sinkbindings
from knlite.kinds.sources.container import (
    CONDITIONS,
    RECEIVE_ADAPTER_READY,
    SINK_BINDING_READY,
    ContainerSource,
)
from knlite.kinds.sources.sinkbinding import SinkBinding, SinkBindingSpec, Subject
from knlite.kinds.sources.source import SourceStatus
from knlite.reconcile import Change, Create, Key, Outcome, Update, UpdateStatus, View

SOURCE_LABEL = "sources.knative.dev/source"
NAME_LABEL = "sources.knative.dev/containerSource"
CONTROLLER = "container-source-controller"


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The children and the status of the ContainerSource at *key*."""
    source = view.get(ContainerSource, key.namespace, key.name)
    if source is None or source.metadata.deletion_timestamp is not None:
        return Outcome()
    conditions = CONDITIONS.edit(source.status.conditions, now)
    changes: list[Change] = []
    binding_wanted = _binding(source, view)
    binding = view.get(SinkBinding, key.namespace, binding_wanted.metadata.name)
    deployment_wanted = _deployment(source, view)
    deployment = view.get(Deployment, key.namespace, deployment_wanted.metadata.name)
    if _foreign(source, binding, SINK_BINDING_READY, "sinkbinding", conditions):
        binding = None
    elif _refused(binding_wanted, SINK_BINDING_READY, conditions, view):
        pass
    else:
        changes += _binding_changes(binding, binding_wanted)
        _copy(_ready(binding), SINK_BINDING_READY, conditions)
    if not (
        _foreign(source, deployment, RECEIVE_ADAPTER_READY, "deployment", conditions)
        or _refused(deployment_wanted, RECEIVE_ADAPTER_READY, conditions, view)
    ):
        changes += _deployment_changes(deployment, deployment_wanted)
        _copy(_available(deployment, deployment_wanted), RECEIVE_ADAPTER_READY, conditions)
    status = _status(source, binding, conditions.result())
    if status != source.status:
        changes.append(UpdateStatus(msgspec.structs.replace(source, status=status)))
    return Outcome(tuple(changes))


def _binding(source: ContainerSource, view: View) -> SinkBinding:
    meta = source.metadata
    wanted = SinkBinding(
        metadata=_meta(source, "-sinkbinding"),
        spec=SinkBindingSpec(
            subject=Subject(
                api_version="apps/v1",
                kind="Deployment",
                namespace=meta.namespace,
                name=child_name(meta.name, "-deployment"),
            ),
            sink=source.spec.sink,
            ce_overrides=source.spec.ce_overrides,
        ),
    )
    return sinkbindings.defaulted(wanted, None, view.config)


def _deployment(source: ContainerSource, view: View) -> Deployment:
    meta, template = source.metadata, source.spec.template
    labels = {SOURCE_LABEL: CONTROLLER, NAME_LABEL: meta.name}
    wanted = Deployment(
        metadata=_meta(source, "-deployment", labels),
        spec=DeploymentSpec(
            selector=LabelSelector(match_labels=labels),
            template=PodTemplate(
                metadata=ObjectMeta(
                    labels={**template.metadata.labels, **labels},
                    annotations=template.metadata.annotations,
                ),
                spec=template.spec,
            ),
        ),
    )
    return deployments.defaulted(wanted, None, view.config)


def _meta(source: ContainerSource, suffix: str, labels: dict[str, str] | None = None) -> ObjectMeta:
    meta = source.metadata
    return ObjectMeta(
        name=child_name(meta.name, suffix),
        namespace=meta.namespace,
        labels=labels or {},
        owner_references=owned_by(source),
    )


def _foreign(
    source: ContainerSource,
    child: Object | None,
    condition: str,
    word: str,
    conditions: ConditionEditor,
) -> bool:
    if child is None or controls(source, child):
        return False
    name, owner = child.metadata.name, source.metadata.name
    text = f'{word} "{name}" is not owned by ContainerSource "{owner}"'
    conditions.false(condition, "NotOwned", text)
    return True


def _refused(
    child: SinkBinding | Deployment, condition: str, conditions: ConditionEditor, view: View
) -> bool:
    """Whether admission would not take *child*, whose template nobody has looked at before."""
    info = info_of(type(child))
    errors = refusing(info.validated(child, None, view.config))
    if errors:
        text = f"{info.kind} {child.metadata.name} is not valid: {rendered(errors)}"
        conditions.false(condition, "Invalid", text)
    return bool(errors)


def _binding_changes(binding: SinkBinding | None, wanted: SinkBinding) -> list[Change]:
    if binding is None:
        return [Create(wanted)]
    if binding.spec == wanted.spec:
        return []
    return [Update(msgspec.structs.replace(binding, spec=wanted.spec))]


def _deployment_changes(deployment: Deployment | None, wanted: Deployment) -> list[Change]:
    if deployment is None:
        return [Create(wanted)]
    # What the binding has put there is no edit.
    if unbind(deployment).spec == unbind(wanted).spec:
        return []
    return [Update(msgspec.structs.replace(deployment, spec=wanted.spec))]


def _ready(binding: SinkBinding | None) -> Condition:
    found = None if binding is None else find(binding.status.conditions)
    return found or Condition(type=SINK_BINDING_READY, status="Unknown")


def _available(deployment: Deployment | None, wanted: Deployment) -> Condition:
    conditions: Conditions = () if deployment is None else deployment.status.conditions
    found = find(conditions, "Available")
    if found is not None:
        return found
    text = f"The Deployment '{wanted.metadata.name}' is unavailable."
    return Condition(
        type=RECEIVE_ADAPTER_READY,
        status="Unknown",
        reason="DeploymentUnavailable",
        message=text,
    )


def _copy(condition: Condition, name: str, conditions: ConditionEditor) -> None:
    match condition.status:
        case "True":
            conditions.true(name)
        case "False":
            conditions.false(name, condition.reason, condition.message)
        case "Unknown":
            conditions.unknown(name, condition.reason, condition.message)


def _status(
    source: ContainerSource, binding: SinkBinding | None, conditions: Conditions
) -> SourceStatus:
    """What the SinkBinding says of the sink, too."""
    status = msgspec.structs.replace(
        source.status, observed_generation=source.metadata.generation, conditions=conditions
    )
    if binding is None:
        return status
    its = binding.status
    return msgspec.structs.replace(
        status,
        annotations=its.annotations,
        sink_uri=its.sink_uri,
        sink_ca_certs=its.sink_ca_certs,
        sink_audience=its.sink_audience,
        ce_attributes=its.ce_attributes,
        auth=its.auth,
    )
