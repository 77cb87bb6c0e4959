"""Eventing reference §13: defaults and validation of an EventPolicy."""

import pytest

from knlite.kinds.catalog import read
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventing import EventingConfig
from knlite.kinds.eventing.eventpolicy import EventPolicy, defaulted, validated
from knlite.kinds.fielderror import rendered

OFF = Config()
ON = Config(eventing=EventingConfig(flags={"authentication-oidc": "enabled"}))
REF = {"apiVersion": "sources.knative.dev/v1", "kind": "PingSource", "name": "ping"}


def policy(**spec: object) -> EventPolicy:
    document = {
        "apiVersion": "eventing.knative.dev/v1alpha1",
        "kind": "EventPolicy",
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": spec,
    }
    found = read(document)
    assert isinstance(found.value, EventPolicy), found.problems
    return found.value


def test_no_policy_can_be_made_while_senders_have_no_identity() -> None:
    text = "oidc-authentication feature not enabled: "
    assert rendered(validated(policy(), None, OFF)) == text


def test_one_that_exists_may_be_changed_in_all_but_its_spec() -> None:
    assert validated(policy(), policy(), OFF) == ()
    changed = policy(**{"from": [{"sub": "x"}]})
    assert validated(changed, policy(), OFF) != ()


def test_subjects_get_the_namespace_of_the_policy() -> None:
    obj = defaulted(policy(**{"from": [{"ref": REF}, {"sub": "x"}]}), None, ON)
    assert obj.spec.from_[0].ref is not None
    assert obj.spec.from_[0].ref.namespace == "shop"
    assert validated(obj, None, ON) == ()


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        pytest.param(
            {"from": [{}]},
            "expected exactly one, got neither: spec.from[0].ref, spec.from[0].sub",
            id="nobody",
        ),
        pytest.param(
            {"from": [{"ref": REF, "sub": "x"}]},
            "expected exactly one, got both: spec.from[0].ref, spec.from[0].sub",
            id="both",
        ),
        pytest.param(
            {"from": [{"ref": {"name": "x"}}]},
            "missing field(s): spec.from[0].ref.apiVersion, spec.from[0].ref.kind",
            id="half a reference",
        ),
        pytest.param(
            {"from": [{"sub": "a*b"}]},
            "invalid value: a*b: spec.from[0].sub\n'*' is only allowed as suffix",
            id="star inside",
        ),
        pytest.param({"from": [{"sub": "a*"}]}, "", id="star at the end"),
        pytest.param(
            {"to": [{}]},
            "expected exactly one, got neither: spec.to[0].ref, spec.to[0].selector",
            id="no target",
        ),
        pytest.param(
            {"to": [{"ref": REF, "selector": {"kind": "Broker", "matchLabels": {"a": "b"}}}]},
            "expected exactly one, got both: spec.to[0].ref, spec.to[0].selector",
            id="both targets",
        ),
    ],
)
def test_what_is_wrong_is_said_in_upstreams_words(spec: dict[str, object], text: str) -> None:
    assert rendered(validated(policy(**spec), None, ON)) == text
