"""Eventing reference §13: a RequestReply's Trigger, and its status."""

from datetime import UTC, datetime

from msgspec.structs import replace

from knlite.eventing.reconcilers.requestreply import reconcile
from knlite.eventing.requestreplies import request_replies
from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import Condition, find
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.broker import Broker, BrokerStatus
from knlite.kinds.eventing.requestreply import RequestReply, RequestReplySpec, defaulted
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.eventing.trigger import validated as trigger_validated
from knlite.kinds.kreference import KReference
from knlite.kinds.meta import ObjectMeta
from knlite.reconcile import Outcome, key_of
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BROKER_REF = KReference(api_version="eventing.knative.dev/v1", kind="Broker", name="default")
URL = "http://broker-ingress.knative-eventing.svc.cluster.local/shop/default"
READY = (Condition(type="Ready", status="True"),)


def asking(**spec: object) -> RequestReply:
    meta = ObjectMeta(name="ask", namespace="shop", uid="uid-1", generation=4)
    obj = RequestReply(metadata=meta, spec=replace(RequestReplySpec(broker_ref=BROKER_REF), **spec))
    return defaulted(obj, None, Config())


def broker(ready: bool = True) -> Broker:
    status = BrokerStatus(conditions=READY if ready else (), address=Addressable(url=URL))
    return Broker(metadata=ObjectMeta(name="default", namespace="shop"), status=status)


def reconciled(view: FakeView, obj: RequestReply) -> RequestReply:
    view.put(obj)
    view.apply(reconcile(key_of(obj), view, NOW))
    view.apply(reconcile(key_of(obj), view, NOW))
    assert reconcile(key_of(obj), view, NOW) == Outcome(), "it does not settle"
    found = view.get(RequestReply, "shop", "ask")
    assert found is not None
    return found


def triggers_are_ready(view: FakeView) -> None:
    for trigger in view.listed(Trigger, ""):
        view.put(replace(trigger, status=replace(trigger.status, conditions=READY)))


def condition(obj: RequestReply, name: str) -> tuple[str, str, str]:
    found = find(obj.status.conditions, name)
    assert found is not None
    return found.status, found.reason, found.message


def test_replies_come_back_by_a_trigger_that_admission_accepts() -> None:
    view = FakeView(broker())
    reconciled(view, asking())
    (trigger,) = view.listed(Trigger, "shop")
    assert trigger.metadata.name == "ask0-1"
    assert trigger.metadata.labels["eventing.knative.dev/RequestReply.name"] == "ask"
    assert trigger.metadata.owner_references[0].uid == "uid-1"
    assert trigger.spec.broker == "default"
    uri = "http://request-reply.knative-eventing.svc.cluster.local/shop/ask/reply"
    assert trigger.spec.subscriber.uri == uri
    assert trigger.spec.filters[0].cesql.startswith('KN_VERIFY_CORRELATION_ID(replyid, "ask", ')
    assert trigger_validated(trigger, None, Config()) == ()


def test_it_is_ready_when_trigger_and_broker_are() -> None:
    view = FakeView(broker())
    obj = reconciled(view, asking())
    text = "not all triggers are ready yet"
    assert condition(obj, "Ready") == ("Unknown", "TriggersNotReady", text)
    assert (obj.status.desired_replicas, obj.status.ready_replicas) == (1, 0)
    triggers_are_ready(view)
    obj = reconciled(view, obj)
    assert condition(obj, "Ready") == ("True", "", "")
    assert condition(obj, "EventPoliciesReady")[:2] == ("True", "NotImplemented")
    assert obj.status.ready_replicas == 1
    assert obj.status.annotations == {"knative.dev/brokerAddress": URL}
    assert obj.status.address == Addressable(
        name="http", url="http://request-reply.knative-eventing.svc.cluster.local/shop/ask"
    )
    assert obj.status.observed_generation == 4


def test_a_broker_that_is_missing_is_named() -> None:
    obj = reconciled(FakeView(), asking())
    text = 'could not get broker: broker.eventing.knative.dev "default" not found'
    assert condition(obj, "BrokerReady") == ("Unknown", "NotFound", text)
    assert obj.status.address is None


def test_a_broker_that_is_not_ready_is_waited_for() -> None:
    obj = reconciled(FakeView(broker(ready=False)), asking())
    assert condition(obj, "BrokerReady") == ("False", "NotReady", "broker is not ready")


def test_another_attribute_or_broker_changes_the_trigger() -> None:
    view = FakeView(broker())
    reconciled(view, asking())
    reconciled(view, asking(reply_attribute="answers"))
    (trigger,) = view.listed(Trigger, "shop")
    assert trigger.spec.filters[0].cesql.startswith("KN_VERIFY_CORRELATION_ID(answers, ")


def test_a_trigger_of_somebody_else_is_left_alone() -> None:
    foreign = Trigger(metadata=ObjectMeta(name="ask0-1", namespace="shop"))
    view = FakeView(broker(), foreign)
    obj = reconciled(view, asking())
    assert condition(obj, "TriggersReady")[1] == "TriggerReconcileError"
    assert view.get(Trigger, "shop", "ask0-1") == foreign


def test_the_data_plane_gets_seconds_and_its_own_key() -> None:
    view = FakeView(broker())
    obj = reconciled(view, asking(timeout="PT1.5S"))
    plan = request_replies(view)["shop", "ask"]
    assert (plan.broker, plan.timeout, plan.uid) == ("default", 1.5, obj.metadata.uid)
    (trigger,) = view.listed(Trigger, "shop")
    assert plan.key in trigger.spec.filters[0].cesql
