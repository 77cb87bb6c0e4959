"""When a probe is due and what its answers amount to (Knative reference §3.7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.podspec.fields import (
    Container,
    ContainerPort,
    ExecAction,
    GRPCAction,
    HTTPGetAction,
    Probe,
    TCPSocketAction,
)
from knlite.serving.probing import (
    ACTIVATOR_PERIOD,
    PERIOD,
    SLOWEST_WAIT,
    ProbeRun,
    ProbeSpec,
    Role,
    probes,
)


def spec(role: Role = "Readiness", **fields: object) -> ProbeSpec:
    return ProbeSpec(role=role, container="user-container", **fields)  # type: ignore[arg-type]


def played(run: ProbeRun, answers: str, took: float = 0.0) -> list[float]:
    """The instants at which *answers* (``+`` or ``-``) were given, each when it was due."""
    instants = []
    for answer in answers:
        instants.append(round(run.due, 6))
        run.record(run.due + took, answer == "+")
    return instants


def test_the_default_readiness_asks_briskly_and_then_every_ten_seconds() -> None:
    run = ProbeRun(spec(), started=100.0)
    assert played(run, "---+") == [100.0, 100.002, 100.004, 100.006]
    assert run.passing
    passed = 100.006
    assert played(run, "+++") == [passed + PERIOD * n for n in (1, 2, 3)]


def test_what_was_ready_becomes_unready_after_three_failures_and_is_asked_often_then() -> None:
    run = ProbeRun(spec(), started=0.0)
    played(run, "+--")
    assert run.passing
    since = run.due
    played(run, "-")
    assert not run.passing
    assert since == pytest.approx(30.0)
    assert played(run, "--+")[1] - since == pytest.approx(2 * ACTIVATOR_PERIOD)
    assert run.passing
    assert not run.exhausted


@given(st.lists(st.booleans(), max_size=300))
def test_aggressive_probing_never_waits_longer_than_knative_before_it_is_ready(
    answers: list[bool],
) -> None:
    run = ProbeRun(spec(), started=0.0)
    for passed in answers:
        if run.passed_once:
            return
        due = run.due
        run.record(due, passed)
        if not passed:
            assert 0 < run.due - due <= SLOWEST_WAIT


def test_readiness_with_a_period_needs_its_thresholds() -> None:
    run = ProbeRun(spec(period=1.0, success_threshold=2, failure_threshold=2), started=0.0)
    played(run, "+-+")
    assert not run.passing, "not in a row"
    played(run, "+")
    assert run.passing
    first = run.due
    assert played(run, "-+--") == [pytest.approx(first + n) for n in range(4)]
    assert not run.passing


def test_what_only_the_kubelet_asks_is_asked_by_its_period_from_the_beginning() -> None:
    run = ProbeRun(spec(period=5.0, initial_delay=3.0, hasty=False), started=10.0)
    assert played(run, "--+") == [13.0, 18.0, 23.0]


def test_a_slow_answer_delays_the_next_attempt_no_further_than_itself() -> None:
    run = ProbeRun(spec("Liveness", period=1.0), started=0.0)
    assert played(run, "++", took=0.4) == [0.0, 1.0]
    assert played(run, "++", took=2.5)[1] == pytest.approx(4.5)


def test_liveness_passes_until_it_has_failed_in_a_row_and_then_it_is_over() -> None:
    run = ProbeRun(spec("Liveness", period=1.0, failure_threshold=3), started=0.0)
    assert run.passing
    played(run, "--+--")
    assert run.passing
    assert not run.exhausted
    played(run, "-")
    assert run.exhausted


def test_a_startup_probe_may_fail_as_often_as_it_says() -> None:
    run = ProbeRun(spec("Startup", period=1.0, failure_threshold=10), started=0.0)
    played(run, "-" * 9)
    assert not run.exhausted
    played(run, "+")
    assert run.passing
    late = ProbeRun(spec("Startup", period=1.0, failure_threshold=10), started=0.0)
    played(late, "-" * 10)
    assert late.exhausted


def container(**fields: object) -> Container:
    return Container(name="user-container", **fields)  # type: ignore[arg-type]


def test_without_a_probe_the_serving_container_is_ready_when_it_can_be_connected_to() -> None:
    found = probes(container())
    assert found.readiness is not None
    assert found.readiness.action == TCPSocketAction()
    assert found.readiness.period == 0
    assert found.liveness is None
    assert probes(container(), serving=False).readiness is None


def test_kubernetes_numbers_stand_in_for_those_that_liveness_does_not_say() -> None:
    live = probes(container(liveness_probe=Probe(http_get=HTTPGetAction(path="/")))).liveness
    assert live is not None
    assert (live.period, live.timeout, live.failure_threshold) == (10.0, 1.0, 3)


@pytest.mark.parametrize(
    ("port", "found"),
    [
        pytest.param(0, 0, id="none"),
        pytest.param(8888, 0, id="that of the requests"),
        pytest.param("h2c", 0, id="that of the requests, by name"),
        pytest.param(9000, 9000, id="another"),
        pytest.param("9000", 9000, id="a number in quotes"),
    ],
)
def test_the_port_of_requests_is_wherever_the_instance_listens(port: int | str, found: int) -> None:
    ports = (ContainerPort(name="h2c", container_port=8888),)
    probe = Probe(tcp_socket=TCPSocketAction(port=port))
    readiness = probes(container(ports=ports, readiness_probe=probe)).readiness
    assert readiness is not None
    assert readiness.port == found


def test_the_activator_does_not_ask_where_only_the_kubelet_can_or_startup_comes_first() -> None:
    command = Probe(exec_=ExecAction(command=("true",)))
    health = Probe(grpc=GRPCAction(port=8080))
    assert not _readiness(readiness_probe=command).hasty
    assert _readiness(readiness_probe=health).hasty
    assert not _readiness(readiness_probe=health, startup_probe=command).hasty


def _readiness(**fields: object) -> ProbeSpec:
    found = probes(container(**fields)).readiness
    assert found is not None
    return found
