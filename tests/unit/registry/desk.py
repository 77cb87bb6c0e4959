"""A registry with two namespaces, and small objects to put into it."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.meta import ObjectMeta
from knlite.registry.generatename import random_suffix
from knlite.registry.registry import Registry


def registry(
    *, new_suffix: Callable[[], str] = random_suffix, **overrides: dict[str, str]
) -> Registry:
    uids = count(1)
    found = Registry(
        wall=lambda: datetime(2026, 1, 2, tzinfo=UTC),
        new_uid=lambda: f"uid-{next(uids)}",
        overrides=overrides,
        external_port=8080,
        new_suffix=new_suffix,
    )
    for name in ("default", "knative-serving"):
        found.create(Namespace(metadata=ObjectMeta(name=name)), user="test")
    return found


def config_map(name: str = "x", namespace: str = "default", **data: str) -> ConfigMap:
    data = {key.replace("_", "-"): value for key, value in data.items()}
    return ConfigMap(metadata=ObjectMeta(name=name, namespace=namespace), data=data)


def broker(name: str = "b") -> Broker:
    return Broker(metadata=ObjectMeta(name=name, namespace="default"))
