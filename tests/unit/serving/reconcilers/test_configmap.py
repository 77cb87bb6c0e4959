"""The platform's ConfigMaps come back when they are deleted."""

from datetime import UTC, datetime

import pytest

from knlite.kinds.config.bundle import Config
from knlite.kinds.config.shipped import shipped
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.meta import ObjectMeta
from knlite.reconcile import Create, Key
from knlite.registry.store import Store
from knlite.serving.reconcilers.configmap import reconcile

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FEATURES = Key(ConfigMap, "knative-serving", "config-features")


def store(*names: str) -> Store:
    view = Store(Config())
    for name in names:
        view.put(Namespace(metadata=ObjectMeta(name=name)))
    return view


def test_a_deleted_one_comes_back_as_it_was_shipped() -> None:
    outcome = reconcile(FEATURES, store("knative-serving"), NOW)
    assert outcome.changes == (Create(shipped()["knative-serving", "config-features"]),)


def test_one_that_is_there_stays_as_it_is() -> None:
    view = store("knative-serving")
    meta = ObjectMeta(namespace="knative-serving", name="config-features")
    view.put(ConfigMap(metadata=meta, data={"multi-container": "Disabled"}))
    assert reconcile(FEATURES, view, NOW).changes == ()


@pytest.mark.parametrize(
    ("key", "namespaces"),
    [
        pytest.param(FEATURES, (), id="its namespace is gone too"),
        pytest.param(Key(ConfigMap, "default", "mine"), ("default",), id="somebody else's"),
    ],
)
def test_nothing_else_is_made(key: Key, namespaces: tuple[str, ...]) -> None:
    assert reconcile(key, store(*namespaces), NOW).changes == ()
