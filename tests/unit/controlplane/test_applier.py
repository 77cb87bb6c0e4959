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
from knlite.manifests import read_project
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
    uids = count(1)
    start = datetime(2026, 1, 2, tzinfo=UTC)
    registry = Registry(
        wall=lambda: start, new_uid=lambda: f"uid-{next(uids)}", overrides={}, external_port=8080
    )
    registry.create(Namespace(metadata=ObjectMeta(name="default")), user="test")
    (tmp_path / "shop.yaml").write_text(SERVICE.format(visibility=visibility))
    facts: list[Fact] = []
    applier = Applier(registry, lambda: None, LoopClock(start), facts.append)
    applier.apply(read_project([tmp_path], {}).declared)
    assert [fact.text for fact in facts if isinstance(fact, Notice)] == said
