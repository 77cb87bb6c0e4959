"""The article's system on the real executable: from zero, to an answer, to an event, to zero."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.executable import EXAMPLES, Knlite, wait_until

pytestmark = pytest.mark.e2e

Up = Callable[..., Knlite]
QUICK = (
    "--set",
    "config-autoscaler.stable-window=6s",
    "--set",
    "config-autoscaler.scale-to-zero-grace-period=1s",
)
RUNTIMES = [
    "process",
    pytest.param("docker", marks=pytest.mark.docker),
]


def processes_of(run: Knlite) -> list[int]:
    """Processes that *run* has started, and theirs, by their parents."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = {run.process.pid}
    while new := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= new
    return sorted(found - {run.process.pid})


def instances_of(run: Knlite) -> set[str]:
    """Names of all instances that *run* has told of; others may use the same engine."""
    return {str(fact["instance"]) for fact in run.seen("InstanceChanged")}


def containers() -> set[str]:
    """Names of all containers with an owner's label."""
    done = subprocess.run(
        ["docker", "ps", "-a", "--filter", "label=knlite.dev/owner", "--format", "{{.Names}}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def alive(pid: int) -> bool:
    """Whether a process still runs (a zombie does not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_request_starts_web_its_event_starts_process_and_both_go_back_to_zero(
    up: Up, runtime: str
) -> None:
    run = up(EXAMPLES / "article-sinkbinding", "--runtime", runtime, *QUICK).settled()
    for service in ("web", "process"):
        wait_until(lambda name=service: run.at_zero("direct", name), f"{service} at zero at first")
    answer = run.get("web.direct")
    assert (answer.status_code, answer.text) == (200, '{"hello": "world"}')
    wait_until(lambda: run.logged("process", "{'hello': 'world'}"), "the event in process's log")
    for service in ("web", "process"):
        wait_until(lambda name=service: run.seen("ColdStart", service=name), f"{service} cold")
        wait_until(lambda name=service: run.at_zero("direct", name), f"{service} back at zero")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_an_event_goes_through_the_broker_to_the_triggers_subscriber(up: Up, runtime: str) -> None:
    run = up(EXAMPLES / "article-broker", "--runtime", runtime, *QUICK).settled()
    assert run.get("web.brokered").json() == {"hello": "world"}
    wait_until(lambda: run.logged("process", "com.example.greeting"), "the event in the log")
    wait_until(
        lambda: run.seen("EventAccepted", sender="reply of trigger brokered/greetings", readers=[]),
        "process's answer back in the broker, where it does not match",
    )


def test_an_event_sent_by_hand_is_accepted_and_delivered(up: Up) -> None:
    run = up(EXAMPLES / "article-broker", "--runtime", "process").settled()
    headers = {
        "Ce-Specversion": "1.0",
        "Ce-Id": "by-hand",
        "Ce-Source": "/test",
        "Ce-Type": "com.example.greeting",
        "Content-Type": "application/json",
    }
    broker = "/ns/brokered/brokers/default"
    assert run.http.post(broker, headers=headers, json={"by": "hand"}).status_code == 202
    wait_until(lambda: run.logged("process", "{'by': 'hand'}"), "the event in process's log")
    structured = {
        "specversion": "1.0",
        "id": "s",
        "source": "/test",
        "type": "com.example.greeting",
        "data": {"mode": "structured"},
    }
    answer = run.http.post(
        broker,
        content=json.dumps(structured),
        headers={"Content-Type": "application/cloudevents+json"},
    )
    assert answer.status_code == 202
    wait_until(lambda: run.logged("process", "{'mode': 'structured'}"), "the structured event")
    assert run.http.post(broker, json={"no": "event"}).status_code == 400
    assert run.http.get(broker).status_code == 405
    assert run.http.post("/ns/brokered/brokers/none", headers=headers).status_code == 404


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_two_hundred_requests_at_zero_are_all_answered(up: Up, runtime: str) -> None:
    run = up(EXAMPLES / "article-sinkbinding", "--runtime", runtime, *QUICK).settled()
    wait_until(lambda: run.at_zero("direct", "process"), "process at zero")
    before = len(run.seen("ScaleDecided", service="process"))
    event = {
        "Ce-Specversion": "1.0", "Ce-Id": "1", "Ce-Source": "/t", "Ce-Type": "t",
        "Content-Type": "application/json", "Host": "process.direct.localhost",
    }  # fmt: skip
    with ThreadPoolExecutor(200) as pool:
        answers = list(
            pool.map(lambda _: run.http.post("/", headers=event, json={}).status_code, range(200))
        )
    assert answers == [200] * 200
    decisions = run.seen("ScaleDecided", service="process")[before:]
    # Target 100 per instance at 70 %: at most ceil(200 / 70) instances.
    assert 1 <= max(decision["desired"] for decision in decisions) <= 3
    assert len([d for d in decisions if d["was"] == 0 and d["desired"] > 0]) == 1


def test_the_end_leaves_no_process(up: Up) -> None:
    run = up(EXAMPLES / "hello-python", "--runtime", "process").settled()
    assert run.get("hello-python.default").text == "Hello Python!\n"
    started = processes_of(run)
    assert started
    assert run.stop() == 0
    assert [pid for pid in started if alive(pid)] == []


def test_ctrl_c_ends_as_sigterm_does(up: Up) -> None:
    run = up(EXAMPLES / "hello-python", "--runtime", "process").settled()
    assert run.get("hello-python.default").status_code == 200
    assert run.stop(signal.SIGINT) == 0


def test_after_kill_9_nothing_is_left_and_the_next_run_is_as_the_first(up: Up) -> None:
    run = up(EXAMPLES / "hello-python", "--runtime", "process").settled()
    assert run.get("hello-python.default").status_code == 200
    started = processes_of(run)
    run.stop(signal.SIGKILL)
    again = up(EXAMPLES / "hello-python", "--runtime", "process").settled()
    wait_until(
        lambda: not any(alive(pid) for pid in started), "the instances of the killed run gone"
    )
    assert again.get("hello-python.default").text == "Hello Python!\n"


@pytest.mark.docker
def test_containers_of_a_killed_run_are_removed_by_the_next(up: Up) -> None:
    run = up(EXAMPLES / "hello-dockerfile", "--runtime", "docker").settled()
    assert run.get("hello-dockerfile.default").text == "Hello Docker!\n"
    left = instances_of(run) & containers()
    assert left
    run.stop(signal.SIGKILL)
    again = up(EXAMPLES / "hello-dockerfile", "--runtime", "docker").settled()
    assert again.get("hello-dockerfile.default").text == "Hello Docker!\n"
    assert not left & containers()
    assert instances_of(again) & containers()
    assert again.stop() == 0
    assert not instances_of(again) & containers()


def test_all_examples_run_together_and_what_needs_an_engine_says_so(up: Up) -> None:
    run = up(EXAMPLES, "--runtime", "process", *QUICK).settled()
    assert run.get("hello-python.default").text == "Hello Python!\n"
    assert run.get("hello-command.default").text == "Hello from Perl!\n"
    assert run.get("web.direct").status_code == 200
    assert run.get("web.brokered").status_code == 200
    assert run.get("autoscale.default").status_code == 200
    answer = run.get("hello-dockerfile.default")
    assert answer.status_code == 503
    assert "Dockerfile" in answer.text
    ready = run.ready("/apis/serving.knative.dev/v1/namespaces/default/services/hello-dockerfile")
    assert ready["status"] == "False"
    assert "engine" in ready["message"]


def test_instances_multiply_with_concurrency_and_stay_below_their_maximum(up: Up) -> None:
    run = up(EXAMPLES / "autoscale", "--runtime", "process", *QUICK).settled()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: run.get("autoscale.default"), range(60)))
    assert {answer.status_code for answer in answers} == {200}
    assert 2 <= len({answer.text for answer in answers}) <= 10
    wait_until(lambda: run.at_zero("default", "autoscale"), "autoscale back at zero")


def test_logs_get_and_delete_reach_the_running_knlite(up: Up) -> None:
    run = up(EXAMPLES / "hello-python", "--runtime", "process").settled()

    def knlite(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "knlite", *arguments, "--admin-port", str(run.admin_port)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "COLUMNS": "200"},
        )

    listed = knlite("get", "ksvc")
    assert "hello-python" in listed.stdout
    assert f"http://hello-python.default.localhost:{run.port}" in listed.stdout
    assert json.loads(knlite("get", "ksvc/hello-python", "--json").stdout)["kind"] == "Service"
    assert knlite("get", "ksvc", "nobody").returncode == 3
    assert knlite("get", "nonsense").returncode == 2
    assert knlite("logs", "hello-python").returncode == 0
    assert knlite("delete", "ksvc", "hello-python").returncode == 0
    wait_until(lambda: run.get("hello-python.default").status_code == 404, "the service gone")
