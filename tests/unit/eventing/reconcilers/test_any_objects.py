"""Whatever objects admission lets in, no reconciler and no plan stumbles, and all settles.

Documents are made of the fields that kinds have, with texts that mean something to some of them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any

import pytest
from msgspec import inspect
from msgspec.structs import replace

from knlite.controlplane.reconcilers import RECONCILERS
from knlite.eventing.apichanges import apiserver_plans
from knlite.eventing.requestreplies import request_replies
from knlite.eventing.resources import topology
from knlite.eventing.sources import ping_plans
from knlite.eventing.transforms import transforms
from knlite.kinds.catalog import KINDS, read
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventing import EventingConfig
from knlite.kinds.fielderror import refusing
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.meta import Object
from knlite.kinds.webhooks import OF_EVENTING
from knlite.reconcile import key_of
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NAMES = ("a", "b", "default")
WORDS = (
    *("", *NAMES, "n", "self", "in", "\x00", "٣", "(", "$", "a" * 300, "-1"),
    *("http://x/", "http://[::1", "//[", "PT1S", "-PT5S", "* * * * *", "type = 'a'"),
    *("linear", "json", "Resource", "enabled", "apps/v1", "Deployment"),
)
URIS = ("http://x/", "http://[::1", "//[", "x")
MESSAGING, EVENTING = "messaging.knative.dev/v1", "eventing.knative.dev/v1"
REFERRED = (
    *((MESSAGING, kind) for kind in ("Channel", "InMemoryChannel")),
    *(("flows.knative.dev/v1", kind) for kind in ("Sequence", "Parallel")),
    *((EVENTING, "Broker"), ("v1", "Service"), ("v1", "ConfigMap")),
)
CONFIGS = (
    Config(),
    Config(durable=True),
    Config(
        eventing=EventingConfig(
            flags={
                "authentication-oidc": "enabled",
                "cross-namespace-event-links": "enabled",
                "delivery-retryafter": "enabled",
                "kreference-group": "enabled",
                "new-apiserversource-filters": "enabled",
            }
        )
    ),
)
ROUNDS = 40


class View(FakeView):
    """Gives what is created a uid, as the registry does."""

    def __init__(self, *objects: Object, config: Config) -> None:
        super().__init__(*objects, config=config)
        self._uids = count()

    def put(self, obj: Object) -> None:
        if not obj.metadata.uid:
            obj = replace(obj, metadata=replace(obj.metadata, uid=f"uid-{next(self._uids)}"))
        super().put(obj)


def any_of(info: inspect.Type, chance: Random, depth: int = 0) -> Any:
    """A value for a field, more often than not a small one."""
    match info:
        case inspect.StructType(fields=fields) if depth < 8:
            there = [each for each in fields if chance.random() < 0.5]
            return {each.encode_name: any_field(each, chance, depth) for each in there}
        case inspect.DictType(value_type=inner):
            return {chance.choice(WORDS): any_of(inner, chance, depth + 1)}
        case inspect.VarTupleType(item_type=inner):
            return [any_of(inner, chance, depth + 1) for _ in range(chance.randint(0, 2))]
        case inspect.UnionType(types=types):
            return any_of(chance.choice(types), chance, depth)
        case inspect.LiteralType(values=values):
            return chance.choice(values)
        case inspect.StrType():
            return chance.choice(WORDS)
        case inspect.IntType():
            return chance.choice((-1, 0, 1, 2**31 - 1))
        case inspect.BoolType():
            return chance.random() < 0.5
        case _:
            return None


def any_field(field: inspect.Field, chance: Random, depth: int) -> Any:
    match field.encode_name:
        case "ref" | "channel" | "brokerRef":
            return reference(chance)
        case "uri":
            return chance.choice(URIS)
        case _:
            return any_of(field.type, chance, depth + 1)


def reference(chance: Random) -> dict[str, str]:
    api_version, kind = chance.choice(REFERRED)
    return {"apiVersion": api_version, "kind": kind, "name": chance.choice(NAMES)}


def admitted(info: KindInfo, name: str, config: Config, chance: Random) -> Object | None:
    """One of some objects, if there is one among them that admission lets in."""
    for attempt in range(12):
        tree = any_of(inspect.type_info(type(info.type().spec)), chance)  # type: ignore[attr-defined]
        metadata = {"name": name, "namespace": "n", "uid": f"{info.kind}-{name}"}
        # Most specs are wrong in some way, but hardly any empty one is.
        spec = tree if attempt < 9 else {}
        target = {"ref": reference(chance)}
        needed = {
            "Trigger": {"broker": "default", "subscriber": target},
            "Subscription": {"channel": {**reference(chance), **CHANNEL}, "subscriber": target},
            "Sequence": {"steps": [target, target]},
            # Admission does not look at it.
            "InMemoryChannel": {"delivery": {"deadLetterSink": {"uri": chance.choice(URIS)}}},
            "Parallel": {"branches": [{"subscriber": target, "filter": target}]},
            "PingSource": {"sink": target, "schedule": "* * * * *"},
            "ApiServerSource": {"sink": target, "resources": [CHANNEL]},
            "SinkBinding": {"sink": target, "subject": WORKLOAD},
            "ContainerSource": {"sink": target, "template": PROGRAM},
            "KafkaSource": {"sink": target, "topics": ["t"], "bootstrapServers": ["k:9092"]},
            "KafkaSink": {"topic": "t", "bootstrapServers": ["k:9092"]},
            "JobSink": {"job": {"spec": {"template": PROGRAM}}},
            "RequestReply": {"brokerRef": BROKER},
        }.get(info.kind, {})
        whole = {"apiVersion": info.api_version, "kind": info.kind, "metadata": metadata}
        found = read({**whole, "spec": {**spec, **needed}}).value
        if found is not None:
            obj: Object = info.defaulted(found, None, config)
            if not refusing(info.validated(obj, None, config)):
                return obj
    return None


CHANNEL = {"apiVersion": MESSAGING, "kind": "InMemoryChannel"}
BROKER = {"apiVersion": EVENTING, "kind": "Broker", "name": "default"}
WORKLOAD = {"apiVersion": "apps/v1", "kind": "Deployment", "selector": {}}
PROGRAM = {"spec": {"containers": [{"name": "a", "image": "a"}], "restartPolicy": "Never"}}


def reconciled(view: View) -> Iterator[str]:
    """Run everything once; the names of the kinds that wanted a change."""
    for kind, reconcile in RECONCILERS:
        for obj in list(view.listed(kind, "")):
            outcome = reconcile(key_of(obj), view, NOW)
            view.apply(outcome)
            if outcome.changes:
                yield kind.__name__


@pytest.mark.parametrize("seed", range(9))
def test_any_objects_are_reconciled_and_settle(seed: int) -> None:
    chance, config = Random(seed), CONFIGS[seed % len(CONFIGS)]
    infos = [info for info in KINDS if info.group in OF_EVENTING]
    found = [admitted(info, name, config, chance) for info in infos for name in NAMES]
    objects = [each for each in found if each is not None]
    assert len(objects) > len(found) / 2
    view = View(*objects, config=config)
    for _ in range(ROUNDS):
        restless = set(reconciled(view))
        if not restless:
            break
    assert not restless
    assert topology(view).resources
    for plans in (ping_plans, apiserver_plans, request_replies, transforms):
        plans(view)
