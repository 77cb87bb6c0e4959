"""Eventing reference §11: the children and the status of a ContainerSource."""

from datetime import UTC, datetime

from msgspec.structs import replace

from knlite.eventing.binding import bind
from knlite.eventing.destinations import Resolved
from knlite.eventing.reconcilers.containersource import reconcile
from knlite.kinds.conditions import Condition, find
from knlite.kinds.core.deployment import Deployment, DeploymentStatus
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container, EnvVar, PodSpec
from knlite.kinds.sources.container import ContainerSource, ContainerSourceSpec
from knlite.kinds.sources.sinkbinding import CloudEventOverrides, SinkBinding, SinkBindingStatus
from knlite.reconcile import Create, Outcome, key_of
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SINK = Resolved("http://x.example")


def source() -> ContainerSource:
    pod = PodSpec(containers=(Container(name="main", image="a"),))
    return ContainerSource(
        metadata=ObjectMeta(name="heart", namespace="shop", uid="u", generation=3),
        spec=ContainerSourceSpec(
            template=PodTemplate(metadata=ObjectMeta(labels={"mine": "yes"}), spec=pod),
            sink=Destination(uri="http://x.example"),
            ce_overrides=CloudEventOverrides(extensions={"a": "b"}),
        ),
    )


def reconciled(view: FakeView) -> ContainerSource:
    view.apply(reconcile(key_of(source()), view, NOW))
    found = view.get(ContainerSource, "shop", "heart")
    assert found is not None
    return found


def condition(obj: ContainerSource, name: str = "Ready") -> tuple[str, str, str]:
    found = find(obj.status.conditions, name)
    assert found is not None
    return found.status, found.reason, found.message


def deployment_in(view: FakeView) -> Deployment:
    found = view.get(Deployment, "shop", "heart-deployment")
    assert found is not None
    return found


def binding_in(view: FakeView) -> SinkBinding:
    found = view.get(SinkBinding, "shop", "heart-sinkbinding")
    assert found is not None
    return found


def test_the_binding_is_made_before_what_it_binds() -> None:
    view = FakeView(source())
    made = [
        type(change.obj).__name__
        for change in reconcile(key_of(source()), view, NOW).changes
        if isinstance(change, Create)
    ]
    assert made == ["SinkBinding", "Deployment"]
    obj = reconciled(view)
    labels = {
        "sources.knative.dev/source": "container-source-controller",
        "sources.knative.dev/containerSource": "heart",
    }
    deployment, binding = deployment_in(view), binding_in(view)
    assert deployment.metadata.labels == labels
    assert deployment.spec.template.metadata.labels == {"mine": "yes", **labels}
    assert deployment.spec.replicas == 1
    subject = binding.spec.subject
    assert (subject.kind, subject.name) == ("Deployment", "heart-deployment")
    assert binding.spec.ce_overrides == source().spec.ce_overrides
    assert condition(obj, "SinkBindingReady") == ("Unknown", "", "")
    text = "The Deployment 'heart-deployment' is unavailable."
    assert condition(obj, "ReceiveAdapterReady") == ("Unknown", "DeploymentUnavailable", text)


def test_it_is_as_ready_as_its_children_and_says_what_the_binding_says_of_the_sink() -> None:
    view = FakeView(source())
    reconciled(view)
    ready = (Condition(type="Ready", status="True"),)
    status = SinkBindingStatus(conditions=ready, sink_uri="http://x.example")
    view.put(replace(binding_in(view), status=status))
    no = Condition(type="Available", status="False", reason="Few", message="too few")
    view.put(replace(deployment_in(view), status=DeploymentStatus(conditions=(no,))))
    obj = reconciled(view)
    assert obj.status.sink_uri == "http://x.example"
    assert obj.status.observed_generation == 3
    assert condition(obj) == ("False", "Few", "too few")
    yes = replace(no, status="True")
    view.put(replace(deployment_in(view), status=DeploymentStatus(conditions=(yes,))))
    assert condition(reconciled(view)) == ("True", "", "")
    assert reconcile(key_of(source()), view, NOW) == Outcome()


def test_edits_of_its_children_are_undone_but_for_what_the_binding_wrote() -> None:
    view = FakeView(source())
    reconciled(view)
    bound = bind(deployment_in(view), SINK, source().spec.ce_overrides)
    view.put(bound)
    reconciled(view)
    assert deployment_in(view) == bound
    template = bound.spec.template
    (container,) = template.spec.containers
    edited = replace(container, env=(*container.env, EnvVar(name="MINE", value="1")))
    pod = replace(template.spec, containers=(edited,))
    spec = replace(bound.spec, replicas=5, template=replace(template, spec=pod))
    view.put(replace(bound, spec=spec))
    other = replace(binding_in(view).spec, sink=Destination(uri="http://y.example"))
    view.put(replace(binding_in(view), spec=other))
    reconciled(view)
    assert deployment_in(view).spec.replicas == 1
    names = [each.name for each in deployment_in(view).spec.template.spec.containers[0].env]
    assert "MINE" not in names
    assert binding_in(view).spec.sink.uri == "http://x.example"


def test_a_name_that_somebody_else_has_taken_is_told() -> None:
    theirs = Deployment(metadata=ObjectMeta(name="heart-deployment", namespace="shop"))
    view = FakeView(source(), theirs)
    obj = reconciled(view)
    text = 'deployment "heart-deployment" is not owned by ContainerSource "heart"'
    assert condition(obj, "ReceiveAdapterReady") == ("False", "NotOwned", text)
    assert deployment_in(view) == theirs


def test_what_cannot_be_made_is_told_and_not_tried_for_ever() -> None:
    obj = source()
    template = obj.spec.template
    once = replace(template, spec=replace(template.spec, restart_policy="Never"))
    obj = replace(obj, spec=replace(obj.spec, template=once))
    view = FakeView(obj)
    outcome = reconcile(key_of(obj), view, NOW)
    assert [type(each.obj) for each in outcome.changes if isinstance(each, Create)] == [SinkBinding]
    status, reason, text = condition(reconciled(view), "ReceiveAdapterReady")
    assert (status, reason) == ("False", "Invalid")
    assert text == (
        "Deployment heart-deployment is not valid: "
        'Unsupported value: "Never": supported values: "Always": spec.template.spec.restartPolicy'
    )


def test_a_name_that_its_binding_cannot_point_to_is_told() -> None:
    obj = source()
    obj = replace(obj, metadata=replace(obj.metadata, name="heart.beat"))
    view = FakeView(obj)
    outcome = reconcile(key_of(obj), view, NOW)
    made = [type(each.obj) for each in outcome.changes if isinstance(each, Create)]
    assert made == [Deployment]
    view.apply(outcome)
    found = view.get(ContainerSource, "shop", "heart.beat")
    assert found is not None
    status, reason, text = condition(found, "SinkBindingReady")
    assert (status, reason) == ("False", "Invalid")
    assert text.startswith("SinkBinding heart.beat-sinkbinding is not valid: invalid value:")
