"""What is not decided yet is known without looking through all objects; what is decided is told."""

from collections.abc import Callable, Hashable
from datetime import UTC, datetime

from msgspec.structs import replace

from knlite.controlplane.readiness import ReadinessFacts, Undecided
from knlite.facts import Fact, ReadyChanged
from knlite.kinds.conditions import Condition, Status
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.pod import ContainerState, Pod, PodContainerStatus, PodStatus, WaitingState
from knlite.kinds.messaging.channel import Channel, ChannelStatus
from knlite.kinds.meta import ObjectMeta, OwnerReference
from knlite.kinds.serving.route import Route, RouteStatus
from knlite.kinds.serving.service import Service
from knlite.registry.registry import Notification

META = ObjectMeta(name="web", namespace="shop")
CONDITIONS = (Condition(type="Ready", status="True"),)


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


def test_what_waits_for_something_else_is_decided() -> None:
    undecided = Undecided()
    channel = with_steps("Unknown", "ChannelReferenceFailed")
    undecided.note(Notification("added", channel, None))
    assert not undecided


def pod(*statuses: PodContainerStatus, ready: Status = "False") -> Pod:
    owner = OwnerReference(
        api_version="apps/v1", kind="Deployment", name="web", uid="1", controller=True
    )
    condition = Condition(type="Ready", status=ready, last_transition_time="2026-01-01T00:00:00Z")
    return Pod(
        metadata=replace(META, owner_references=(owner,)),
        status=PodStatus(conditions=(condition,), container_statuses=statuses),
    )


def test_a_pod_is_decided_once_it_was_ready_or_has_failed() -> None:
    undecided = Undecided()
    coming = ContainerState(waiting=WaitingState(reason="ContainerCreating"))
    crashed = PodContainerStatus(name="main", ready=False, restart_count=1, image="", image_id="")
    new = pod(replace(crashed, restart_count=0, state=coming))
    waiting = WaitingState(reason="ErrImagePull")
    unstartable = replace(crashed, restart_count=0, state=ContainerState(waiting=waiting))
    for after in (pod(ready="True"), pod(crashed), pod(unstartable)):
        undecided.note(Notification("added", new, None))
        assert undecided.words() == ["Pod shop/web"]
        undecided.note(Notification("modified", after, new))
        assert not undecided
        undecided.note(Notification("modified", new, after))
        assert not undecided


class Told:
    """What was published, and what is still to be run in a moment."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.waiting: dict[Hashable, Callable[[], None]] = {}
        self.ready = ReadinessFacts(
            lambda: datetime(2026, 1, 2, tzinfo=UTC), self.facts.append, self.waiting.__setitem__
        )

    def moment(self) -> list[tuple[str, str]]:
        """Status and reason of what is told after a moment."""
        for write in self.waiting.values():
            write()
        self.waiting.clear()
        found = [
            (fact.status, fact.reason) for fact in self.facts if isinstance(fact, ReadyChanged)
        ]
        self.facts.clear()
        return found


def with_steps(status: Status, reason: str = "", owner: str = "") -> Channel:
    ready = Condition(type="Ready", status=status, reason=reason)
    reference = OwnerReference(
        api_version="v1", kind="Sequence", name="q", uid=owner, controller=True
    )
    meta = replace(META, owner_references=(reference,) if owner else ())
    return Channel(metadata=meta, status=ChannelStatus(conditions=(ready,)))


def test_a_service_is_told_of_at_once_and_what_is_below_it_is_not() -> None:
    told = Told()
    told.ready.note(Notification("modified", with_ready("False", "Broken"), with_ready("Unknown")))
    assert told.moment() == []
    service = Service(metadata=META)
    ready = replace(service, status=replace(service.status, conditions=CONDITIONS))
    told.ready.note(Notification("modified", ready, service))
    assert [type(fact) for fact in told.facts] == [ReadyChanged]


def test_the_steps_of_a_channel_are_not_told() -> None:
    told = Told()
    for step in (with_steps("False", "EmptyHostname"), with_steps("Unknown"), with_steps("True")):
        told.ready.note(Notification("modified", step, None))
    assert told.moment() == [("True", "")]
    told.ready.note(Notification("modified", with_steps("True"), None))
    assert told.moment() == []
    told.ready.note(Notification("deleted", with_steps("True"), None))
    assert told.moment() == []
    told.ready.note(Notification("added", with_steps("True"), None))
    assert told.moment() == [("True", "")]


def test_what_belongs_to_another_is_told_of_only_when_it_is_in_its_way() -> None:
    told = Told()
    told.ready.note(Notification("modified", with_steps("True", owner="1"), None))
    assert told.moment() == []
    told.ready.note(Notification("modified", with_steps("False", "Broken", owner="1"), None))
    assert told.moment() == [("False", "Broken")]
