"""Eventing reference §13: the status of an EventPolicy."""

from datetime import UTC, datetime

from msgspec.structs import replace

from knlite.eventing.reconcilers.eventpolicy import reconcile
from knlite.kinds.auth import AuthStatus
from knlite.kinds.conditions import find
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventing import EventingConfig
from knlite.kinds.eventing.eventpolicy import (
    EventPolicy,
    EventPolicySpec,
    PolicyReference,
    PolicySubject,
)
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.sources.sinkbinding import SinkBinding
from knlite.reconcile import Outcome, key_of
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ON = Config(eventing=EventingConfig(flags={"authentication-oidc": "enabled"}))
REF = PolicyReference(
    api_version="sources.knative.dev/v1", kind="SinkBinding", name="heart", namespace="shop"
)


def reconciled(view: FakeView, *subjects: PolicySubject) -> EventPolicy:
    meta = ObjectMeta(name="p", namespace="shop", generation=3)
    obj = EventPolicy(metadata=meta, spec=EventPolicySpec(from_=subjects))
    view.put(obj)
    view.apply(reconcile(key_of(obj), view, NOW))
    assert reconcile(key_of(obj), view, NOW) == Outcome(), "it does not settle"
    found = view.get(EventPolicy, "shop", "p")
    assert found is not None
    assert found.status.observed_generation == 3
    return found


def condition(obj: EventPolicy, name: str) -> tuple[str, str, str]:
    found = find(obj.status.conditions, name)
    assert found is not None
    return found.status, found.reason, found.message


def test_without_authentication_a_policy_is_not_ready() -> None:
    obj = reconciled(FakeView())
    assert condition(obj, "AuthenticationEnabled") == ("False", "OIDCAuthenticationDisabled", "")
    assert condition(obj, "Ready") == ("False", "OIDCAuthenticationDisabled", "")


def test_subjects_are_listed_by_their_identity() -> None:
    meta = ObjectMeta(name="heart", namespace="shop")
    binding = SinkBinding(metadata=meta)
    status = replace(binding.status, auth=AuthStatus(service_account_name="heart-oidc"))
    view = FakeView(replace(binding, status=status), config=ON)
    obj = reconciled(view, PolicySubject(sub="admin"), PolicySubject(ref=REF))
    assert obj.status.from_ == ("admin", "system:serviceaccount:shop:heart-oidc")
    assert condition(obj, "Ready") == ("True", "", "")


def test_a_subject_that_is_missing_is_named() -> None:
    obj = reconciled(FakeView(config=ON), PolicySubject(ref=REF))
    status, reason, message = condition(obj, "SubjectsResolved")
    assert (status, reason) == ("False", "SubjectsNotResolved")
    assert message.endswith('sinkbindings.sources.knative.dev "heart" not found')
    assert message.startswith("could not resolve subjects from reference: failed to get")


def test_a_subject_without_identity_is_named() -> None:
    binding = SinkBinding(metadata=ObjectMeta(name="heart", namespace="shop"))
    obj = reconciled(FakeView(binding, config=ON), PolicySubject(ref=REF))
    text = "could not resolve subjects from reference: .status.auth is missing in object shop/heart"
    assert condition(obj, "Ready")[2] == text
