"""Eventing reference §12: the one condition of an EventType."""

from datetime import UTC, datetime

import pytest

from knlite.eventing.reconcilers.eventtype import reconcile
from knlite.kinds.conditions import find
from knlite.kinds.core.k8sservice import KubernetesService
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.eventtype import EventType, EventTypeSpec
from knlite.kinds.kreference import KReference
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.serving.route import Route
from knlite.reconcile import Outcome, key_of
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVENTING, SERVING = "eventing.knative.dev/v1", "serving.knative.dev/v1"


def refers(api_version: str, kind: str) -> KReference:
    return KReference(api_version=api_version, kind=kind, name="x", namespace="shop")


META = ObjectMeta(name="x", namespace="shop")


@pytest.mark.parametrize(
    ("reference", "there", "status", "reason"),
    [
        pytest.param(None, None, "True", "ReferenceNotSet", id="none"),
        pytest.param(refers(EVENTING, "Broker"), Broker(metadata=META), "True", "", id="broker"),
        pytest.param(
            refers(EVENTING, "Broker"), None, "False", "ResourceDoesNotExist", id="no-broker"
        ),
        pytest.param(refers(SERVING, "Route"), Route(metadata=META), "True", "", id="route"),
        pytest.param(refers("v1", "Service"), Route(metadata=META), "True", "", id="placeholder"),
        pytest.param(
            refers("v1", "Service"), KubernetesService(metadata=META), "True", "", id="service"
        ),
        pytest.param(
            refers("example.com/v1", "Thing"), None, "False", "ResourceDoesNotExist", id="unknown"
        ),
    ],
)
def test_whether_its_reference_exists(
    reference: KReference | None, there: Object | None, status: str, reason: str
) -> None:
    obj = EventType(
        metadata=ObjectMeta(name="t", namespace="shop", generation=2),
        spec=EventTypeSpec(type="a", reference=reference),
    )
    view = FakeView(obj, *([there] if there else []))
    view.apply(reconcile(key_of(obj), view, NOW))
    assert reconcile(key_of(obj), view, NOW) == Outcome(), "it does not settle"
    found = view.get(EventType, "shop", "t")
    assert found is not None
    for name in ("ReferenceExists", "Ready"):
        condition = find(found.status.conditions, name)
        assert condition is not None
        assert condition.status == status
    condition = find(found.status.conditions, "ReferenceExists")
    assert condition is not None
    assert condition.reason == reason
