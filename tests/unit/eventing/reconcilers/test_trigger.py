"""Eventing reference §4: the status of a Trigger."""

import json
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from knlite.eventing.reconcilers.trigger import reconcile
from knlite.eventing.references import kind_of
from knlite.kinds.addressable import Addressable
from knlite.kinds.catalog import KINDS
from knlite.kinds.conditions import Condition, find
from knlite.kinds.eventing.broker import Broker, BrokerSpec, BrokerStatus
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.trigger import CONDITIONS, Trigger, TriggerSpec
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.kreference import KReference
from knlite.kinds.labels import DEPENDENCY
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.service import Service, ServiceStatus
from knlite.kinds.sources.sinkbinding import SinkBinding, SinkBindingStatus
from knlite.reconcile import Outcome, key_of
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)
TILL = Destination(
    ref=KReference(api_version="serving.knative.dev/v1", kind="Service", name="till")
)
TILL_URL = "http://till.shop.svc.cluster.local"
NO_TILL = 'failed to get object shop/till: services.serving.knative.dev "till" not found'
READY = Condition(type="Ready", status="True")
DEAD_LETTERS = DeliverySpec(dead_letter_sink=Destination(uri="http://graveyard.example"))


def trigger(annotations: dict[str, str] | None = None, **spec: object) -> Trigger:
    meta = ObjectMeta(name="t", namespace="shop", generation=3, annotations=annotations or {})
    standard = TriggerSpec(broker="default", subscriber=TILL)
    return Trigger(metadata=meta, spec=replace(standard, **spec))


def broker(
    ready: Condition | None = READY,
    observed: int = 1,
    delivery: DeliverySpec | None = None,
    sink_uri: str = "",
) -> Broker:
    return Broker(
        metadata=ObjectMeta(name="default", namespace="shop", generation=1),
        spec=BrokerSpec(delivery=delivery),
        status=BrokerStatus(
            observed_generation=observed,
            conditions=() if ready is None else (ready,),
            dead_letter_sink_uri=sink_uri,
        ),
    )


def till() -> Service:
    return Service(
        metadata=ObjectMeta(name="till", namespace="shop"),
        status=ServiceStatus(address=Addressable(url=TILL_URL)),
    )


def reconciled(view: FakeView, obj: Trigger) -> Trigger:
    key = key_of(obj)
    view.apply(reconcile(key, view, NOW))
    assert reconcile(key, view, LATER) == Outcome(), "it does not settle"
    found = view.get(Trigger, "shop", "t")
    assert found is not None
    return found


def condition(obj: Trigger, name: str) -> tuple[str, str, str]:
    found = find(obj.status.conditions, name)
    assert found is not None
    return found.status, found.reason, found.message


def test_a_trigger_becomes_ready_and_shows_where_its_events_go() -> None:
    obj = trigger()
    obj = reconciled(FakeView(obj, broker(), till()), obj)
    assert obj.status.subscriber_uri == TILL_URL
    assert obj.status.observed_generation == 3
    assert condition(obj, "Ready") == ("True", "", "")
    assert all(condition(obj, name)[0] == "True" for name in CONDITIONS.dependents)
    reason = "authentication-oidc feature disabled"
    assert condition(obj, "OIDCIdentityCreated") == ("True", reason, "")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(
            None,
            ("False", "BrokerDoesNotExist", 'Broker "default" does not exist'),
            id="missing",
        ),
        pytest.param(
            broker(ready=None),
            ("Unknown", "BrokerNotConfigured", "Broker has not yet been reconciled."),
            id="new",
        ),
        pytest.param(
            broker(ready=Condition(type="Ready", status="False", reason="Why", message="So")),
            ("False", "Why", "So"),
            id="not-ready",
        ),
        pytest.param(
            broker(ready=Condition(type="Ready", status="Unknown", reason="Why", message="So")),
            ("Unknown", "Why", "So"),
            id="unknown",
        ),
    ],
)
def test_without_a_ready_broker_it_says_so_and_stops(
    found: Broker | None, expected: tuple[str, str, str]
) -> None:
    obj = trigger()
    view = FakeView(obj, till()) if found is None else FakeView(obj, till(), found)
    obj = reconciled(view, obj)
    assert condition(obj, "BrokerReady") == expected
    assert condition(obj, "Ready") == expected
    assert condition(obj, "SubscriberResolved")[0] == "Unknown"
    reason = "authentication-oidc feature not yet supported for this Broker class"
    assert condition(obj, "OIDCIdentityCreated") == ("True", reason, "")


def test_a_broker_that_has_not_seen_its_new_generation_is_waited_for() -> None:
    obj = trigger()
    obj = reconciled(FakeView(obj, till(), broker(observed=0)), obj)
    assert condition(obj, "BrokerReady")[0] == "True"
    assert condition(obj, "Ready")[0] == "Unknown"


def test_it_waits_for_its_subscriber_and_recovers() -> None:
    obj = trigger()
    view = FakeView(obj, broker())
    waiting = reconciled(view, obj)
    expected = ("False", "Unable to get the Subscriber's URI", NO_TILL)
    assert condition(waiting, "SubscriberResolved") == expected
    assert condition(waiting, "Ready") == expected
    view.put(till())
    assert condition(reconciled(view, obj), "Ready")[0] == "True"
    view.remove(till())
    gone = reconciled(view, obj)
    assert condition(gone, "SubscriberResolved") == expected
    assert gone.status.subscriber_uri == ""


@pytest.mark.parametrize(
    ("own", "found", "uri", "expected"),
    [
        pytest.param(
            DEAD_LETTERS, broker(), "http://graveyard.example", ("True", "", ""), id="its-own"
        ),
        pytest.param(
            DeliverySpec(retry=1),
            broker(delivery=DEAD_LETTERS, sink_uri="http://of.the.broker"),
            "http://of.the.broker",
            ("True", "", ""),
            id="the-brokers",
        ),
        pytest.param(
            None,
            broker(delivery=DEAD_LETTERS),
            "",
            ("False", "Broker default didn't set status.deadLetterSinkURI", ""),
            id="the-brokers-unresolved",
        ),
        pytest.param(
            DeliverySpec(
                dead_letter_sink=Destination(
                    ref=KReference(api_version="v1", kind="Service", name="gone")
                )
            ),
            broker(),
            "",
            (
                "False",
                "Unable to get the dead letter sink's URI",
                'failed to get object shop/gone: services "gone" not found',
            ),
            id="unresolved",
        ),
        pytest.param(
            None,
            broker(),
            "",
            ("True", "DeadLetterSinkNotConfigured", "No dead letter sink is configured."),
            id="none",
        ),
    ],
)
def test_where_failed_events_go(
    own: DeliverySpec | None, found: Broker, uri: str, expected: tuple[str, str, str]
) -> None:
    obj = trigger(delivery=own)
    obj = reconciled(FakeView(obj, till(), found), obj)
    assert condition(obj, "DeadLetterSinkResolved") == expected
    assert obj.status.dead_letter_sink_uri == uri
    assert condition(obj, "Ready")[0] == expected[0]


NEEDS = '{"apiVersion": "sources.knative.dev/v1", "kind": "SinkBinding", "name": "source"}'


def source(ready: Condition | None, observed: int = 2) -> SinkBinding:
    return SinkBinding(
        metadata=ObjectMeta(name="source", namespace="shop", generation=2),
        status=SinkBindingStatus(
            observed_generation=observed, conditions=() if ready is None else (ready,)
        ),
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(
            None,
            (
                "False",
                "DependencyDoesNotExist",
                'Dependency does not exist: sinkbindings.sources.knative.dev "source" not found',
            ),
            id="missing",
        ),
        pytest.param(
            source(None, observed=1),
            (
                "Unknown",
                "GenerationNotEqual",
                'The dependency\'s metadata.generation, "2", is not equal to its'
                ' status.observedGeneration, "1".',
            ),
            id="stale",
        ),
        pytest.param(
            source(None),
            (
                "Unknown",
                "DependencyNotConfigured",
                "Dependency has not yet been reconciled.",
            ),
            id="new",
        ),
        pytest.param(
            source(Condition(type="Ready", status="False", reason="Why", message="So")),
            ("False", "Why", "So"),
            id="not-ready",
        ),
        pytest.param(
            source(Condition(type="Ready", status="True", reason="Fine")),
            ("True", "", ""),
            id="ready",
        ),
    ],
)
def test_what_it_depends_on_must_be_ready(
    found: SinkBinding | None, expected: tuple[str, str, str]
) -> None:
    obj = trigger({DEPENDENCY: NEEDS})
    objects = (obj, broker(), till()) if found is None else (obj, broker(), till(), found)
    obj = reconciled(FakeView(*objects), obj)
    assert condition(obj, "DependencyReady") == expected
    assert condition(obj, "Ready") == expected


CONDITIONED = [
    info
    for info in KINDS
    if kind_of(info.group, info.kind) is info.type
    and info.custom
    and isinstance(getattr(getattr(info.type(), "status", None), "conditions", None), tuple)
]


@pytest.mark.parametrize("info", CONDITIONED, ids=lambda info: info.kind)
def test_a_trigger_can_depend_on_every_kind_that_becomes_ready(info: KindInfo) -> None:
    needs = {"apiVersion": info.api_version, "kind": info.kind, "name": "needed"}
    obj = trigger({DEPENDENCY: json.dumps(needs)})
    empty = info.type()
    status = replace(
        empty.status,
        conditions=(Condition(type="Ready", status="False", reason="Why", message="So"),),
    )
    needed = replace(empty, metadata=ObjectMeta(name="needed", namespace="shop"), status=status)
    obj = reconciled(FakeView(obj, broker(), till(), needed), obj)
    assert condition(obj, "DependencyReady") == ("False", "Why", "So")


def test_a_broker_can_be_named_by_reference() -> None:
    ref = KReference(api_version="eventing.knative.dev/v1", kind="Broker", name="default")
    obj = trigger(broker="", broker_ref=ref)
    obj = reconciled(FakeView(obj, broker(), till()), obj)
    assert condition(obj, "Ready")[0] == "True"
