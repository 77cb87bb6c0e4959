"""Traffic targets to revisions, and why not (Knative reference §1.11, §5.3)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.conditions import Condition, Status
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.configuration import Configuration, ConfigurationStatus
from knlite.kinds.serving.revision import Revision, RevisionStatus
from knlite.kinds.serving.route import Route, RouteSpec, TrafficTarget
from knlite.serving.rollout import Rollout, goal
from knlite.serving.traffic import Problem, by_tag, plan, shares, shown
from tests.unit.fake_view import FakeView

SERVICE = "serving.knative.dev/service"
CONFIGURATION = "serving.knative.dev/configuration"


def ready(status: Status) -> tuple[Condition, ...]:
    return (Condition(type="Ready", status=status),)


def revision(name: str, status: Status = "True", service: str = "web") -> Revision:
    labels = {SERVICE: service} if service else {}
    return Revision(
        metadata=ObjectMeta(name=name, namespace="n", labels=labels),
        status=RevisionStatus(conditions=ready(status)),
    )


def configuration(latest: str = "", status: Status = "Unknown") -> Configuration:
    return Configuration(
        metadata=ObjectMeta(name="web", namespace="n"),
        status=ConfigurationStatus(conditions=ready(status), latest_ready_revision_name=latest),
    )


def route(*traffic: TrafficTarget, service: str = "web") -> Route:
    labels = {SERVICE: service} if service else {}
    return Route(
        metadata=ObjectMeta(name="web", namespace="n", labels=labels),
        spec=RouteSpec(traffic=traffic),
    )


def pinned(name: str, percent: int = 100, tag: str = "") -> TrafficTarget:
    return TrafficTarget(revision_name=name, latest_revision=False, percent=percent, tag=tag)


def latest(percent: int = 100, tag: str = "") -> TrafficTarget:
    return TrafficTarget(configuration_name="web", latest_revision=True, percent=percent, tag=tag)


@pytest.mark.parametrize(
    ("target", "objects", "status", "reason", "message"),
    [
        pytest.param(
            latest(),
            (configuration(),),
            "Unknown",
            "RevisionMissing",
            'Configuration "web" is waiting for a Revision to become ready.',
            id="configuration not ready yet",
        ),
        pytest.param(
            latest(),
            (configuration(status="False"),),
            "False",
            "RevisionMissing",
            'Configuration "web" does not have any ready Revision.',
            id="configuration failed",
        ),
        pytest.param(
            latest(),
            (),
            "False",
            "ConfigurationMissing",
            'Configuration "web" referenced in traffic not found.',
            id="no configuration",
        ),
        pytest.param(
            latest(),
            (configuration("r"), revision("r", "Unknown")),
            "Unknown",
            "RevisionMissing",
            'Revision "r" is not yet ready.',
            id="the latest ready one is not ready any more",
        ),
        pytest.param(
            pinned("r"),
            (),
            "False",
            "RevisionMissing",
            'Revision "r" referenced in traffic not found.',
            id="no revision",
        ),
        pytest.param(
            pinned("r"),
            (revision("r", "Unknown"),),
            "Unknown",
            "RevisionMissing",
            'Revision "r" is not yet ready.',
            id="revision not ready yet",
        ),
        pytest.param(
            pinned("r"),
            (revision("r", "False"),),
            "False",
            "RevisionMissing",
            'Revision "r" failed to become ready.',
            id="revision failed",
        ),
        pytest.param(
            pinned("r"),
            (revision("r", service="api"),),
            "False",
            "RevisionNotOwned",
            'Revision "r" belongs to Service "api", not Service "web".',
            id="of another service",
        ),
        pytest.param(
            pinned("r"),
            (revision("r", service=""),),
            "False",
            "RevisionNotOwned",
            'Revision "r" does not belong to Service "web".',
            id="of no service",
        ),
    ],
)
def test_why_traffic_is_not_assigned(
    target: TrafficTarget,
    objects: tuple[Configuration | Revision, ...],
    status: Status,
    reason: str,
    message: str,
) -> None:
    assert plan(route(target), FakeView(*objects)).problem == Problem(status, reason, message)


def test_a_route_of_its_own_may_name_any_revision() -> None:
    found = plan(route(pinned("r"), service=""), FakeView(revision("r", service="api")))
    assert [each.revision_name for each in found.targets] == ["r"]


def test_what_is_final_is_told_before_what_may_still_come() -> None:
    view = FakeView(revision("a", "Unknown"), revision("b", "False"), revision("c", "Unknown"))
    found = plan(route(pinned("a", 40), pinned("b", 30), pinned("c", 30)), view)
    assert found.problem is not None
    assert found.problem.message == 'Revision "b" failed to become ready.'
    found = plan(route(pinned("a", 50), pinned("c", 50)), view)
    assert found.problem is not None
    assert found.problem.message == 'Revision "a" is not yet ready.'


def test_five_shapes_of_a_split_are_shown_as_they_are() -> None:
    """§7.1 (17): percent 0 and latestRevision are there, the Configuration is not."""
    view = FakeView(configuration("b"), revision("a"), revision("b"))
    targets = plan(route(pinned("a", 100, "current"), latest(0, "latest")), view).targets
    status = shown(targets, Rollout())
    assert [(t.revision_name, t.percent, t.latest_revision, t.tag) for t in status] == [
        ("a", 100, False, "current"),
        ("b", 0, True, "latest"),
    ]
    assert all(not each.configuration_name for each in status)
    assert shares(by_tag(targets)[""], Rollout(), "") == (("a", 100),)
    assert shares(by_tag(targets)["latest"], Rollout(), "latest") == (("b", 100),)


def test_equal_targets_are_one_in_the_status_and_equal_revisions_one_in_the_split() -> None:
    view = FakeView(configuration("a"), revision("a"), revision("b"))
    spec = (pinned("a", 20), pinned("a", 10), latest(30), pinned("b", 40))
    targets = plan(route(*spec), view).targets
    assert [(t.revision_name, t.percent) for t in shown(targets, Rollout())] == [
        ("a", 30),
        ("a", 30),
        ("b", 40),
    ]
    assert shares(by_tag(targets)[""], Rollout(), "") == (("a", 60), ("b", 40))


names = st.sampled_from(["a", "b", "c"])
percents = st.lists(st.integers(0, 100), min_size=0, max_size=5)


@given(percents.map(sorted), st.data())
def test_the_shares_of_all_requests_sum_to_a_hundred(cuts: list[int], data: st.DataObject) -> None:
    bounds = [0, *cuts, 100]
    spec = tuple(
        latest(high - low)
        if data.draw(st.booleans())
        else pinned(data.draw(names), high - low, tag=f"t{n}" if data.draw(st.booleans()) else "")
        for n, (low, high) in enumerate(pairwise(bounds))
    )
    view = FakeView(configuration("c"), *(revision(name) for name in "abc"))
    targets = plan(route(*spec), view).targets
    groups = by_tag(targets)
    rollout = goal(groups)
    for tag, group in groups.items():
        found = shares(group, rollout, tag)
        assert sum(percent for _, percent in found) == 100
        assert all(percent > 0 for _, percent in found)
    assert sum(each.percent or 0 for each in shown(targets, rollout)) == 100
