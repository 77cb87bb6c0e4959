"""Knative reference §1.2, §1.3: traffic targets, their defaults and their rules."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import refusing, rendered
from knlite.kinds.labels import CREATOR, ROLLOUT_DURATION, SERVICE, VISIBILITY
from knlite.kinds.meta import ObjectMeta, OwnerReference
from knlite.kinds.serving.route import (
    Route,
    RouteSpec,
    TrafficTarget,
    defaulted,
    traffic_defaulted,
    traffic_errors,
    validated,
)

CONFIG = Config()
ALL = TrafficTarget(configuration_name="shop", percent=100)


def route(*traffic: TrafficTarget, **meta: dict[str, str]) -> Route:
    return Route(metadata=ObjectMeta(name="shop", **meta), spec=RouteSpec(traffic=traffic))


def problems(obj: Route, old: Route | None = None) -> str:
    return rendered(refusing(validated(defaulted(obj, old, CONFIG), old, CONFIG)))


def test_targets_say_whether_they_follow_and_how_much_they_get() -> None:
    targets = (TrafficTarget(revision_name="r"), TrafficTarget(configuration_name="c", percent=5))
    assert traffic_defaulted(targets) == (
        TrafficTarget(revision_name="r", latest_revision=False, percent=0),
        TrafficTarget(configuration_name="c", latest_revision=True, percent=5),
    )


@pytest.mark.parametrize(
    ("traffic", "text"),
    [
        ((ALL,), ""),
        (
            (
                TrafficTarget(revision_name="a", percent=90, tag="old"),
                TrafficTarget(revision_name="a", percent=10),
                TrafficTarget(configuration_name="c", tag="next"),
            ),
            "",
        ),
        ((), "Traffic targets sum to 0, want 100: spec.traffic"),
        (
            (replace(ALL, percent=90),),
            "Traffic targets sum to 90, want 100: spec.traffic",
        ),
        (
            (replace(ALL, percent=101), replace(ALL, percent=-1)),
            "expected 0 <= -1 <= 100: spec.traffic[1].percent\n"
            "expected 0 <= 101 <= 100: spec.traffic[0].percent",
        ),
        (
            (TrafficTarget(percent=100),),
            "expected exactly one, got neither: spec.traffic[0].configurationName,"
            " spec.traffic[0].revisionName",
        ),
        (
            (TrafficTarget(percent=100, revision_name="r", configuration_name="c"),),
            "expected exactly one, got both: spec.traffic[0].configurationName,"
            " spec.traffic[0].revisionName",
        ),
        (
            (TrafficTarget(percent=100, revision_name="r", latest_revision=True),),
            'may not set revisionName "r" when latestRevision is true:'
            " spec.traffic[0].latestRevision",
        ),
        (
            (replace(ALL, latest_revision=False),),
            'may not set revisionName "" when latestRevision is false:'
            " spec.traffic[0].latestRevision",
        ),
        (
            (replace(ALL, tag="t"), replace(ALL, tag="t", percent=0)),
            'Multiple definitions for "t": spec.traffic[0].tag, spec.traffic[1].tag',
        ),
        (
            (replace(ALL, url="http://x"),),
            "must not set the field(s): spec.traffic[0].url",
        ),
    ],
)
def test_traffic_has_rules(traffic: tuple[TrafficTarget, ...], text: str) -> None:
    assert problems(route(*traffic)) == text


def test_a_tag_is_a_label_and_its_index_sits_on_the_tag() -> None:
    text = problems(route(replace(ALL, tag="No.Tag")))
    assert text.startswith("invalid value: not a DNS 1035 label: [a DNS-1035 label must consist")
    assert text.endswith("]: spec.traffic.tag[0]")


def test_a_revision_has_a_name_that_is_possible() -> None:
    text = problems(route(TrafficTarget(revision_name="-x", percent=100)))
    assert text.startswith('invalid key name "-x": spec.traffic[0].revisionName\nname part must')


def test_where_the_configuration_is_given_it_is_not_named() -> None:
    found = traffic_errors((ALL, TrafficTarget(percent=0)), has_configuration=True)
    assert rendered(found) == "must not set the field(s): [0].configurationName"


@pytest.mark.parametrize(
    ("meta", "text"),
    [
        (
            {"annotations": {ROLLOUT_DURATION: "x"}},
            f"invalid value: x: metadata.annotations.{ROLLOUT_DURATION}",
        ),
        ({"labels": {SERVICE: "s"}}, f"missing field(s): metadata.labels.{SERVICE}"),
        ({"labels": {VISIBILITY: "hidden"}}, ""),
        (
            {"annotations": {"autoscaling.knative.dev/target": "1"}},
            'invalid key name "autoscaling.knative.dev/target": metadata.annotations\n'
            'autoscaling annotations must be put under "spec.template.metadata.annotations" to'
            " work",
        ),
    ],
)
def test_metadata_has_rules(meta: dict[str, dict[str, str]], text: str) -> None:
    assert problems(route(ALL, **meta)) == text


def test_the_creator_stays_unless_a_service_owns_the_route() -> None:
    old = route(ALL, annotations={CREATOR: "a"})
    new = route(ALL, annotations={CREATOR: "b"})
    assert problems(new, old) == f"annotation value is immutable: metadata.annotations.{CREATOR}"
    owner = OwnerReference(api_version="v1", kind="Service", name="shop", uid="1")
    owned = replace(new, metadata=replace(new.metadata, owner_references=(owner,)))
    assert problems(owned, old) == ""
