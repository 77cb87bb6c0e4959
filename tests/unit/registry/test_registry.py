"""The front desk: generations, conflicts, finalizers, cascades (Kubernetes API conventions)."""

import msgspec
import pytest

from knlite.errors import Conflict, NotFound
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.secret import Secret
from knlite.kinds.eventing.broker import Broker, BrokerStatus
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.meta import ObjectMeta, OwnerReference
from knlite.kinds.podspec.fields import Container
from knlite.kinds.serving.revision import RevisionSpec, RevisionTemplate
from knlite.kinds.serving.service import Service, ServiceSpec
from knlite.reconcile import Key, key_of
from knlite.registry.deletion import Propagation
from knlite.registry.registry import Notification, Refused
from knlite.registry.write import Write
from tests.unit.registry.desk import broker, config_map, registry


def child(name: str, owner: ConfigMap, **meta: object) -> Secret:
    reference = OwnerReference(
        api_version="v1", kind="ConfigMap", name="x", uid=owner.metadata.uid, controller=True
    )
    return Secret(
        metadata=ObjectMeta(
            name=name,
            namespace="default",
            owner_references=(reference,),
            **meta,  # type: ignore[arg-type]  # fields by name
        )
    )


def test_a_new_object_gets_its_identity() -> None:
    stored = registry().create(broker(), user="alice")
    meta = stored.metadata
    assert meta.uid
    assert meta.generation == 1
    assert meta.creation_timestamp == "2026-01-02T00:00:00Z"
    assert meta.annotations["eventing.knative.dev/creator"] == "alice"


def test_a_name_is_taken_once() -> None:
    desk = registry()
    desk.create(config_map(), user="test")
    with pytest.raises(Conflict, match='configmaps "x" already exists'):
        desk.create(config_map(), user="test")


def test_the_namespace_must_exist() -> None:
    with pytest.raises(NotFound, match='namespaces "nowhere" not found'):
        registry().create(config_map(namespace="nowhere"), user="test")


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_owners_in_a_long_row_go_together(propagation: Propagation) -> None:
    desk = registry()
    owner = first = desk.create(config_map("c0"), user="test")
    for number in range(1, 1_500):
        reference = OwnerReference(
            api_version="v1",
            kind="ConfigMap",
            name=owner.metadata.name,
            uid=owner.metadata.uid,
            block_owner_deletion=True,
        )
        made = config_map(f"c{number}")
        metadata = msgspec.structs.replace(made.metadata, owner_references=(reference,))
        owner = desk.create(msgspec.structs.replace(made, metadata=metadata), user="test")
    desk.delete(key_of(first), propagation=propagation)
    assert not desk.view.listed(ConfigMap, "default")


def test_only_a_change_of_the_spec_makes_a_new_generation() -> None:
    desk = registry()
    stored = desk.create(broker(), user="test")
    labelled = msgspec.structs.replace(
        stored, metadata=msgspec.structs.replace(stored.metadata, labels={"a": "b"})
    )
    assert desk.update(labelled, user="test").metadata.generation == 1
    delivery = msgspec.structs.replace(stored.spec.delivery, retry=3)
    spec = msgspec.structs.replace(stored.spec, delivery=delivery)
    assert (
        desk.update(msgspec.structs.replace(stored, spec=spec), user="test").metadata.generation
        == 2
    )


def test_an_update_that_changes_nothing_tells_nobody() -> None:
    desk = registry()
    stored = desk.create(broker(), user="test")
    heard: list[Notification] = []
    with desk.listening(heard.append):
        assert desk.update(stored, user="test") == stored
        assert desk.apply(broker(), user="test") == "unchanged"
    assert heard == []


def test_status_and_spec_are_written_apart() -> None:
    desk = registry()
    stored = desk.create(broker(), user="test")
    status = BrokerStatus(observed_generation=1)
    desk.update_status(msgspec.structs.replace(stored, status=status, spec=type(stored.spec)()))
    found = desk.view.get(Broker, "default", "b")
    assert found is not None
    assert found.status == status
    assert found.spec == stored.spec
    desk.apply(broker(), user="test")
    assert desk.view.get(Broker, "default", "b") == found


def test_the_status_of_an_object_that_was_replaced_is_not_written() -> None:
    desk = registry()
    old = desk.create(broker(), user="test")
    desk.delete(key_of(old))
    desk.create(broker(), user="test")
    desk.update_status(msgspec.structs.replace(old, status=BrokerStatus(observed_generation=9)))
    found = desk.view.get(Broker, "default", "b")
    assert found is not None
    assert found.status.observed_generation == 0


def test_an_invalid_object_is_refused_with_every_reason() -> None:
    trigger = Trigger(metadata=ObjectMeta(name="t", namespace="default"))
    with pytest.raises(Refused) as refused:
        registry().create(trigger, user="test")
    assert any("spec.subscriber" in str(error) for error in refused.value.errors)


def test_what_an_object_owns_goes_with_it() -> None:
    desk = registry()
    owner = desk.create(config_map(), user="test")
    desk.create(child("a", owner), user="test")
    desk.delete(key_of(owner))
    assert desk.view.listed(Secret, "default") == []


def test_a_finalizer_is_waited_for() -> None:
    desk = registry()
    owner = desk.create(config_map(), user="test")
    held = desk.create(child("a", owner, finalizers=("x.dev",)), user="test")
    desk.delete(key_of(held))
    waiting = desk.view.get(Secret, "default", "a")
    assert waiting is not None
    assert waiting.metadata.deletion_timestamp == "2026-01-02T00:00:00Z"
    free = msgspec.structs.replace(
        waiting, metadata=msgspec.structs.replace(waiting.metadata, finalizers=())
    )
    desk.update(free, user="test")
    assert desk.view.get(Secret, "default", "a") is None


def test_a_namespace_takes_everything_in_it_along() -> None:
    desk = registry()
    desk.create(Namespace(metadata=ObjectMeta(name="shop")), user="test")
    desk.create(config_map(namespace="shop"), user="test")
    desk.delete(Key(Namespace, "", "shop"))
    assert desk.view.listed(ConfigMap, "shop") == []
    assert desk.view.get(Namespace, "", "shop") is None


def test_apply_keeps_the_labels_and_annotations_of_others() -> None:
    desk = registry()
    stored = desk.create(config_map(), user="test")
    metadata = msgspec.structs.replace(stored.metadata, labels={"mine": "yes"})
    desk.update(msgspec.structs.replace(stored, metadata=metadata), user="other")
    assert desk.apply(config_map(k="v"), user="test") == "configured"
    found = desk.view.get(ConfigMap, "default", "x")
    assert found is not None
    assert found.metadata.labels == {"mine": "yes"}


def test_a_config_map_of_the_platform_takes_effect_and_an_invalid_one_is_refused() -> None:
    desk = registry()
    name, namespace = "config-autoscaler", "knative-serving"
    desk.create(config_map(name, namespace, stable_window="30s"), user="test")
    assert desk.config.autoscaler.stable_window == 30
    with pytest.raises(Refused, match="stable-window"):
        desk.apply(config_map(name, namespace, stable_window="soon"), user="test")
    assert desk.config.autoscaler.stable_window == 30
    desk.delete(Key(ConfigMap, namespace, name))
    assert desk.config.autoscaler.stable_window == 60


def test_set_wins_over_config_maps() -> None:
    desk = registry(**{"config-autoscaler": {"stable-window": "20s"}})
    name, namespace = "config-autoscaler", "knative-serving"
    desk.create(config_map(name, namespace, stable_window="30s"), user="test")
    assert desk.config.autoscaler.stable_window == 20


def test_a_fork_does_not_touch_what_it_was_made_from() -> None:
    desk = registry()
    heard: list[Notification] = []
    with desk.listening(heard.append):
        desk.fork().create(config_map(), user="test")
    assert heard == []
    assert desk.view.listed(ConfigMap, "default") == []


def test_a_trial_run_is_told_more_and_stores_nothing() -> None:
    desk = registry()
    container = Container(name="&Invalid", image="shop")
    template = RevisionTemplate(spec=RevisionSpec(containers=(container,)))
    obj = Service(
        metadata=ObjectMeta(name="shop", namespace="default"), spec=ServiceSpec(template=template)
    )
    with pytest.raises(Refused, match="dry run failed with"):
        desk.create(obj, user="test", write=Write(dry_run=True))
    assert desk.at(key_of(obj)) is None
    assert desk.create(obj, user="test").metadata.uid
