"""Knative reference §1.8: how a change of an immutable spec is shown.

The first texts are those of knative/serving ``pkg/apis/serving/v1/revision_validation_test.go``.
"""

import pytest

from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container, EnvVar, HTTPGetAction, Probe, Resources
from knlite.kinds.serving.changes import REVISION_SPEC, REVISION_TEMPLATE, changes
from knlite.kinds.serving.revision import RevisionSpec, RevisionTemplate


def spec(*containers: Container, concurrency: int | None = None, account: str = "") -> RevisionSpec:
    return RevisionSpec(
        containers=containers, container_concurrency=concurrency, service_account_name=account
    )


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (
            spec(Container(image="busybox")),
            spec(Container(image="helloworld"), account="foobar"),
            "{v1.RevisionSpec}.PodSpec.Containers[0].Image:\n"
            '\t-: "busybox"\n'
            '\t+: "helloworld"\n'
            "{v1.RevisionSpec}.PodSpec.ServiceAccountName:\n"
            '\t-: ""\n'
            '\t+: "foobar"\n',
        ),
        (
            spec(concurrency=2),
            spec(concurrency=1),
            '*{v1.RevisionSpec}.ContainerConcurrency:\n\t-: "2"\n\t+: "1"\n',
        ),
        (
            spec(Container(resources=Resources(requests={"cpu": "100m"}))),
            spec(Container(resources=Resources(requests={"cpu": "50m", "memory": "1"}))),
            '{v1.RevisionSpec}.PodSpec.Containers[0].Resources.Requests["cpu"]:\n'
            '\t-: "100m"\n'
            '\t+: "50m"\n'
            '{v1.RevisionSpec}.PodSpec.Containers[0].Resources.Requests["memory"]:\n'
            '\t+: "1"\n',
        ),
        (
            spec(Container(readiness_probe=Probe(http_get=HTTPGetAction(path="/a")))),
            spec(Container(readiness_probe=Probe(http_get=HTTPGetAction(path="/b")))),
            "{v1.RevisionSpec}.PodSpec.Containers[0].ReadinessProbe.HTTPGet.Path:\n"
            '\t-: "/a"\n'
            '\t+: "/b"\n',
        ),
        (
            spec(Container(env=(EnvVar(name="A"), EnvVar(name="B", value="1")))),
            spec(Container(env=(EnvVar(name="A"),), tty=True)),
            "{v1.RevisionSpec}.PodSpec.Containers[0].Env[1->?]:\n"
            '\t-: "{"name":"B","value":"1"}"\n'
            "{v1.RevisionSpec}.PodSpec.Containers[0].TTY:\n"
            '\t-: "<nil>"\n'
            '\t+: "true"\n',
        ),
    ],
)
def test_shows_path_old_and_new(old: RevisionSpec, new: RevisionSpec, text: str) -> None:
    assert changes(REVISION_SPEC, old, new) == text


def test_quantities_that_say_the_same_do_not_differ() -> None:
    old = spec(Container(resources=Resources(limits={"cpu": "1", "memory": "1Gi"})))
    new = spec(Container(resources=Resources(limits={"cpu": "1000m", "memory": "1024Mi"})))
    assert changes(REVISION_SPEC, old, new) == ""


def test_a_template_is_its_metadata_and_its_spec() -> None:
    old = RevisionTemplate(metadata=ObjectMeta(labels={"a": "1"}), spec=spec(Container(image="x")))
    new = RevisionTemplate(metadata=ObjectMeta(labels={"a": "2"}), spec=spec(Container(image="y")))
    assert changes(REVISION_TEMPLATE, old, new) == (
        '{*v1.RevisionTemplateSpec}.ObjectMeta.Labels["a"]:\n'
        '\t-: "1"\n'
        '\t+: "2"\n'
        "{*v1.RevisionTemplateSpec}.Spec.PodSpec.Containers[0].Image:\n"
        '\t-: "x"\n'
        '\t+: "y"\n'
    )
