"""Eventing reference §9: finalizer and status of a PingSource."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from knlite.eventing.reconcilers.pingsource import reconcile
from knlite.eventing.sources import ping_plans
from knlite.kinds.conditions import find
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventing import EventingConfig
from knlite.kinds.config.kreferencemapping import ReferenceMapping
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.kreference import KReference
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.sources.pingsource import FINALIZER, PingSource, PingSourceSpec
from knlite.reconcile import Outcome, key_of
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def source(**spec: str) -> PingSource:
    return PingSource(
        metadata=ObjectMeta(name="p", namespace="shop", uid="u", generation=3),
        spec=PingSourceSpec(
            schedule=spec.get("schedule", "* * * * *"),
            timezone=spec.get("timezone", ""),
            sink=Destination(uri="http://x.example/y"),
        ),
    )


def reconciled(view: FakeView) -> PingSource:
    key = key_of(source())
    view.apply(reconcile(key, view, NOW))
    assert reconcile(key, view, NOW) == Outcome(), "it does not settle"
    found = view.get(PingSource, "shop", "p")
    assert found is not None
    return found


def test_a_source_with_a_sink_is_ready_and_says_what_it_sends() -> None:
    view = FakeView(source())
    found = reconciled(view)
    assert found.metadata.finalizers == (FINALIZER,)
    status = found.status
    assert (status.sink_uri, status.observed_generation) == ("http://x.example/y", 3)
    assert [(each.type, each.source) for each in status.ce_attributes] == [
        ("dev.knative.sources.ping", "/apis/v1/namespaces/shop/pingsources/p")
    ]
    assert {each.type: (each.status, each.reason) for each in status.conditions} == {
        "Deployed": ("True", ""),
        "OIDCIdentityCreated": ("True", "authentication-oidc feature disabled"),
        "Ready": ("True", ""),
        "SinkProvided": ("True", ""),
    }
    (plan,) = ping_plans(view)
    assert (plan.outlet.sink, plan.outlet.uid) == ("http://x.example/y", "u")


def test_a_source_that_is_being_deleted_lets_go_and_sends_no_more() -> None:
    view = FakeView(source())
    found = reconciled(view)
    meta = replace(found.metadata, deletion_timestamp="2026-01-02T00:00:00Z")
    view.put(replace(found, metadata=meta))
    assert ping_plans(view) == ()
    view.apply(reconcile(key_of(found), view, NOW))
    assert view.get(PingSource, "shop", "p") is None


def test_a_time_zone_that_is_gone_stops_one_source_and_not_the_others() -> None:
    view = FakeView(source())
    found = reconciled(view)
    # As another machine has kept it.
    view.put(replace(found, spec=replace(found.spec, timezone="Mars/Base")))
    assert ping_plans(view) == ()
    condition = find(reconciled(view).status.conditions, "Deployed")
    assert condition is not None
    assert (condition.status, condition.reason) == ("False", "ScheduleInvalid")
    assert "Mars/Base" in condition.message


@pytest.mark.parametrize(
    ("flag", "sink"),
    [
        pytest.param("enabled", "http://pods.example.com/a", id="on"),
        pytest.param("disabled", "", id="off"),
    ],
)
def test_a_sink_may_have_its_address_by_a_template(flag: str, sink: str) -> None:
    config = Config(
        eventing=EventingConfig(flags={"kreference-mapping": flag}),
        mapping=ReferenceMapping({("v1", "Pod"): "http://pods.example.com/{{ .Name }}"}),
    )
    to_pod = Destination(ref=KReference(api_version="v1", kind="Pod", name="a"))
    found = source()
    view = FakeView(replace(found, spec=replace(found.spec, sink=to_pod)), config=config)
    assert reconciled(view).status.sink_uri == sink
