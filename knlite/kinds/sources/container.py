"""ContainerSource: a program that makes events, run beside the address that it sends them to.

Source: knative/eventing ``pkg/apis/sources/v1/container_*.go``; Eventing reference §11.
Not here: what becomes of it (``eventing/reconcilers/containersource.py``).
"""

import msgspec

from knlite.kinds.conditions import ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.eventing import destination
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import Errors, FieldError, missing, under
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors
from knlite.kinds.sources.source import CloudEventOverrides, SourceStatus, overrides_validated

SINK_BINDING_READY = "SinkBindingReady"
RECEIVE_ADAPTER_READY = "ReceiveAdapterReady"

CONDITIONS = ConditionSet((SINK_BINDING_READY, RECEIVE_ADAPTER_READY))


class ContainerSourceSpec(Fields):
    template: PodTemplate = PodTemplate()
    sink: Destination = Destination()
    ce_overrides: CloudEventOverrides | None = None


class ContainerSource(Object):
    """A program that makes events, and where it sends them."""

    spec: ContainerSourceSpec = ContainerSourceSpec()
    status: SourceStatus = SourceStatus()


def defaulted(obj: ContainerSource, old: ContainerSource | None, config: Config) -> ContainerSource:
    """*obj* with names for its containers; its sink's namespace is not filled in, as upstream."""
    template = obj.spec.template
    containers = tuple(
        each if each.name else msgspec.structs.replace(each, name=f"{obj.metadata.name}-{index}")
        for index, each in enumerate(template.spec.containers)
    )
    pod = msgspec.structs.replace(template.spec, containers=containers)
    spec = msgspec.structs.replace(obj.spec, template=msgspec.structs.replace(template, spec=pod))
    return msgspec.structs.replace(obj, spec=spec)


def validated(obj: ContainerSource, old: ContainerSource | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults. Everything may change.

    Paths of containers leave the template out, as upstream.
    """
    spec = obj.spec
    errors: list[FieldError] = list(name_errors(obj))
    errors.extend(under("spec.sink", destination.validated(spec.sink, config.eventing.enabled)))
    errors.extend(under("spec.ceOverrides", overrides_validated(spec.ce_overrides)))
    containers = spec.template.spec.containers
    if not containers:
        errors.append(missing("spec.containers"))
    errors.extend(
        missing(f"spec.containers[{index}].image")
        for index, each in enumerate(containers)
        if not each.image
    )
    return tuple(errors)
