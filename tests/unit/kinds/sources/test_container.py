"""Eventing reference §11: defaults and validation of a ContainerSource."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import rendered
from knlite.kinds.kreference import KReference
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container, PodSpec
from knlite.kinds.sources.container import (
    ContainerSource,
    ContainerSourceSpec,
    defaulted,
    validated,
)
from knlite.kinds.sources.sinkbinding import CloudEventOverrides

CONFIG = Config()


def source(*containers: Container, **spec: object) -> ContainerSource:
    whole = ContainerSourceSpec(
        template=PodTemplate(spec=PodSpec(containers=containers)),
        sink=Destination(uri="http://x.example"),
    )
    meta = ObjectMeta(name="heart", namespace="shop")
    return ContainerSource(metadata=meta, spec=replace(whole, **spec))


def test_its_containers_get_names_and_its_sink_no_namespace() -> None:
    """Eventing reference §20.8."""
    sink = Destination(ref=KReference(api_version="v1", kind="Service", name="s"))
    named = Container(name="mine", image="a")
    obj = defaulted(source(Container(image="a"), named, sink=sink), None, CONFIG)
    assert [each.name for each in obj.spec.template.spec.containers] == ["heart-0", "mine"]
    assert obj.spec.sink == Destination(ref=sink.ref)


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(source(Container(image="a")), "", id="good"),
        pytest.param(source(), "missing field(s): spec.containers", id="no-container"),
        pytest.param(
            source(Container(image="a"), Container()),
            "missing field(s): spec.containers[1].image",
            id="no-image",
        ),
        pytest.param(
            source(Container(image="a"), sink=Destination()),
            "expected at least one, got none: spec.sink.ref, spec.sink.uri",
            id="no-sink",
        ),
        pytest.param(
            source(Container(image="a"), ce_overrides=CloudEventOverrides(extensions={"a-b": "c"})),
            'invalid key name "a-b": spec.ceOverrides.extensions\n'
            "keys are expected to be alphanumeric",
            id="override",
        ),
    ],
)
def test_the_texts_are_upstreams(obj: ContainerSource, text: str) -> None:
    assert rendered(validated(defaulted(obj, None, CONFIG), None, CONFIG)) == text
