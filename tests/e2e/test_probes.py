"""Probes by both runtimes, as upstream's runtime conformance looks at them (§7.3, 39 to 41)."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.e2e.executable import wait_until
from tests.e2e.served import RUNTIMES, SERVICES, Run, Served, host_of, serving

pytestmark = pytest.mark.e2e

HTTP = {"httpGet": {"path": "/healthz"}}
KEPT: dict[str, object] = {"min-scale": 1, "initial-scale": 1}
LATE = {"START_DELAY": "2"}


def command(runtime: str) -> list[str]:
    if runtime == "docker":
        return ["python3", "/services/probed/server.py", "check"]
    return [sys.executable, str(SERVICES / "probed" / "server.py"), "check"]


def services(runtime: str) -> tuple[Served, ...]:
    def probed(name: str, **fields: object) -> Served:
        return Served(name=name, program="probed", scaling=KEPT, env=LATE, container=fields)

    return (
        probed("live", livenessProbe={**HTTP, "periodSeconds": 1, "initialDelaySeconds": 4}),
        probed("ready", readinessProbe={**HTTP, "periodSeconds": 1}),
        probed("command", readinessProbe={"exec": {"command": command(runtime)}}),
        probed("deleted"),
    )


@pytest.fixture(scope="module", params=RUNTIMES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    if request.param == "docker":
        request.getfixturevalue("engine")
    folder = tmp_path_factory.mktemp("services")
    with serving(folder, request.param, services(request.param)) as running:
        yield running


def pods(run: Run, service: str) -> list[dict[str, object]]:
    answer = run.knlite.admin.get(
        "/api/v1/namespaces/default/pods",
        params={"labelSelector": f"serving.knative.dev/service={service}"},
    )
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def restarts(run: Run, service: str) -> int:
    (pod,) = pods(run, service)
    (status,) = pod["status"]["containerStatuses"]  # type: ignore[index]
    return int(status["restartCount"])


def test_what_fails_its_liveness_probe_is_started_again_in_its_pod(run: Run) -> None:
    assert run.get("live").status_code == 200
    (before,) = pods(run, "live")
    assert "live-00001-deployment" in before["metadata"]["name"]  # type: ignore[index]
    assert restarts(run, "live") == 0
    assert run.get("live", "/fail").status_code == 200
    wait_until(lambda: restarts(run, "live") == 1, "the restart")
    assert run.get("live").text.endswith("True")
    (after,) = pods(run, "live")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]  # type: ignore[index]


def test_the_first_request_finds_what_a_readiness_probe_has_waited_for(run: Run) -> None:
    for service in ("ready", "command"):
        assert run.get(service).status_code == 200
        why = [fact["why"] for fact in run.knlite.seen("InstanceChanged", service=service)]
        assert not any("failed" in each for each in why)


def test_what_fails_its_readiness_probe_gets_no_requests(run: Run) -> None:
    assert run.get("ready", "/fail").status_code == 200

    def held() -> bool:
        try:
            answer = run.knlite.http.get("/", headers={"Host": host_of("ready")}, timeout=2.0)
        except httpx.TimeoutException:
            return True
        assert answer.status_code == 200
        return False

    wait_until(held, "a request that no instance gets")


def test_requests_outlive_the_deletion_of_their_pod(run: Run) -> None:
    assert run.get("deleted").status_code == 200
    (pod,) = pods(run, "deleted")
    name = pod["metadata"]["name"]  # type: ignore[index]
    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(run.get, "deleted", f"/slow?{number}") for number in range(6)]
        wait_until(lambda: run.load("deleted") == (0, 6), "all six at the instance")
        url = f"/api/v1/namespaces/default/pods/{name}"
        assert run.knlite.admin.delete(url).status_code == 200
        assert run.knlite.object(url)["metadata"]["deletionTimestamp"]
        assert [each.result().status_code for each in answers] == [200] * 6
    wait_until(lambda: run.knlite.admin.get(url).status_code == 404, "the pod gone")
    assert run.get("deleted").status_code == 200
    wait_until(lambda: len(pods(run, "deleted")) == 1, "another pod")
