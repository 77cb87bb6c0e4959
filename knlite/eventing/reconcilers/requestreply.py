"""RequestReply: the hidden Trigger that brings replies back, the Broker, and the address.

Differs: there is no Secret with a key, and always one replica; see ``docs/adr/0029``.

Source: knative/eventing ``pkg/reconciler/requestreply/requestreply.go``; Eventing reference §13.
"""

from datetime import datetime

import msgspec

from knlite.eventing.correlation import key_of
from knlite.eventing.identities import audience_of
from knlite.eventing.requestreplies import reply_url, request_url
from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import ConditionEditor, is_true
from knlite.kinds.eventing.appliedpolicy import EVENT_POLICIES_READY
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.filters import SubscriptionsAPIFilter
from knlite.kinds.eventing.requestreply import (
    ADDRESSABLE,
    BROKER_ADDRESS,
    BROKER_READY,
    CONDITIONS,
    TRIGGERS_READY,
    RequestReply,
    RequestReplyStatus,
)
from knlite.kinds.eventing.trigger import Trigger, TriggerSpec
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.names import child_name
from knlite.kinds.ownership import controls, owned_by
from knlite.reconcile import Change, Create, Key, Outcome, Update, View, concluded

_NAME_LABEL = "eventing.knative.dev/RequestReply.name"
_NAMESPACE_LABEL = "eventing.knative.dev/RequestReply.namespace"
_REPLICAS_LABEL = "eventing.knative.dev/RequestReply.dataPlaneReplicas"


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The status of the RequestReply at *key*, and its Trigger."""
    obj = view.get(RequestReply, key.namespace, key.name)
    if obj is None or obj.metadata.deletion_timestamp is not None:
        return Outcome()
    conditions = CONDITIONS.edit(obj.status.conditions, now)
    changes, ready = _trigger(obj, conditions, view)
    status = msgspec.structs.replace(obj.status, desired_replicas=1, ready_replicas=int(ready))
    if _has_broker(obj, conditions, view):
        status = _addressed(obj, status, conditions, view)
    return concluded(obj, status, conditions, changes)


def _trigger(
    obj: RequestReply, conditions: ConditionEditor, view: View
) -> tuple[tuple[Change, ...], bool]:
    """What must change for the Trigger to be as it should, and whether it is ready."""
    wanted = _wanted_trigger(obj)
    found = view.get(Trigger, wanted.metadata.namespace, wanted.metadata.name)
    not_yet = ("TriggersNotReady", "not all triggers are ready yet")
    if found is None:
        conditions.unknown(TRIGGERS_READY, *not_yet)
        return (Create(wanted),), False
    if not controls(obj, found):
        name = wanted.metadata.name
        text = f'Encountered errors reconciling triggers: the trigger "{name}" belongs to others'
        conditions.unknown(TRIGGERS_READY, "TriggerReconcileError", text)
        return (), False
    if _differs(found.spec, wanted.spec):
        conditions.unknown(TRIGGERS_READY, *not_yet)
        spec = msgspec.structs.replace(
            found.spec,
            broker=wanted.spec.broker,
            filters=wanted.spec.filters,
            subscriber=wanted.spec.subscriber,
            delivery=wanted.spec.delivery,
        )
        return (Update(msgspec.structs.replace(found, spec=spec)),), False
    if not is_true(found.status.conditions):
        conditions.unknown(TRIGGERS_READY, *not_yet)
        return (), False
    conditions.true(TRIGGERS_READY)
    return (), True


def _differs(found: TriggerSpec, wanted: TriggerSpec) -> bool:
    """Whether something differs that we set; defaulting has set the rest."""
    return (found.broker, found.filters, found.subscriber, found.delivery) != (
        wanted.broker,
        wanted.filters,
        wanted.subscriber,
        wanted.delivery,
    )


def _wanted_trigger(obj: RequestReply) -> Trigger:
    namespace, name = obj.metadata.namespace, obj.metadata.name
    spec = obj.spec
    arguments = (
        f'{spec.reply_attribute.lower()}, "{name}", "{namespace}", "{key_of(obj.metadata.uid)}"'
    )
    cesql = f"KN_VERIFY_CORRELATION_ID({arguments}, 0, 1)"
    return Trigger(
        metadata=ObjectMeta(
            name=child_name(name, "0-1"),
            namespace=namespace,
            labels={_NAME_LABEL: name, _NAMESPACE_LABEL: namespace, _REPLICAS_LABEL: "1"},
            owner_references=owned_by(obj),
        ),
        spec=TriggerSpec(
            broker=spec.broker_ref.name,
            filters=(SubscriptionsAPIFilter(cesql=cesql),),
            subscriber=Destination(uri=reply_url(namespace, name)),
        ),
    )


def _has_broker(obj: RequestReply, conditions: ConditionEditor, view: View) -> bool:
    name = obj.spec.broker_ref.name
    broker = view.get(Broker, obj.metadata.namespace, name)
    if broker is None:
        text = f'could not get broker: broker.eventing.knative.dev "{name}" not found'
        conditions.unknown(BROKER_READY, "NotFound", text)
        return False
    current = broker.status.observed_generation == broker.metadata.generation
    if not (current and is_true(broker.status.conditions)):
        conditions.false(BROKER_READY, "NotReady", "broker is not ready")
        return False
    conditions.true(BROKER_READY)
    return True


def _addressed(
    obj: RequestReply, status: RequestReplyStatus, conditions: ConditionEditor, view: View
) -> RequestReplyStatus:
    namespace, name = obj.metadata.namespace, obj.metadata.name
    broker = view.get(Broker, namespace, obj.spec.broker_ref.name)
    url = broker.status.address.url if broker is not None and broker.status.address else ""
    conditions.true(ADDRESSABLE)
    text = "Event policies not implemented for RequestReply yet"
    conditions.true(EVENT_POLICIES_READY, "NotImplemented", text)
    return msgspec.structs.replace(
        status,
        address=Addressable(
            name="http", url=request_url(namespace, name), audience=audience_of(obj, view)
        ),
        annotations={**status.annotations, BROKER_ADDRESS: url},
    )
