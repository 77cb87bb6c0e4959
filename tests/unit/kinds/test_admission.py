"""Knative reference §0.2, §1.2: who wrote an object, and what only a trial run is told."""

from dataclasses import replace as changed
from typing import Any

import pytest
from msgspec.structs import replace

from knlite.kinds.admission import Admitted, Denied, admit
from knlite.kinds.codec import decode
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.features import FeaturesConfig
from knlite.kinds.config.ping import PingConfig
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import rendered
from knlite.kinds.flows.sequence import Sequence, SequenceSpec, SequenceStep
from knlite.kinds.labels import CREATOR, LAST_MODIFIER
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.meta import Object, ObjectMeta, OwnerReference
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.service import Service
from knlite.kinds.sources.pingsource import PingSource, PingSourceSpec

CONFIG = Config()
ADA, BOB = "ada", "bob"
META = ObjectMeta(name="x", namespace="shop")
SINK = Destination(uri="http://x.example")
ONE_STEP = SequenceSpec(steps=(SequenceStep(uri="http://x.example"),))


def service(**container: Any) -> Service:
    tree = {
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {
            "template": {"spec": {"containers": [{"image": "example.com/shop", **container}]}}
        },
    }
    decoded = decode(Service, tree)
    assert decoded.value is not None, decoded.problems
    return decoded.value


def stored(obj: Object, old: Object | None = None, user: str = ADA) -> Object:
    admitted = admit(obj, old, CONFIG, user)
    assert isinstance(admitted, Admitted), admitted
    return admitted.obj


def authors(obj: Object) -> tuple[str | None, str | None]:
    found = obj.metadata.annotations
    return found.get(CREATOR), found.get(LAST_MODIFIER)


def annotated(obj: Object, **names: str) -> Object:
    keys = {"creator": CREATOR, "modifier": LAST_MODIFIER}
    added = {keys[name]: value for name, value in names.items()}
    annotations = {**obj.metadata.annotations, **added}
    return replace(obj, metadata=replace(obj.metadata, annotations=annotations))


def test_who_creates_an_object_is_noted_whatever_its_manifest_says() -> None:
    assert authors(stored(annotated(service(), creator=BOB, modifier=BOB))) == (ADA, ADA)


def test_who_changes_the_spec_is_noted() -> None:
    old = stored(service())
    assert authors(stored(service(args=["x"]), old, BOB)) == (ADA, BOB)
    assert authors(stored(service(), old, BOB)) == (ADA, ADA)


@pytest.mark.parametrize(
    ("obj", "group"),
    [
        pytest.param(Sequence(metadata=META, spec=ONE_STEP), "flows", id="flow"),
        pytest.param(InMemoryChannel(metadata=META), "messaging", id="channel"),
        pytest.param(
            PingSource(metadata=META, spec=PingSourceSpec(sink=SINK)), "sources", id="source"
        ),
    ],
)
def test_every_group_of_eventing_notes_its_own_names(obj: Object, group: str) -> None:
    found = stored(obj).metadata.annotations
    assert found[f"{group}.knative.dev/creator"] == ADA
    assert found[f"{group}.knative.dev/lastModifier"] == ADA


def test_the_creator_cannot_be_changed() -> None:
    old = stored(service())
    denied = admit(annotated(service(), creator=BOB), old, CONFIG, BOB)
    assert isinstance(denied, Denied)
    assert rendered(denied.errors) == (
        f"annotation value is immutable: metadata.annotations.{CREATOR}"
    )


def test_the_last_modifier_cannot_be_changed_without_the_spec() -> None:
    old = stored(service())
    denied = admit(annotated(service(), modifier=BOB), old, CONFIG, BOB)
    assert isinstance(denied, Denied)
    assert rendered(denied.errors) == (f"invalid value: bob: metadata.annotations.{LAST_MODIFIER}")


def test_a_child_keeps_the_names_that_its_controller_hands_down() -> None:
    owner = OwnerReference(api_version="serving.knative.dev/v1", kind="Service", name="s", uid="1")
    parent = service()
    child = Configuration(
        metadata=replace(parent.metadata, owner_references=(owner,)),
        spec=Configuration().spec,
    )
    child = replace(child, spec=replace(child.spec, template=parent.spec.template))
    named = annotated(child, creator=BOB, modifier=BOB)
    assert authors(stored(named)) == (BOB, BOB)


def test_warnings_do_not_refuse_and_name_every_container_in_one_line() -> None:
    admitted = admit(service(), None, CONFIG, ADA)
    assert isinstance(admitted, Admitted)
    assert [str(each) for each in admitted.warnings] == [
        "Kubernetes default value is insecure, Knative may default this to secure in a future"
        " release: "
        + ", ".join(
            f"spec.template.spec.containers[0].securityContext.{field}"
            for field in (
                "allowPrivilegeEscalation",
                "capabilities",
                "runAsNonRoot",
                "seccompProfile",
            )
        )
    ]


def test_secure_defaults_end_the_warnings() -> None:
    features = FeaturesConfig({"secure-pod-defaults": "Enabled"})
    admitted = admit(service(), None, changed(CONFIG, features=features), ADA)
    assert isinstance(admitted, Admitted)
    assert admitted.warnings == ()


TEXT_1123 = "a lowercase RFC 1123 label must consist of"


@pytest.mark.parametrize(
    ("container", "text"),
    [
        ({"name": "&Invalid"}, f'name: Invalid value: "&Invalid": {TEXT_1123}'),
        ({"env": [{"name": "A=B"}]}, 'env[0].name: Invalid value: "A=B": a valid environment'),
        (
            {"imagePullPolicy": "Sometimes"},
            'imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always",'
            ' "IfNotPresent", "Never"',
        ),
        (
            {"livenessProbe": {"tcpSocket": {"port": 1}, "successThreshold": 2}},
            "livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
        (
            {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}},
            'resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
        ),
    ],
    ids=str,
)
def test_a_trial_run_tells_what_would_only_show_at_the_start(
    container: dict[str, Any], text: str
) -> None:
    assert isinstance(admit(service(**container), None, CONFIG, ADA), Admitted)
    denied = admit(service(**container), None, CONFIG, ADA, dry_run=True)
    assert isinstance(denied, Denied)
    [error] = denied.errors
    assert error.paths == ("spec.template",)
    assert error.message.startswith(
        f'dry run failed with Pod "dry-run-validation" is invalid: spec.containers[0].{text}'
    )


def test_a_trial_run_of_a_good_service_succeeds() -> None:
    assert isinstance(admit(service(), None, CONFIG, ADA, dry_run=True), Admitted)


def test_what_is_being_deleted_may_go_though_the_configuration_does_not_allow_it_any_more() -> None:
    spec = PingSourceSpec(sink=Destination(uri="http://a.example"), data="too long by now")
    meta = ObjectMeta(name="p", namespace="shop", finalizers=("f",), deletion_timestamp="now")
    old = PingSource(metadata=meta, spec=spec)
    small = Config(ping=PingConfig(data_max_size=3))
    free = replace(old, metadata=replace(meta, finalizers=()))
    assert admit(free, old, small, ADA) == Admitted(free)
    longer = replace(free, spec=replace(spec, data="longer than before"))
    assert isinstance(admit(longer, old, small, ADA), Denied)
    living = replace(old, metadata=replace(meta, deletion_timestamp=None))
    assert isinstance(admit(living, living, small, ADA), Denied)
