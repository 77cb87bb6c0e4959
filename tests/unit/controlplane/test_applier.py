"""What files say is applied, and what is doubtful in them is said."""

from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from knlite.clock import LoopClock
from knlite.controlplane.applier import Applier
from knlite.facts import Fact, Notice
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.meta import ObjectMeta
from knlite.manifests.project import read_project
from knlite.registry.registry import Registry

SERVICE = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: shop
  labels:
    networking.knative.dev/visibility: {visibility}
spec:
  template:
    spec:
      containers: [{{image: example.com/shop}}]
"""


BROKER = """
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: shop
  annotations: {eventing.knative.dev/broker.class: RabbitMQBroker}
spec:
  config: {apiVersion: eventing.knative.dev/v1alpha1, kind: RabbitmqBrokerConfig, name: shop}
---
apiVersion: eventing.knative.dev/v1alpha1
kind: RabbitmqBrokerConfig
metadata: {name: shop}
spec:
  rabbitmqClusterReference: {connectionSecret: {name: login}}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
"""
START = datetime(2026, 1, 2, tzinfo=UTC)


def with_default_namespace() -> Registry:
    uids = count(1)
    registry = Registry(
        wall=lambda: START, new_uid=lambda: f"uid-{next(uids)}", overrides={}, external_port=8080
    )
    registry.create(Namespace(metadata=ObjectMeta(name="default")), user="test")
    return registry


async def test_a_broker_finds_what_it_names_however_the_file_is_sorted(tmp_path: Path) -> None:
    """Else its first condition is a complaint that was never true for who wrote the file."""
    registry = with_default_namespace()
    (tmp_path / "broker.yaml").write_text(BROKER)
    made = list[str]()
    applier = Applier(registry, lambda: None, LoopClock(START), lambda _: None)
    with registry.listening(lambda told: made.append(type(told.obj).__name__)):
        applier.apply(read_project([tmp_path], {}).declared)
    assert made == ["Secret", "RabbitmqBrokerConfig", "Broker"]


async def test_another_class_is_refused_with_a_way_to_have_it(tmp_path: Path) -> None:
    registry = with_default_namespace()
    file = tmp_path / "broker.yaml"
    file.write_text(BROKER)
    applier = Applier(registry, lambda: None, LoopClock(START), lambda _: None)
    applier.apply(read_project([tmp_path], {}).declared)
    file.write_text(BROKER.replace("RabbitMQBroker", "MTChannelBasedBroker"))
    complaint = applier.check(read_project([tmp_path], {}).declared)[0]
    assert complaint.message.startswith("Immutable annotations changed")
    assert complaint.message.endswith("it is deleted, and made anew")
    file.write_text("\n---\n".join(BROKER.split("---")[1:]))
    applier.apply(read_project([tmp_path], {}).declared)
    file.write_text(BROKER.replace("RabbitMQBroker", "MTChannelBasedBroker"))
    assert not applier.check(read_project([tmp_path], {}).declared)


@pytest.mark.parametrize(
    ("visibility", "said"),
    [
        ("cluster-local", []),
        (
            "hidden",
            [
                "Service default/shop: invalid value: hidden:"
                " metadata.labels.networking.knative.dev/visibility\n"
                'only "cluster-local" hides it from outside; with any other value it is public'
            ],
        ),
    ],
)
async def test_warnings_are_told_but_for_those_that_every_manifest_has(
    tmp_path: Path, visibility: str, said: list[str]
) -> None:
    registry = with_default_namespace()
    (tmp_path / "shop.yaml").write_text(SERVICE.format(visibility=visibility))
    facts: list[Fact] = []
    applier = Applier(registry, lambda: None, LoopClock(START), facts.append)
    applier.apply(read_project([tmp_path], {}).declared)
    assert [fact.text for fact in facts if isinstance(fact, Notice)] == said
