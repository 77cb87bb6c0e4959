"""Eventing reference §8: what a SinkBinding changes in its subjects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from knlite.eventing.binding import SUBJECTS, bind, injected, unbind
from knlite.eventing.destinations import Resolved
from knlite.kinds.core.deployment import Deployment, DeploymentSpec
from knlite.kinds.core.job import Job, JobSpec
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.kreference import KReference
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.podspec.fields import Container, EnvVar, PodSpec
from knlite.kinds.selectors import LabelSelector
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.revision import RevisionSpec, RevisionTemplate
from knlite.kinds.serving.service import Service, ServiceSpec
from knlite.kinds.sources.sinkbinding import (
    CloudEventOverrides,
    SinkBinding,
    SinkBindingSpec,
    Subject,
)
from tests.unit.fake_view import FakeView

SINK = Resolved("http://x.example")


def service(*env: EnvVar, **labels: str) -> Service:
    spec = RevisionSpec(
        containers=(Container(name="a", env=env), Container(name="b")),
        init_containers=(Container(name="c"),),
    )
    return Service(
        metadata=ObjectMeta(name="till", namespace="shop", labels=labels),
        spec=ServiceSpec(template=RevisionTemplate(spec=spec)),
    )


def binding(called: str = "b", uri: str = "http://x.example", **subject: object) -> SinkBinding:
    standard = Subject(api_version="serving.knative.dev/v1", kind="Service", namespace="shop")
    return SinkBinding(
        metadata=ObjectMeta(name=called, namespace="shop"),
        spec=SinkBindingSpec(
            subject=replace(standard, **(subject or {"name": "till"})), sink=Destination(uri=uri)
        ),
    )


def deleted(obj: SinkBinding) -> SinkBinding:
    meta = replace(obj.metadata, deletion_timestamp="2026-01-01T00:00:00Z")
    return replace(obj, metadata=meta)


def env_of(obj: Object) -> list[dict[str, str]]:
    assert isinstance(obj, SUBJECTS)
    spec = obj.spec.template.spec
    containers = (*spec.containers, *spec.init_containers)
    return [{each.name: each.value for each in container.env} for container in containers]


def sink_of(obj: Object) -> str | None:
    return env_of(obj)[0].get("K_SINK")


def test_every_container_gets_the_sink_and_the_overrides_at_the_end() -> None:
    overrides = CloudEventOverrides(extensions={"b": "2", "a": "1"})
    obj = bind(service(EnvVar(name="OWN", value="x")), SINK, overrides)
    added = {"K_SINK": "http://x.example", "K_CE_OVERRIDES": '{"extensions":{"a":"1","b":"2"}}'}
    assert env_of(obj) == [{"OWN": "x", **added}, added, added]


def test_without_overrides_their_variable_is_empty() -> None:
    assert env_of(bind(service(), SINK, None))[1]["K_CE_OVERRIDES"] == ""


def test_certificates_stand_between_the_two() -> None:
    obj = bind(service(), Resolved("https://x.example", ca_certs="pem"), None)
    assert list(env_of(obj)[1]) == ["K_SINK", "K_CA_CERTS", "K_CE_OVERRIDES"]


@given(st.lists(st.sampled_from(["K_SINK", "K_CA_CERTS", "K_CE_OVERRIDES", "OWN", "MINE"])))
def test_binding_again_changes_nothing_and_unbinding_leaves_the_rest(names: list[str]) -> None:
    obj = service(*(EnvVar(name=name, value="x") for name in names))
    once = bind(obj, SINK, None)
    assert bind(once, SINK, None) == once
    assert unbind(once) == unbind(obj)
    left = [each.name for each in unbind(once).spec.template.spec.containers[0].env]
    assert left == [name for name in names if not name.startswith("K_")]


@pytest.mark.parametrize(
    ("found", "sink"),
    [
        pytest.param(binding(), "http://x.example", id="by-name"),
        pytest.param(binding(name="other"), None, id="other-name"),
        pytest.param(
            binding(selector=LabelSelector(match_labels={"app": "till"})),
            "http://x.example",
            id="by-selector",
        ),
        pytest.param(
            binding(name="till", kind="Service", api_version="v1"), None, id="other-group"
        ),
        pytest.param(
            binding(selector=LabelSelector(match_labels={"app": "x"})), None, id="other-labels"
        ),
        pytest.param(deleted(binding()), None, id="being-deleted"),
        pytest.param(
            replace(
                binding(),
                metadata=ObjectMeta(name="b", namespace="other"),
            ),
            None,
            id="other-namespace",
        ),
    ],
)
def test_a_new_service_is_bound_as_it_comes_in(found: SinkBinding, sink: str | None) -> None:
    assert sink_of(injected(service(app="till"), FakeView(found))) == sink


def test_a_service_that_nothing_selects_keeps_its_own_k_sink() -> None:
    obj = service(EnvVar(name="K_SINK", value="http://mine"))
    assert injected(obj, FakeView()) is obj


def test_a_binding_that_is_being_deleted_takes_its_variables_along() -> None:
    obj = bind(service(), SINK, None)
    assert injected(obj, FakeView(deleted(binding()))) == service()


def test_a_sink_that_does_not_resolve_takes_the_variables_away() -> None:
    ref = KReference(api_version="eventing.knative.dev/v1", kind="Broker", name="gone")
    unresolved = binding()
    unresolved = replace(unresolved, spec=replace(unresolved.spec, sink=Destination(ref=ref)))
    assert injected(bind(service(), SINK, None), FakeView(unresolved)) == service()


def test_of_several_bindings_one_by_name_wins_and_then_the_first() -> None:
    everything = binding("a", "http://a", selector=LabelSelector())
    obj = service()
    assert sink_of(injected(obj, FakeView(everything, binding("z", "http://z")))) == "http://z"
    both = FakeView(binding("z", "http://z"), binding("y", "http://y"))
    assert sink_of(injected(obj, both)) == "http://y"


def test_the_exclude_label_keeps_the_webhook_out() -> None:
    label = {"bindings.knative.dev/exclude": "true"}
    excluded = service(**label)
    assert injected(excluded, FakeView(binding())) is excluded
    namespace = Namespace(metadata=ObjectMeta(name="shop", labels=label))
    assert sink_of(injected(service(), FakeView(binding(), namespace))) is None


def test_a_configuration_can_be_a_subject() -> None:
    obj = Configuration(metadata=ObjectMeta(name="till", namespace="shop"))
    spec = replace(obj.spec, template=service().spec.template)
    obj = replace(obj, spec=spec)
    found = injected(obj, FakeView(binding(kind="Configuration", name="till")))
    assert isinstance(found, Configuration)
    assert found.spec.template.spec.containers[0].env[0].name == "K_SINK"


def test_objects_of_other_kinds_come_back_as_they_are() -> None:
    obj = Broker(metadata=ObjectMeta(name="till", namespace="shop"))
    assert injected(obj, FakeView(binding())) is obj


def job() -> Job:
    pod = PodSpec(containers=(Container(name="a"),))
    meta = ObjectMeta(name="till", namespace="shop")
    return Job(metadata=meta, spec=JobSpec(template=PodTemplate(spec=pod)))


def test_deployments_and_new_jobs_are_bound_as_they_come_in() -> None:
    to_job = binding(name="till", api_version="batch/v1", kind="Job")
    assert sink_of(injected(job(), FakeView(to_job))) == "http://x.example"
    meta, template = job().metadata, job().spec.template
    deployment = Deployment(metadata=meta, spec=DeploymentSpec(template=template))
    to_deployment = binding(name="till", api_version="apps/v1", kind="Deployment")
    assert sink_of(injected(deployment, FakeView(to_deployment))) == "http://x.example"
    assert injected(deployment, FakeView(to_job)) is deployment


def test_a_job_that_is_stored_keeps_its_template() -> None:
    to_job = binding(name="till", api_version="batch/v1", kind="Job")
    assert injected(job(), FakeView(to_job, job())) == job()


def test_a_token_lies_in_a_file_that_a_variable_names() -> None:
    obj = bind(service(EnvVar(name="OWN", value="x")), SINK, None, "b-oidc-token")
    spec = obj.spec.template.spec
    (volume,) = spec.volumes
    assert (volume.name, volume.projected) == (
        "oidc-token",
        {"sources": [{"secret": {"name": "b-oidc-token"}}]},
    )
    for container in (*spec.containers, *spec.init_containers):
        (mount,) = container.volume_mounts
        assert (mount.name, mount.mount_path, mount.read_only) == ("oidc-token", "/oidc", True)
    assert [each["K_OIDC_DIR"] for each in env_of(obj)] == ["/oidc"] * 3
    assert bind(obj, SINK, None, "b-oidc-token") == obj
    assert bind(obj, SINK, None) == bind(service(EnvVar(name="OWN", value="x")), SINK, None)
    assert unbind(obj) == service(EnvVar(name="OWN", value="x"))
