"""Eventing reference §8: defaults and validation of a SinkBinding."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import rendered
from knlite.kinds.kreference import KReference
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.selectors import LabelSelector, LabelSelectorRequirement
from knlite.kinds.sources.sinkbinding import (
    CloudEventOverrides,
    SinkBinding,
    SinkBindingSpec,
    Subject,
    defaulted,
    validated,
)

CONFIG = Config()


def binding(overrides: dict[str, str] | None = None, **subject: object) -> SinkBinding:
    standard = Subject(
        api_version="serving.knative.dev/v1", kind="Service", namespace="shop", name="till"
    )
    return SinkBinding(
        metadata=ObjectMeta(name="b", namespace="shop"),
        spec=SinkBindingSpec(
            subject=replace(standard, **subject),
            sink=Destination(uri="http://x.example"),
            ce_overrides=None if overrides is None else CloudEventOverrides(extensions=overrides),
        ),
    )


def test_subject_and_sink_lie_in_its_namespace() -> None:
    obj = binding(namespace="")
    sink = Destination(ref=KReference(api_version="v1", kind="Service", name="s"))
    obj = defaulted(replace(obj, spec=replace(obj.spec, sink=sink)), None, CONFIG)
    assert obj.spec.subject.namespace == "shop"
    assert obj.spec.sink.ref is not None
    assert obj.spec.sink.ref.namespace == "shop"


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(binding(), "", id="by-name"),
        pytest.param(binding(name="", selector=LabelSelector()), "", id="by-selector"),
        pytest.param(
            binding(name=""),
            "expected exactly one, got neither: spec.subject.name, spec.subject.selector",
            id="neither",
        ),
        pytest.param(
            binding(selector=LabelSelector()),
            "expected exactly one, got both: spec.subject.name, spec.subject.selector",
            id="both",
        ),
        pytest.param(
            binding(api_version="", kind="", namespace=""),
            "missing field(s): spec.subject.apiVersion, spec.subject.kind, spec.subject.namespace",
            id="missing",
        ),
        pytest.param(
            binding(namespace="other"), "invalid value: other: spec.subject.namespace", id="other"
        ),
        pytest.param(
            binding(
                name="",
                selector=LabelSelector(
                    match_expressions=(LabelSelectorRequirement(key="a", operator="Is"),)
                ),
            ),
            'invalid value: "Is" is not a valid label selector operator: spec.subject.selector',
            id="selector",
        ),
        pytest.param(binding({"tenant": "eu", "A1": ""}), "", id="overrides"),
        pytest.param(
            binding({"my-key": "x"}),
            'invalid key name "my-key": spec.ceOverrides.extensions\n'
            "keys are expected to be alphanumeric",
            id="override-key",
        ),
        pytest.param(
            binding({"": "x"}),
            'invalid key name "": spec.ceOverrides.extensions\nkeys MUST NOT be empty',
            id="empty-override-key",
        ),
    ],
)
def test_validation(obj: SinkBinding, text: str) -> None:
    assert rendered(validated(obj, None, CONFIG)) == text


@pytest.mark.parametrize(
    ("subject", "beginning"),
    [
        pytest.param({"name": "a.b"}, "invalid value: a lowercase RFC 1123 label", id="dots"),
        pytest.param({"kind": "My-Kind"}, "invalid value: a valid C identifier", id="kind"),
        pytest.param({"api_version": "a/b/c"}, "invalid value: a valid label key", id="version"),
    ],
)
def test_names_in_the_subject(subject: dict[str, str], beginning: str) -> None:
    assert rendered(validated(binding(**subject), None, CONFIG)).startswith(beginning)
