"""Eventing reference §1.6: which policies apply, and what an object says of it."""

from datetime import UTC, datetime

import pytest

from knlite.eventing.policies import applied_policies
from knlite.kinds.conditions import Condition, find
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventing import EventingConfig
from knlite.kinds.eventing.appliedpolicy import EVENT_POLICIES_READY, AppliedPolicy
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.brokerconditions import CONDITIONS
from knlite.kinds.eventing.eventpolicy import (
    EventPolicy,
    EventPolicySpec,
    EventPolicyStatus,
    PolicyReference,
    PolicySelector,
    PolicyTarget,
)
from knlite.kinds.meta import ObjectMeta
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BROKER = Broker(metadata=ObjectMeta(name="default", namespace="shop", labels={"app": "shop"}))
GROUP = "eventing.knative.dev/v1"


def policy(
    name: str, *to: PolicyTarget, namespace: str = "shop", ready: bool = True
) -> EventPolicy:
    status = EventPolicyStatus(
        conditions=(Condition(type="Ready", status="True" if ready else "False"),)
    )
    meta = ObjectMeta(name=name, namespace=namespace)
    return EventPolicy(metadata=meta, spec=EventPolicySpec(to=to), status=status)


def named(name: str, kind: str = "Broker", api_version: str = GROUP) -> PolicyTarget:
    return PolicyTarget(ref=PolicyReference(api_version=api_version, kind=kind, name=name))


def selected(kind: str = "Broker", **labels: str) -> PolicyTarget:
    return PolicyTarget(selector=PolicySelector(api_version=GROUP, kind=kind, match_labels=labels))


def judged(*policies: EventPolicy, **flags: str) -> tuple[tuple[str, ...], tuple[str, str, str]]:
    """The names of the applied policies, and the condition."""
    config = Config(eventing=EventingConfig(flags=flags))
    conditions = CONDITIONS.edit((), NOW)
    applied = applied_policies(BROKER, conditions, FakeView(*policies, config=config))
    assert {each.api_version for each in applied} <= {"eventing.knative.dev/v1alpha1"}
    found = find(conditions.result(), EVENT_POLICIES_READY)
    assert found is not None
    return tuple(each.name for each in applied), (found.status, found.reason, found.message)


def test_without_authentication_the_condition_says_so() -> None:
    text = 'Feature "authentication-oidc" must be enabled to support Authorization'
    assert judged() == ((), ("True", "OIDCDisabled", text))


def test_without_policies_the_default_mode_is_named() -> None:
    on = {"authentication-oidc": "enabled"}
    text = 'Default authz mode is "Allow-Same-Namespace"'
    assert judged(**on) == ((), ("True", "DefaultAuthorizationMode", text))
    _, condition = judged(**on, **{"default-authorization-mode": "Deny-All"})
    assert condition[2] == 'Default authz mode is "Deny-All"'


@pytest.mark.parametrize(
    ("targets", "applies"),
    [
        pytest.param((), True, id="no target is everything"),
        pytest.param((named("default"),), True, id="by name"),
        pytest.param((named("DEFAULT", "broker"),), True, id="in any case"),
        pytest.param(
            (named("default", api_version="eventing.knative.dev/v9"),), True, id="version"
        ),
        pytest.param((named("other"),), False, id="another name"),
        pytest.param((named("default", "Trigger"),), False, id="another kind"),
        pytest.param((named("default", api_version="v1"),), False, id="another group"),
        pytest.param((selected(app="shop"),), True, id="by label"),
        pytest.param((selected(),), True, id="no label is every label"),
        pytest.param((selected(app="bank"),), False, id="another label"),
        pytest.param((selected("Channel", app="shop"),), False, id="selector of another kind"),
        pytest.param((named("other"), selected(app="shop")), True, id="one of several"),
    ],
)
def test_a_policy_applies_to_its_targets(targets: tuple[PolicyTarget, ...], applies: bool) -> None:
    names, condition = judged(policy("p", *targets))
    assert names == (("p",) if applies else ())
    if applies:
        assert condition == ("True", "", "")


def test_policies_of_other_namespaces_do_not_apply() -> None:
    assert judged(policy("p", namespace="bank"))[0] == ()


def test_policies_that_are_not_ready_are_named() -> None:
    names, condition = judged(policy("b", ready=False), policy("a", ready=False), policy("c"))
    assert names == ("c",)
    text = "event policies a, b are not ready"
    assert condition == ("False", "EventPoliciesNotReady", text)


def test_an_applied_policy_is_written_as_upstream_writes_it() -> None:
    applied = AppliedPolicy(api_version="eventing.knative.dev/v1alpha1", name="p")
    conditions = CONDITIONS.edit((), NOW)
    assert applied_policies(BROKER, conditions, FakeView(policy("p"))) == (applied,)
