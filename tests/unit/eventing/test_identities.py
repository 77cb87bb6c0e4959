"""In whose name objects send, and to whom tokens are addressed (Eventing reference §1.7)."""

from datetime import UTC, datetime

import pytest

from knlite.eventing.destinations import Resolved, resolve
from knlite.eventing.identities import account_of, audience_of, identified, subject_of
from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import find
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventing import EventingConfig
from knlite.kinds.core.serviceaccount import ServiceAccount
from knlite.kinds.eventing.broker import Broker, BrokerStatus
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.trigger import CONDITIONS, OIDC_IDENTITY_CREATED, Trigger
from knlite.kinds.kreference import KReference
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.names import subdomain_1123_problems
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ON = Config(eventing=EventingConfig(flags={"authentication-oidc": "enabled"}))
TRIGGER = Trigger(metadata=ObjectMeta(name="t", namespace="shop", uid="u"))
ACCOUNT = "t-oidc-eventing.knative.dev-trigger"


def asked(view: FakeView, trigger: Trigger = TRIGGER) -> tuple[str | None, tuple[str, str]]:
    """The account, and the condition."""
    conditions = CONDITIONS.edit((), NOW)
    auth, accounts = identified(trigger, OIDC_IDENTITY_CREATED, conditions, view)
    for each in accounts:
        view.put(each.obj)
    found = find(conditions.result(), OIDC_IDENTITY_CREATED)
    assert found is not None
    return None if auth is None else auth.service_account_name, (found.status, found.reason)


def test_an_identity_is_made_once() -> None:
    view = FakeView(config=ON)
    assert asked(view) == (ACCOUNT, ("True", ""))
    (account,) = view.listed(ServiceAccount, "shop")
    assert account.metadata.name == ACCOUNT
    assert [each.uid for each in account.metadata.owner_references] == ["u"]
    assert asked(view) == (ACCOUNT, ("True", ""))
    assert len(view.listed(ServiceAccount, "")) == 1


def test_while_it_is_off_there_is_none() -> None:
    view = FakeView()
    assert asked(view) == (None, ("True", "authentication-oidc feature disabled"))
    assert not view.listed(ServiceAccount, "")
    assert audience_of(TRIGGER, view) is None


def test_an_account_of_somebody_else_is_not_taken() -> None:
    taken = ServiceAccount(metadata=ObjectMeta(name=ACCOUNT, namespace="shop"))
    reason = "Unable to resolve service account for OIDC authentication"
    assert asked(FakeView(taken, config=ON)) == (None, ("False", reason))


@pytest.mark.parametrize("name", ["t", "a" * 30, "a" * 63, "a.b.c"])
def test_its_name_is_one_whatever_the_object_is_called(name: str) -> None:
    account = account_of(Trigger(metadata=ObjectMeta(name=name, namespace="shop")))
    assert len(account) <= 63
    assert not subdomain_1123_problems(account)
    assert subject_of("shop", account) == f"system:serviceaccount:shop:{account}"


def test_a_destination_has_the_audience_of_its_address_unless_it_says_one() -> None:
    address = Addressable(name="http", url="http://b.example/", audience="of-the-address")
    broker = Broker(
        metadata=ObjectMeta(name="b", namespace="shop"), status=BrokerStatus(address=address)
    )
    ref = KReference(api_version="eventing.knative.dev/v1", kind="Broker", name="b")
    view = FakeView(broker, config=ON)
    found = resolve(Destination(ref=ref, uri="x"), "shop", view)
    assert found == Resolved("http://b.example/x", None, "of-the-address")
    found = resolve(Destination(ref=ref, audience="own"), "shop", view)
    assert found == Resolved("http://b.example/", None, "own")
    assert audience_of(broker, view) == "eventing.knative.dev/broker/shop/b"
