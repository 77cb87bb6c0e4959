"""Eventing delivery reference §16: the status of a Broker of class RabbitMQBroker."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from knlite.eventing.reconcilers.broker import reconcile
from knlite.eventing.standings import Standing, with_standing
from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import find
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.shipped import shipped
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.eventing.broker import Broker, BrokerSpec, defaulted
from knlite.kinds.eventing.brokerconditions import conditions_of
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.kreference import KReference
from knlite.kinds.labels import BROKER_CLASS
from knlite.kinds.meta import ObjectMeta
from knlite.reconcile import Outcome, key_of
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)
SHIPPED = shipped()["knative-eventing", "rabbitmq-broker-config"]
READY = Standing(ready=True)
LOST = Standing(ready=False, reason="ExchangeFailure", message="connection refused")
REFUSED = Standing(
    ready=False,
    reason="ExchangeCredentialsUnavailable",
    message="ACCESS_REFUSED - Login was refused",
)
SETTING_UP = Standing(ready=None, reason="Connecting", message="127.0.0.1:5672")
GRAVEYARD = KReference(api_version="serving.knative.dev/v1", kind="Service", name="graveyard")


def broker(**spec: object) -> Broker:
    meta = ObjectMeta(
        name="default", namespace="shop", generation=2, annotations={BROKER_CLASS: "RabbitMQBroker"}
    )
    return defaulted(Broker(metadata=meta, spec=replace(BrokerSpec(), **spec)), None, Config())


def reconciled(view: FakeView) -> Broker:
    obj = broker()
    view.apply(reconcile(key_of(obj), view, NOW))
    assert reconcile(key_of(obj), view, LATER) == Outcome(), "it does not settle"
    found = view.get(Broker, "shop", "default")
    assert found is not None
    return found


def told(view: FakeView, standing: Standing, part: str = "") -> Broker:
    """After the engine has told *standing*."""
    view.put(with_standing(reconciled(view), part, standing, NOW))
    return reconciled(view)


def condition(obj: Broker, name: str) -> tuple[str, str, str]:
    found = find(obj.status.conditions, name)
    assert found is not None
    return found.status, found.reason, found.message


def test_it_waits_for_the_exchange_and_senders_know_its_address_meanwhile() -> None:
    view = FakeView(broker(), SHIPPED)
    obj = reconciled(view)
    assert condition(obj, "Ready")[0] == "Unknown"
    assert condition(obj, "SecretReady")[0] == "True"
    assert condition(obj, "Addressable")[0] == "True"
    assert obj.status.address == Addressable(
        name="http", url="http://default-broker-ingress.shop.svc.cluster.local"
    )
    assert told(view, LOST).status.address == obj.status.address


def test_it_has_no_address_while_it_is_not_known_which_server_is_meant() -> None:
    assert reconciled(FakeView(broker())).status.address is None


def test_with_its_exchange_it_is_ready_at_an_address_of_its_own() -> None:
    obj = told(FakeView(broker(), SHIPPED), READY)
    assert condition(obj, "Ready") == ("True", "", "")
    assert obj.status.address == Addressable(
        name="http", url="http://default-broker-ingress.shop.svc.cluster.local"
    )
    dependents = conditions_of("RabbitMQBroker").dependents
    assert all(condition(obj, name)[0] == "True" for name in dependents)
    for name in ("DLXReady", "DeadLetterSinkReady"):
        assert condition(obj, name)[1:] == (
            "DeadLetterSinkNotConfigured",
            "No dead letter sink is configured.",
        )


def test_a_lost_server_is_said_in_its_words_and_the_address_stays() -> None:
    view = FakeView(broker(), SHIPPED)
    told(view, READY)
    obj = told(view, LOST)
    assert condition(obj, "Ready") == ("False", "ExchangeFailure", "connection refused")
    assert obj.status.address is not None
    assert condition(told(view, READY), "Ready") == ("True", "", "")


def test_a_server_that_is_not_known_is_said_of_exchange_and_secret() -> None:
    view = FakeView(broker())
    obj = reconciled(view)
    text = (
        "Failed to get arguments for creating exchange:"
        ' configmaps "rabbitmq-broker-config" not found in "knative-eventing"'
    )
    assert condition(obj, "ExchangeReady") == ("False", "ExchangeCredentialsUnavailable", text)
    assert condition(obj, "SecretReady") == ("False", "SecretFailure", text)
    assert condition(obj, "Ready")[0] == "False"
    view.put(SHIPPED)
    obj = reconciled(view)
    assert condition(obj, "ExchangeReady") == ("Unknown", "", "")
    assert condition(told(view, READY), "Ready")[0] == "True"


@pytest.mark.parametrize("standing", [READY, LOST, REFUSED, SETTING_UP])
def test_what_the_engine_says_is_not_overwritten_while_the_server_is_not_known(
    standing: Standing,
) -> None:
    """Else both would write in turn for ever."""
    view = FakeView(broker(), SHIPPED)
    told(view, standing)
    view.remove(SHIPPED)
    obj = reconciled(view)
    assert condition(obj, "ExchangeReady")[1:] == (standing.reason, standing.message)
    assert condition(obj, "Ready")[0] == "False"
    view.put(ConfigMap(metadata=SHIPPED.metadata, data=SHIPPED.data))
    obj = reconciled(view)
    assert (
        condition(obj, "Ready")[0]
        == {True: "True", False: "False", None: "Unknown"}[standing.ready]
    )


def test_a_dead_letter_sink_is_served_from_an_exchange_of_its_own() -> None:
    delivery = DeliverySpec(dead_letter_sink=Destination(uri="http://x.example"))
    view = FakeView(broker(delivery=delivery), SHIPPED)
    told(view, Standing(ready=None), "dead letters")
    obj = told(view, READY)
    assert condition(obj, "DLXReady") == ("Unknown", "BeingSetUp", "")
    assert condition(obj, "Ready")[0] == "Unknown"
    obj = told(view, READY, "dead letters")
    assert condition(obj, "DLXReady") == ("True", "", "")
    assert condition(obj, "DeadLetterSinkReady") == ("True", "", "")
    assert obj.status.dead_letter_sink_uri == "http://x.example"
    obj = told(view, Standing(ready=False, reason="QueueFailure", message="no"), "dead letters")
    assert condition(obj, "Ready") == ("False", "QueueFailure", "no")


def test_a_dead_letter_sink_that_does_not_resolve_is_said() -> None:
    delivery = DeliverySpec(dead_letter_sink=Destination(ref=GRAVEYARD))
    view = FakeView(broker(delivery=delivery), SHIPPED)
    told(view, READY)
    obj = told(view, READY, "dead letters")
    said = (
        "False",
        "Unable to get the DeadLetterSink's Addressable",
        'failed to get object shop/graveyard: services.serving.knative.dev "graveyard" not found',
    )
    assert condition(obj, "DeadLetterSinkResolved") == said
    assert condition(obj, "Ready") == said
    assert obj.status.address is not None
