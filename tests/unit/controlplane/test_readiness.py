"""What is not decided yet is known without looking through all objects."""

from msgspec.structs import replace

from knlite.controlplane.readiness import Undecided
from knlite.kinds.conditions import Condition, Status
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.route import Route, RouteStatus
from knlite.kinds.serving.service import Service
from knlite.registry.registry import Notification

META = ObjectMeta(name="web", namespace="shop")


def with_ready(status: Status, reason: str = "") -> Route:
    ready = Condition(type="Ready", status=status, reason=reason)
    return Route(metadata=META, status=RouteStatus(conditions=(ready,)))


def test_what_has_no_condition_yet_or_an_unknown_one_is_undecided() -> None:
    undecided = Undecided()
    undecided.note(Notification("added", with_ready("Unknown", "Deploying"), None))
    undecided.note(Notification("added", Service(metadata=META), None))
    undecided.note(Notification("added", Namespace(metadata=META), None))
    assert undecided
    assert undecided.words() == ["Service shop/web", "Route shop/web: Deploying"]


def test_a_decision_either_way_and_a_deletion_end_it() -> None:
    undecided = Undecided()
    route = with_ready("Unknown")
    for after in (with_ready("True"), with_ready("False", "Broken")):
        undecided.note(Notification("added", route, None))
        undecided.note(Notification("modified", after, route))
        assert not undecided
    undecided.note(Notification("modified", route, route))
    other = replace(route, metadata=replace(META, name="api"))
    undecided.note(Notification("added", other, None))
    undecided.note(Notification("deleted", route, route))
    assert undecided.words() == ["Route shop/api"]
