"""The filter of a Trigger of a Broker of class RabbitMQBroker stays as it is.

It is the binding of a queue, which may hold events already that went through it. Upstream refuses
the change as well where there is no such Broker.

Source: knative-extensions/eventing-rabbitmq ``pkg/apis/eventing/v1alpha1/trigger_validation.go``;
Eventing reference §17.
"""

from knlite.kinds.eventing.broker import Broker, class_of
from knlite.kinds.eventing.brokerclass import RABBITMQ_CLASS
from knlite.kinds.eventing.immutable import IMMUTABLE_CHANGED, differences
from knlite.kinds.eventing.trigger import Trigger, broker_of
from knlite.kinds.fielderror import Errors, generic
from knlite.kinds.meta import Object
from knlite.reconcile import View


def filter_kept(obj: Object, old: Object | None, view: View) -> Errors:
    """A validating webhook: what is wrong with the change from *old* to *obj*."""
    if not isinstance(obj, Trigger) or not isinstance(old, Trigger):
        return ()
    if obj.spec.filter == old.spec.filter:
        return ()
    broker = view.get(Broker, *broker_of(obj))
    if broker is None or class_of(broker) != RABBITMQ_CLASS:
        return ()
    difference = differences("{v1.TriggerFilter}", old.spec.filter, obj.spec.filter)
    return (generic(IMMUTABLE_CHANGED, "spec", "filter", details=difference),)
