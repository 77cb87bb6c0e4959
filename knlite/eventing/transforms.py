"""EventTransforms as the data plane sees them.

Source: knative-extensions/eventing-integrations ``transform-jsonata``; Eventing reference §13.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.eventing.destinations import CLUSTER_DOMAIN
from knlite.kinds.eventing.eventtransform import EventTransform
from knlite.kinds.names import child_name
from knlite.reconcile import View


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformPlan:
    """One transform that takes events. *reply* is an expression for what *sink* answers."""

    expression: str
    sink: str | None = None
    reply: str | None = None
    discard: bool = False


Transforms = Mapping[tuple[str, str], TransformPlan]
"""By namespace and name."""


def transform_host(namespace: str, name: str) -> str:
    """The name under which the transform *name* is known inside the cluster."""
    return f"{child_name(name, '-jsonata')}.{namespace}.{CLUSTER_DOMAIN}"


def transforms(view: View) -> Transforms:
    """The transforms that have an address."""
    return {
        (each.metadata.namespace, each.metadata.name): _plan(each)
        for each in view.listed(EventTransform, "")
        if each.status.address is not None and each.spec.jsonata is not None
    }


def _plan(transform: EventTransform) -> TransformPlan:
    spec = transform.spec
    reply = spec.reply
    return TransformPlan(
        expression=spec.jsonata.expression if spec.jsonata is not None else "",
        sink=transform.status.sink_uri or None,
        reply=reply.jsonata.expression if reply is not None and reply.jsonata is not None else None,
        discard=bool(reply is not None and reply.discard),
    )
