"""Eventing delivery reference §16.3: the status of a Trigger of a Broker on RabbitMQ."""

import json
from datetime import UTC, datetime

from msgspec.structs import replace

from knlite.eventing.reconcilers.trigger import reconcile
from knlite.eventing.standings import Standing, with_standing
from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import Condition, find
from knlite.kinds.eventing.broker import Broker, BrokerSpec, BrokerStatus
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.trigger import Trigger, TriggerSpec
from knlite.kinds.kreference import KReference
from knlite.kinds.labels import BROKER_CLASS, DEPENDENCY
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.service import Service, ServiceStatus
from knlite.kinds.sources.pingsource import PingSource
from knlite.kinds.sources.source import SourceStatus
from knlite.reconcile import Outcome, key_of
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)
TILL = Destination(
    ref=KReference(api_version="serving.knative.dev/v1", kind="Service", name="till")
)
NO_TILL = 'failed to get object shop/till: services.serving.knative.dev "till" not found'
SINK = DeliverySpec(dead_letter_sink=Destination(uri="http://graveyard.example"))
BROKER = Broker(
    metadata=ObjectMeta(
        name="b", namespace="shop", annotations={BROKER_CLASS: "RabbitMQBroker"}, generation=1
    ),
    status=BrokerStatus(
        observed_generation=1, conditions=(Condition(type="Ready", status="True"),)
    ),
)
SERVICE = Service(
    metadata=ObjectMeta(name="till", namespace="shop"),
    status=ServiceStatus(address=Addressable(url="http://till.shop.svc.cluster.local")),
)
WAITING = {
    DEPENDENCY: json.dumps(
        {"kind": "PingSource", "name": "p", "apiVersion": "sources.knative.dev/v1"}
    )
}


def trigger(annotations: dict[str, str] | None = None, **spec: object) -> Trigger:
    meta = ObjectMeta(name="t", namespace="shop", generation=3, annotations=annotations or {})
    return Trigger(metadata=meta, spec=replace(TriggerSpec(broker="b", subscriber=TILL), **spec))


def reconciled(view: FakeView) -> Trigger:
    key = key_of(trigger())
    view.apply(reconcile(key, view, NOW))
    assert reconcile(key, view, LATER) == Outcome(), "it does not settle"
    found = view.get(Trigger, "shop", "t")
    assert found is not None
    return found


def told(view: FakeView, standing: Standing) -> Trigger:
    """After the engine has told *standing* of its queue."""
    view.put(with_standing(reconciled(view), "", standing, NOW))
    return reconciled(view)


def condition(obj: Trigger, name: str) -> tuple[str, str, str]:
    found = find(obj.status.conditions, name)
    assert found is not None
    return found.status, found.reason, found.message


def test_it_is_ready_when_its_queue_is_and_its_subscriber_is_found() -> None:
    view = FakeView(BROKER, SERVICE, trigger())
    obj = reconciled(view)
    assert condition(obj, "DependencyReady")[0] == "Unknown"
    assert condition(obj, "SubscriberResolved")[0] == "Unknown"
    obj = told(view, Standing(ready=True))
    assert condition(obj, "Ready") == ("True", "", "")
    assert obj.status.subscriber_uri == "http://till.shop.svc.cluster.local"
    assert condition(obj, "SubscriptionReady") == ("True", "", "")


def test_a_queue_that_cannot_be_made_is_said_in_the_servers_words() -> None:
    view = FakeView(BROKER, SERVICE, trigger())
    obj = told(view, Standing(ready=False, reason="QueueFailure", message="PRECONDITION_FAILED"))
    assert condition(obj, "Ready") == ("False", "QueueFailure", "PRECONDITION_FAILED")


def test_a_subscriber_that_is_missing_is_said_in_rabbitmqs_words() -> None:
    view = FakeView(BROKER, trigger())
    obj = told(view, Standing(ready=True))
    said = ("False", "Unable to get the Subscriber's Addressable", NO_TILL)
    assert condition(obj, "Ready") == said
    view.put(SERVICE)
    assert condition(reconciled(view), "Ready")[0] == "True"


def test_its_dead_letter_sink_is_its_own_or_none() -> None:
    """What fails for want of one is buried with the Broker, whose sink is not the Trigger's."""
    spec = BrokerSpec(delivery=SINK)
    status = replace(BROKER.status, dead_letter_sink_uri="http://graveyard.example")
    view = FakeView(replace(BROKER, spec=spec, status=status), SERVICE, trigger())
    obj = told(view, Standing(ready=True))
    assert obj.status.dead_letter_sink_uri == ""
    assert condition(obj, "DeadLetterSinkResolved")[1] == "DeadLetterSinkNotConfigured"
    view = FakeView(BROKER, SERVICE, trigger(delivery=SINK))
    obj = told(view, Standing(ready=True))
    assert obj.status.dead_letter_sink_uri == "http://graveyard.example"


def test_a_dead_letter_sink_that_is_missing_is_said() -> None:
    delivery = DeliverySpec(dead_letter_sink=TILL)
    view = FakeView(BROKER, trigger(delivery=delivery))
    obj = told(view, Standing(ready=True))
    # The spelling is upstream's.
    said = ("False", "Unable to get the DeadLetterSink Addressalbe", NO_TILL)
    assert condition(obj, "Ready") == said


def test_what_its_annotation_names_comes_before_its_queue() -> None:
    view = FakeView(BROKER, SERVICE, trigger(WAITING))
    obj = told(view, Standing(ready=True))
    assert condition(obj, "DependencyReady")[:2] == ("False", "DependencyDoesNotExist")
    assert obj.status.subscriber_uri == ""
    ready = (Condition(type="Ready", status="True"),)
    view.put(
        PingSource(
            metadata=ObjectMeta(name="p", namespace="shop", generation=1),
            status=SourceStatus(observed_generation=1, conditions=ready),
        )
    )
    assert condition(reconciled(view), "Ready") == ("True", "", "")
