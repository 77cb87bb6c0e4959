"""Eventing reference §8: finalizer, subjects and status of a SinkBinding."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from knlite.eventing.reconcilers.sinkbinding import reconcile
from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import Condition, find
from knlite.kinds.core.deployment import Deployment, DeploymentSpec
from knlite.kinds.core.job import Job, JobSpec, JobStatus
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.eventing.broker import Broker, BrokerStatus
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.kreference import KReference
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container, PodSpec
from knlite.kinds.selectors import LabelSelector
from knlite.kinds.serving.revision import RevisionSpec, RevisionTemplate
from knlite.kinds.serving.service import Service, ServiceSpec
from knlite.kinds.sources.sinkbinding import (
    CONDITIONS,
    FINALIZER,
    SinkBinding,
    SinkBindingSpec,
    Subject,
)
from knlite.reconcile import Outcome, Update, key_of
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)
BROKER_URL = "http://broker-ingress.knative-eventing.svc.cluster.local/shop/default"
TO_BROKER = Destination(
    ref=KReference(api_version="eventing.knative.dev/v1", kind="Broker", name="default")
)


def service(name: str = "till", revision: str = "", **labels: str) -> Service:
    template = RevisionTemplate(
        metadata=ObjectMeta(name=revision), spec=RevisionSpec(containers=(Container(name="a"),))
    )
    meta = ObjectMeta(name=name, namespace="shop", generation=1, labels=labels)
    return Service(metadata=meta, spec=ServiceSpec(template=template))


def broker() -> Broker:
    status = BrokerStatus(address=Addressable(name="http", url=BROKER_URL))
    return Broker(metadata=ObjectMeta(name="default", namespace="shop"), status=status)


def binding(sink: Destination = TO_BROKER, **subject: object) -> SinkBinding:
    standard = Subject(api_version="serving.knative.dev/v1", kind="Service", namespace="shop")
    return SinkBinding(
        metadata=ObjectMeta(name="b", namespace="shop", generation=4),
        spec=SinkBindingSpec(subject=replace(standard, **(subject or {"name": "till"})), sink=sink),
    )


def reconciled(view: FakeView) -> SinkBinding:
    key = key_of(binding())
    view.apply(reconcile(key, view, NOW))
    assert reconcile(key, view, LATER) == Outcome(), "it does not settle"
    found = view.get(SinkBinding, "shop", "b")
    assert found is not None
    return found


def deleting(view: FakeView) -> None:
    found = view.get(SinkBinding, "shop", "b")
    assert found is not None
    meta = replace(found.metadata, deletion_timestamp="2026-01-02T00:00:00Z")
    view.put(replace(found, metadata=meta))


def condition(obj: SinkBinding, name: str) -> tuple[str, str, str]:
    found = find(obj.status.conditions, name)
    assert found is not None
    return found.status, found.reason, found.message


def sink_of(view: FakeView, name: str = "till") -> str | None:
    found = view.get(Service, "shop", name)
    assert found is not None
    env = found.spec.template.spec.containers[0].env
    return next((each.value for each in env if each.name == "K_SINK"), None)


def test_a_binding_gives_its_subject_the_sink_and_becomes_ready() -> None:
    view = FakeView(binding(), service(), broker())
    obj = reconciled(view)
    assert sink_of(view) == BROKER_URL
    assert obj.status.sink_uri == BROKER_URL
    assert obj.metadata.finalizers == (FINALIZER,)
    assert obj.status.observed_generation == 4
    assert condition(obj, "Ready") == ("True", "", "")
    assert all(condition(obj, name)[0] == "True" for name in CONDITIONS.dependents)
    for name in ("OIDCIdentityCreated", "OIDCTokenSecretCreated"):
        assert condition(obj, name)[1] == "authentication-oidc feature disabled"


def test_a_missing_subject_is_waited_for() -> None:
    view = FakeView(binding(), broker())
    obj = reconciled(view)
    expected = ("False", "SubjectMissing", 'services.serving.knative.dev "till" not found')
    assert condition(obj, "SinkBindingAvailable") == expected
    assert condition(obj, "Ready") == expected
    assert condition(obj, "SinkProvided")[0] == "Unknown"
    assert obj.status.observed_generation == 0
    view.put(service())
    assert condition(reconciled(view), "Ready")[0] == "True"
    assert sink_of(view) == BROKER_URL


def test_a_selector_binds_what_it_matches_and_may_match_nothing() -> None:
    view = FakeView(binding(selector=LabelSelector(match_labels={"app": "x"})), broker())
    assert condition(reconciled(view), "Ready")[0] == "True"
    view.put(service("one", app="x"))
    view.put(service("two", app="x"))
    view.put(service("three", app="y"))
    reconciled(view)
    sinks = [sink_of(view, name) for name in ("one", "two", "three")]
    assert sinks == [BROKER_URL, BROKER_URL, None]


def test_a_kind_that_cannot_be_bound_is_named() -> None:
    obj = reconciled(FakeView(binding(api_version="apps/v1", kind="DaemonSet", name="till")))
    assert condition(obj, "SinkBindingAvailable") == (
        "False",
        "SubjectUnavailable",
        "knlite cannot bind DaemonSet of apps/v1, only Service and Configuration of"
        " serving.knative.dev/v1, Deployment of apps/v1 and Job of batch/v1",
    )


def test_a_sink_that_is_gone_takes_the_variables_along_and_comes_back() -> None:
    view = FakeView(binding(), service(), broker())
    reconciled(view)
    view.remove(broker())
    obj = reconciled(view)
    assert condition(obj, "SinkBindingAvailable")[0] == "True"
    assert condition(obj, "SinkProvided") == (
        "False",
        "NoAddressable",
        "Addressable could not be extracted from destination: failed to get object shop/default:"
        ' brokers.eventing.knative.dev "default" not found',
    )
    assert (sink_of(view), obj.status.sink_uri) == (None, "")
    view.put(broker())
    assert condition(reconciled(view), "Ready")[0] == "True"
    assert sink_of(view) == BROKER_URL


def test_another_sink_reaches_the_subject() -> None:
    view = FakeView(binding(), service(), broker())
    obj = reconciled(view)
    spec = replace(obj.spec, sink=Destination(uri="http://other.example"))
    view.put(replace(obj, spec=spec))
    assert reconciled(view).status.sink_uri == "http://other.example"
    assert sink_of(view) == "http://other.example"


@pytest.mark.parametrize("subject_is_there", [True, False])
def test_deleting_unbinds_first_and_then_lets_go(subject_is_there: bool) -> None:
    view = FakeView(binding(), service(), broker())
    reconciled(view)
    deleting(view)
    if not subject_is_there:
        view.remove(service())
    outcome = reconcile(key_of(binding()), view, LATER)
    last = outcome.changes[-1]
    assert isinstance(last, Update)
    assert last.obj.metadata.finalizers == ()
    view.apply(outcome)
    assert view.get(SinkBinding, "shop", "b") is None
    if subject_is_there:
        assert sink_of(view) is None


def test_a_service_with_a_revision_name_of_its_own_cannot_be_bound() -> None:
    view = FakeView(binding(), service(revision="till-one"), broker())
    obj = reconciled(view)
    status, reason, message = condition(obj, "SinkBindingAvailable")
    assert (status, reason) == ("False", "BindingFailed")
    assert message.startswith("failed binding subject till: admission webhook")
    assert sink_of(view) is None


def test_two_bindings_of_one_service_come_to_rest() -> None:
    second = replace(
        binding(Destination(uri="http://other.example")),
        metadata=ObjectMeta(name="c", namespace="shop", generation=1),
    )
    view = FakeView(binding(), second, service(), broker())
    for _ in range(2):
        for key in (key_of(binding()), key_of(second)):
            view.apply(reconcile(key, view, NOW))
    assert reconcile(key_of(binding()), view, NOW) == Outcome()
    assert reconcile(key_of(second), view, NOW) == Outcome()
    assert sink_of(view) == BROKER_URL


def job(*conditions: Condition) -> Job:
    pod = PodSpec(containers=(Container(name="a"),))
    return Job(
        metadata=ObjectMeta(name="till", namespace="shop"),
        spec=JobSpec(template=PodTemplate(spec=pod)),
        status=JobStatus(conditions=conditions),
    )


def test_a_job_that_came_before_its_binding_cannot_be_bound() -> None:
    view = FakeView(binding(api_version="batch/v1", kind="Job", name="till"), broker(), job())
    assert condition(reconciled(view), "SinkBindingAvailable") == (
        "False",
        "BindingFailed",
        'failed binding subject till: Job.batch "till" is invalid: spec.template: Invalid value:'
        " field is immutable",
    )
    assert view.get(Job, "shop", "till") == job()


def test_a_job_that_has_ended_is_left_alone() -> None:
    ended = job(Condition(type="Complete", status="True"))
    view = FakeView(binding(api_version="batch/v1", kind="Job", name="till"), broker(), ended)
    assert condition(reconciled(view), "SinkBindingAvailable")[0] == "True"
    assert view.get(Job, "shop", "till") == ended


def test_a_deployment_is_bound() -> None:
    meta, template = job().metadata, job().spec.template
    deployment = Deployment(metadata=meta, spec=DeploymentSpec(template=template))
    view = FakeView(
        binding(api_version="apps/v1", kind="Deployment", name="till"), broker(), deployment
    )
    reconciled(view)
    found = view.get(Deployment, "shop", "till")
    assert found is not None
    env = found.spec.template.spec.containers[0].env
    assert [each.name for each in env] == ["K_SINK", "K_CE_OVERRIDES"]
