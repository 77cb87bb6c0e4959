"""Eventing reference §1.4: how references name kinds, and what is said of missing objects."""

import pytest

from knlite.eventing.references import group_in, kind_of, not_found
from knlite.kinds.eventing.broker import Broker


@pytest.mark.parametrize(
    ("group", "kind", "text"),
    [
        pytest.param("", "Service", 'services "x" not found', id="core"),
        pytest.param("g.dev", "PingSource", 'pingsources.g.dev "x" not found', id="s"),
        pytest.param("g.dev", "Ingress", 'ingresses.g.dev "x" not found', id="es"),
        pytest.param("g.dev", "EventPolicy", 'eventpolicies.g.dev "x" not found', id="ies"),
    ],
)
def test_the_plural_is_guessed_from_the_last_letter(group: str, kind: str, text: str) -> None:
    assert not_found(group, kind, "x") == text


def test_a_kind_is_found_by_group_whatever_the_version() -> None:
    assert kind_of(group_in("eventing.knative.dev/v1"), "Broker") is Broker
    assert kind_of(group_in("v1"), "Broker") is None
