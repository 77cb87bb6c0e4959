"""Eventing reference §3, §1.6: the status of a Broker."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from knlite.eventing.reconcilers.broker import reconcile
from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import find
from knlite.kinds.config.bundle import Config
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.eventing.broker import Broker, BrokerSpec, defaulted
from knlite.kinds.eventing.brokerconditions import CONDITIONS
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.kreference import KReference
from knlite.kinds.labels import BROKER_CLASS
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.service import Service, ServiceStatus
from knlite.reconcile import Outcome, key_of
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)
GRAVEYARD = KReference(api_version="serving.knative.dev/v1", kind="Service", name="graveyard")
DEAD_LETTERS = DeliverySpec(dead_letter_sink=Destination(ref=GRAVEYARD))
CONFIG_MAP = KReference(api_version="v1", kind="ConfigMap", name="mine", namespace="shop")


def broker(broker_class: str = "MTChannelBasedBroker", **spec: object) -> Broker:
    meta = ObjectMeta(
        name="default", namespace="shop", generation=2, annotations={BROKER_CLASS: broker_class}
    )
    return defaulted(Broker(metadata=meta, spec=replace(BrokerSpec(), **spec)), None, Config())


def reconciled(view: FakeView, obj: Broker) -> Broker:
    key = key_of(obj)
    view.apply(reconcile(key, view, NOW))
    assert reconcile(key, view, LATER) == Outcome(), "it does not settle"
    found = view.get(Broker, "shop", "default")
    assert found is not None
    return found


def condition(obj: Broker, name: str) -> tuple[str, str, str]:
    found = find(obj.status.conditions, name)
    assert found is not None
    return found.status, found.reason, found.message


def test_a_broker_becomes_ready_and_has_the_clusters_address() -> None:
    obj = broker()
    obj = reconciled(FakeView(obj), obj)
    assert obj.status.address == Addressable(
        name="http",
        url="http://broker-ingress.knative-eventing.svc.cluster.local/shop/default",
    )
    assert obj.status.observed_generation == 2
    assert condition(obj, "Ready") == ("True", "", "")
    assert all(condition(obj, name)[0] == "True" for name in CONDITIONS.dependents)
    assert condition(obj, "DeadLetterSinkResolved")[1:] == (
        "DeadLetterSinkNotConfigured",
        "No dead letter sink is configured.",
    )
    assert condition(obj, "EventPoliciesReady")[1:] == (
        "OIDCDisabled",
        'Feature "authentication-oidc" must be enabled to support Authorization',
    )


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        pytest.param(CONFIG_MAP, 'configmap "mine" not found', id="missing"),
        pytest.param(
            KReference(api_version="v1", kind="Secret", name="mine", namespace="shop"),
            "Broker.Spec.Config configuration not supported, only [kind: ConfigMap, apiVersion:"
            " v1]",
            id="kind",
        ),
        pytest.param(
            KReference(api_version="v1", kind="ConfigMap"),
            "Broker.Spec.Config name and namespace are required",
            id="nameless",
        ),
    ],
)
def test_a_config_that_cannot_be_used_stops_it(config: KReference, problem: str) -> None:
    obj = broker(config=config)
    obj = reconciled(FakeView(obj), obj)
    message = f"Error on setting up the ChannelTemplate: {problem}"
    assert condition(obj, "TriggerChannelReady") == ("False", "ChannelTemplateFailed", message)
    assert condition(obj, "Ready") == ("False", "ChannelTemplateFailed", message)
    assert condition(obj, "IngressReady")[0] == "Unknown"
    assert obj.status.address is None


def test_its_own_configmap_will_do() -> None:
    obj = broker(config=CONFIG_MAP)
    meta = ObjectMeta(name="mine", namespace="shop")
    cm = ConfigMap(metadata=meta, data={"channel-template-spec": "kind: InMemoryChannel"})
    assert condition(reconciled(FakeView(obj, cm), obj), "Ready")[0] == "True"


def test_a_configmap_without_a_template_will_not_do() -> None:
    obj = broker(config=CONFIG_MAP)
    cm = ConfigMap(metadata=ObjectMeta(name="mine", namespace="shop"))
    assert condition(reconciled(FakeView(obj, cm), obj), "TriggerChannelReady") == (
        "False",
        "ChannelTemplateFailed",
        "Error on setting up the ChannelTemplate: empty or missing value for config",
    )


def test_it_waits_for_its_dead_letter_sink_and_recovers() -> None:
    obj = broker(delivery=DEAD_LETTERS)
    view = FakeView(obj)
    waiting = reconciled(view, obj)
    assert condition(waiting, "Ready") == (
        "False",
        "Unable to get the dead letter sink's URI",
        'failed to get object shop/graveyard: services.serving.knative.dev "graveyard" not found',
    )
    assert condition(waiting, "Addressable")[0] == "Unknown"
    url = "http://graveyard.shop.svc.cluster.local"
    status = ServiceStatus(address=Addressable(url=url))
    view.put(Service(metadata=ObjectMeta(name="graveyard", namespace="shop"), status=status))
    ready = reconciled(view, obj)
    assert condition(ready, "Ready")[0] == "True"
    assert ready.status.dead_letter_sink_uri == url


def test_a_class_that_does_not_exist_here_is_named() -> None:
    obj = broker("NatsJetStreamBroker")
    obj = reconciled(FakeView(obj), obj)
    status, reason, message = condition(obj, "Ready")
    assert (status, reason) == ("False", "BrokerClassNotSupported")
    assert message.startswith(
        'there is no Broker class "NatsJetStreamBroker" here, only "MTChannel'
    )
    assert obj.status.address is None


def test_a_class_that_needs_a_folder_says_so() -> None:
    obj = broker("knlite.dev/SQLite")
    without = reconciled(FakeView(obj), obj)
    status, reason, message = condition(without, "Ready")
    assert (status, reason) == ("False", "NoDataFolder")
    assert "give --data-dir" in message
    assert without.status.address is None
    within = reconciled(FakeView(obj, config=Config(durable=True)), obj)
    assert condition(within, "Ready")[0] == "True"


def test_a_broker_that_is_gone_needs_nothing() -> None:
    assert reconcile(key_of(broker()), FakeView(), NOW) == Outcome()
