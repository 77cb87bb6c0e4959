"""What a Pod says through starts, failures and restarts (Kubernetes core/v1; §1.11)."""

from knlite.kinds.conditions import Condition, find, since
from knlite.kinds.core.pod import PodStatus
from knlite.kinds.podspec.fields import Container
from knlite.serving.podlife import PodLife, new_life, termination

APP, SIDE = Container(name="app", image="app:1"), Container(name="side", image="side:1")
ENDED = termination(137, oom=True, message="bye", began="t0", now="t1")


def status(life: PodLife) -> PodStatus:
    return life.status((APP, SIDE), {"app": "app@sha256:1"})


def ready(life: PodLife) -> tuple[str, str]:
    found = find(status(life).conditions)
    assert found is not None
    return found.status, found.message


def running() -> PodLife:
    return new_life((APP, SIDE)).starting().started("10.0.0.1", "t0")


def test_it_waits_for_its_containers_and_then_for_their_probes() -> None:
    created = status(new_life((APP, SIDE)))
    assert created.phase == "Pending"
    waiting = created.container_statuses[0].state.waiting
    assert waiting is not None
    assert waiting.reason == "ContainerCreating"
    life = running()
    assert (status(life).phase, status(life).pod_ip) == ("Running", "10.0.0.1")
    assert ready(life) == ("False", "containers with unready status: [app side]")
    assert ready(life.answering(frozenset({"app"})))[1].endswith("[side]")
    assert ready(life.answering(frozenset({"app", "side"}))) == ("True", "")
    assert status(life).container_statuses[0].image_id == "app@sha256:1"


def test_only_the_container_that_ended_counts_a_restart() -> None:
    ended = running().ended("side", ENDED)
    again = ended.starting().started("10.0.0.2", "t2")
    app, side = status(again).container_statuses
    assert (app.restart_count, side.restart_count) == (0, 1)
    assert side.last_state.terminated == ENDED
    assert ENDED.reason == "OOMKilled"
    assert app.last_state.terminated is None


def test_it_backs_off_in_kubernetes_words_and_counts_the_restart_once() -> None:
    waits = running().ended("app", ENDED).backing_off(160.0, "web-1_default")
    waiting = status(waits).container_statuses[0].state.waiting
    assert waiting is not None
    assert waiting.reason == "CrashLoopBackOff"
    assert waiting.message == "back-off 2m40s restarting failed container=app pod=web-1_default"
    assert status(waits.starting()).container_statuses[0].restart_count == 1


def test_an_image_that_cannot_be_had_is_no_restart() -> None:
    failed = new_life((APP,)).starting().failed("ErrImagePull", "no such image")
    waits = failed.backing_off(10.0, "p")
    waiting = waits.status((APP,), {}).container_statuses[0].state.waiting
    assert waiting is not None
    assert waiting.reason == "ImagePullBackOff"
    assert "no such image" in waiting.message
    assert waits.starting().containers["app"].restarts == 0


def test_a_condition_keeps_its_moment_until_its_status_changes() -> None:
    before = (Condition(type="Ready", status="False", last_transition_time="t0"),)
    (same,) = since((Condition(type="Ready", status="False", reason="New"),), before, "t1")
    assert (same.last_transition_time, same.reason) == ("t0", "New")
    (other,) = since((Condition(type="Ready", status="True"),), before, "t1")
    assert other.last_transition_time == "t1"
