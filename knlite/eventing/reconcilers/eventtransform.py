"""EventTransform: whether its expressions can be evaluated, where its results go, its address.

Differs: there are no ConfigMap, Deployment, Service and SinkBinding behind it. A transform that
cannot work has no address, so that what is sent to it waits until it can: upstream keeps an
address that it had, and the pods of the expression before.

Source: knative/eventing ``pkg/reconciler/eventtransform/eventtransform.go``,
``pkg/apis/eventing/v1alpha1/eventtransform_lifecycle.go``; Eventing reference §13.
"""

from datetime import datetime

import msgspec

from knlite.eventing.destinations import Resolved, resolve
from knlite.eventing.identities import audience_of, identified
from knlite.eventing.policies import applied_policies
from knlite.eventing.transforms import transform_host
from knlite.kinds import jsonata
from knlite.kinds.addressable import Addressable
from knlite.kinds.auth import AuthStatus
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.eventing.eventtransform import (
    ADDRESSABLE,
    CONDITIONS,
    JSONATA_DEPLOYMENT_READY,
    JSONATA_SINK_BINDING_READY,
    TRANSFORMATION_READY,
    EventTransform,
    EventTransformStatus,
    expressions,
)
from knlite.reconcile import Create, Key, Outcome, View, concluded


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The status of the EventTransform at *key*."""
    transform = view.get(EventTransform, key.namespace, key.name)
    if transform is None or transform.metadata.deletion_timestamp is not None:
        return Outcome()
    conditions = CONDITIONS.edit(transform.status.conditions, now)
    status, changes = _sent(transform, conditions, view)
    _evaluated(transform, conditions)
    address = None
    _summed_up(conditions)
    if conditions.is_true(TRANSFORMATION_READY):
        host = transform_host(transform.metadata.namespace, transform.metadata.name)
        audience = audience_of(transform, view)
        address = Addressable(name="http", url=f"http://{host}", audience=audience)
        conditions.true(ADDRESSABLE)
    else:
        conditions.false(ADDRESSABLE, "WaitingForServiceEndpoints", "URL is empty")
    status = msgspec.structs.replace(
        status,
        address=address,
        addresses=() if address is None else (address,),
        policies=applied_policies(transform, conditions, view),
    )
    return concluded(transform, status, conditions, changes)


def _sent(
    transform: EventTransform, conditions: ConditionEditor, view: View
) -> tuple[EventTransformStatus, tuple[Create, ...]]:
    """The status with the URL of the sink, in the words of a SinkBinding where there is none.

    With it comes the identity in which a transform sends to a sink that asks for one.
    """
    cleared = msgspec.structs.replace(
        transform.status, sink_uri="", sink_ca_certs=None, sink_audience=None, auth=None
    )
    sink = transform.spec.sink
    if sink is None:
        conditions.true(JSONATA_SINK_BINDING_READY)
        return cleared, ()
    resolved = resolve(sink, transform.metadata.namespace, view)
    if not isinstance(resolved, Resolved):
        text = f"Addressable could not be extracted from destination: {resolved.message}"
        conditions.false(JSONATA_SINK_BINDING_READY, "NoAddressable", text)
        return cleared, ()
    auth: AuthStatus | None = None
    accounts: tuple[Create, ...] = ()
    if resolved.audience is not None and view.config.eventing.features.authentication:
        auth, accounts = identified(transform, JSONATA_SINK_BINDING_READY, conditions, view)
    else:
        conditions.true(JSONATA_SINK_BINDING_READY)
    status = msgspec.structs.replace(
        cleared,
        auth=auth,
        sink_uri=resolved.url,
        sink_ca_certs=resolved.ca_certs,
        sink_audience=resolved.audience,
    )
    return status, accounts


def _evaluated(transform: EventTransform, conditions: ConditionEditor) -> None:
    """Whether both expressions can be evaluated."""
    for path, expression in expressions(transform.spec):
        why = jsonata.problem(expression)
        if why:
            conditions.false(JSONATA_DEPLOYMENT_READY, "ExpressionInvalid", f"{path}: {why}")
            return
    conditions.true(JSONATA_DEPLOYMENT_READY)


def _summed_up(conditions: ConditionEditor) -> None:
    """The first part that is not well is how the transformation is."""
    for name in (JSONATA_DEPLOYMENT_READY, JSONATA_SINK_BINDING_READY):
        part = conditions.get(name)
        if part is not None and part.status != "True":
            conditions.copy(TRANSFORMATION_READY, part)
            return
    conditions.true(TRANSFORMATION_READY)
