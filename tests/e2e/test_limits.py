"""How long a request may take and how many may wait, by the real executable (Knative reference
§3.3 to §3.5)."""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import pytest

from tests.e2e.executable import PATIENCE, wait_until
from tests.e2e.served import RUNTIMES, Run, Served, serving

pytestmark = pytest.mark.e2e

Answers = Mapping[tuple[str, str], tuple[int, bytes]]

SERVICES = (
    Served(name="total", program="http1", spec={"timeoutSeconds": 2}),
    Served(name="first-byte", program="http1", spec={"responseStartTimeoutSeconds": 2}),
    Served(name="idle", program="http1", spec={"idleTimeoutSeconds": 2}),
    Served(
        name="full",
        program="http1",
        spec={"containerConcurrency": 1},
        scaling={"max-scale": 1, "target-burst-capacity": 0},
    ),
)


@pytest.fixture(scope="module", params=RUNTIMES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    if request.param == "docker":
        request.getfixturevalue("engine")
    with serving(tmp_path_factory.mktemp("services"), request.param, SERVICES) as running:
        yield running


GIVEN_UP = (("total", "/silent"), ("first-byte", "/silent"), ("idle", "/silent"),
            ("total", "/endless"), ("idle", "/stuck"))  # fmt: skip


@pytest.fixture(scope="module")
def given_up(run: Run) -> Answers:
    """What clients get when the time is over; asked all at once, since it takes so long."""
    for service in ("total", "first-byte", "idle"):
        # A cold start counts as well, and may take longer on a slow machine.
        wait_until(lambda name=service: run.get(name).status_code == 200, "an instance")
    with ThreadPoolExecutor(len(GIVEN_UP)) as pool:
        got = pool.map(lambda asked: got_of(run, *asked), GIVEN_UP)
        return dict(zip(GIVEN_UP, got, strict=True))


def got_of(run: Run, service: str, path: str) -> tuple[int, bytes]:
    answer = run.get(service, path)
    return answer.status_code, answer.content


@pytest.mark.parametrize(
    ("service", "timer"),
    [
        pytest.param("total", "timeoutSeconds", id="total"),
        pytest.param("first-byte", "responseStartTimeoutSeconds", id="first byte"),
        pytest.param("idle", "idleTimeoutSeconds", id="idle"),
    ],
)
def test_an_instance_that_says_nothing_is_given_up(
    run: Run, given_up: Answers, service: str, timer: str
) -> None:
    assert given_up[service, "/silent"] == (504, b"activator request timeout")
    record = run.record(service, "/silent")
    assert record["httpRequest"]["status"] == 504
    assert record["why"] == f"activator request timeout: {timer} (2 s) passed"
    assert 1.9 < record["stages"]["instance"] < 3.0
    wait_until(lambda: run.logged(service, "left alone at /silent"), "the instance told")
    run.until_idle(service)


def test_an_answer_that_has_begun_ends_with_the_time_that_it_may_take(
    run: Run, given_up: Answers
) -> None:
    status, came = given_up["total", "/endless"]
    assert status == 200
    assert re.fullmatch(rb"(more ){20,}activator request timeout", came)
    assert "timeoutSeconds" in run.record("total", "/endless")["why"]


def test_an_answer_that_stops_is_ended(run: Run, given_up: Answers) -> None:
    assert given_up["idle", "/stuck"] == (200, b"someactivator request timeout")
    record = run.record("idle", "/stuck")
    assert "idleTimeoutSeconds" in record["why"]
    assert 1.9 < record["stages"]["instance"] < 3.0


def test_one_runs_ten_wait_and_one_more_is_refused(run: Run) -> None:
    assert run.get("full").status_code == 200
    wait_until(lambda: run.knlite.seen("PathChanged", service="full", mode="Serve"), "no activator")
    says: SimpleQueue[bytes | None] = SimpleQueue()
    with ThreadPoolExecutor(11) as pool:
        running = pool.submit(run.post, "full", "/held", iter(says.get, None))
        says.put(b"a piece")
        wait_until(lambda: run.logged("full", "begun /held"), "the first at the instance")
        waiting = [pool.submit(run.get, "full") for _ in range(10)]
        wait_until(lambda: run.load("full") == (10, 1), "ten waiting")
        answer = run.get("full")
        assert (answer.status_code, answer.text) == (503, "pending request queue full\n")
        assert run.load("full") == (10, 1)
        says.put(None)
        assert running.result(PATIENCE).json()["bytes"] == len(b"a piece")
        assert {each.result(PATIENCE).status_code for each in waiting} == {200}
    run.until_idle("full")
    assert len(run.instances("full")) == 1
