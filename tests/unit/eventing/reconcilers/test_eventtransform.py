"""Eventing reference §13: the status of an EventTransform."""

from datetime import UTC, datetime

from msgspec.structs import replace

from knlite.eventing.reconcilers.eventtransform import reconcile
from knlite.eventing.transforms import TransformPlan, transforms
from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import find
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.eventtransform import (
    EventTransform,
    EventTransformSpec,
    JsonataTransformation,
    ReplySpec,
)
from knlite.kinds.kreference import KReference
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.service import Service, ServiceStatus
from knlite.reconcile import Outcome, key_of
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLAIN = JsonataTransformation(expression="data")
BAD = JsonataTransformation(expression="{")
SERVICE = KReference(api_version="serving.knative.dev/v1", kind="Service", name="sink")


def reconciled(spec: EventTransformSpec, view: FakeView | None = None) -> EventTransform:
    view = view or FakeView()
    meta = ObjectMeta(name="shout", namespace="shop", generation=2)
    old = view.get(EventTransform, "shop", "shout")
    obj = EventTransform(metadata=meta) if old is None else old
    obj = replace(obj, spec=spec)
    view.put(obj)
    view.apply(reconcile(key_of(obj), view, NOW))
    assert reconcile(key_of(obj), view, NOW) == Outcome(), "it does not settle"
    found = view.get(EventTransform, "shop", "shout")
    assert found is not None
    return found


def condition(obj: EventTransform, name: str) -> tuple[str, str, str]:
    found = find(obj.status.conditions, name)
    assert found is not None
    return found.status, found.reason, found.message


def test_a_transform_becomes_ready_and_has_its_own_host() -> None:
    view = FakeView()
    obj = reconciled(EventTransformSpec(jsonata=PLAIN), view)
    address = Addressable(name="http", url="http://shout-jsonata.shop.svc.cluster.local")
    assert obj.status.address == address
    assert obj.status.addresses == (address,)
    assert condition(obj, "Ready") == ("True", "", "")
    assert condition(obj, "EventPoliciesReady")[1] == "OIDCDisabled"
    assert transforms(view) == {"shout-jsonata.shop": TransformPlan(expression="data")}


def test_an_expression_that_is_none_is_named_with_the_parsers_words() -> None:
    view = FakeView()
    obj = reconciled(EventTransformSpec(jsonata=BAD), view)
    text = "spec.jsonata.expression: "
    status, reason, message = condition(obj, "Ready")
    assert (status, reason) == ("False", "ExpressionInvalid")
    assert message.startswith(text)
    assert condition(obj, "JsonataDeploymentReady") == (status, reason, message)
    assert transforms(view) == {}


def test_an_expression_that_is_spoiled_takes_the_address_away_until_it_is_mended() -> None:
    view = FakeView()
    reconciled(EventTransformSpec(jsonata=PLAIN), view)
    obj = reconciled(EventTransformSpec(jsonata=BAD), view)
    assert obj.status.address is None
    assert condition(obj, "Addressable") == ("False", "WaitingForServiceEndpoints", "URL is empty")
    obj = reconciled(EventTransformSpec(jsonata=PLAIN), view)
    assert condition(obj, "Ready") == ("True", "", "")


def test_a_bad_expression_for_the_reply_is_named_too() -> None:
    sink = Destination(uri="http://example.com")
    spec = EventTransformSpec(jsonata=PLAIN, sink=sink, reply=ReplySpec(jsonata=BAD))
    assert condition(reconciled(spec), "Ready")[2].startswith("spec.reply.jsonata.expression: ")


def test_results_go_to_the_sink() -> None:
    meta = ObjectMeta(name="sink", namespace="shop")
    url = "http://sink.shop.svc.cluster.local"
    service = Service(metadata=meta, status=ServiceStatus(address=Addressable(url=url)))
    view = FakeView(service)
    sink = Destination(ref=SERVICE)
    spec = EventTransformSpec(jsonata=PLAIN, sink=sink, reply=ReplySpec(discard=True))
    obj = reconciled(spec, view)
    assert obj.status.sink_uri == url
    plan = TransformPlan(expression="data", sink=url, discard=True)
    assert transforms(view) == {"shout-jsonata.shop": plan}


def test_a_sink_that_is_missing_is_named() -> None:
    obj = reconciled(EventTransformSpec(jsonata=PLAIN, sink=Destination(ref=SERVICE)))
    status, _, message = condition(obj, "Ready")
    assert status == "False"
    assert 'services.serving.knative.dev "sink" not found' in message
    assert condition(obj, "JsonataSinkBindingReady")[2] == message
    assert obj.status.address is None
