"""Knative reference §1.6: the rules of probes and their texts."""

import pytest

from knlite.kinds.fielderror import rendered
from knlite.kinds.podspec.fields import (
    ExecAction,
    GRPCAction,
    HTTPGetAction,
    Port,
    Probe,
    TCPSocketAction,
)
from knlite.kinds.podspec.probes import probe_errors, readiness_errors


def tcp(**numbers: int) -> Probe:
    return Probe(tcp_socket=TCPSocketAction(), **numbers)


@pytest.mark.parametrize(
    "probe",
    [
        None,
        tcp(success_threshold=1),
        tcp(success_threshold=1, period_seconds=1, timeout_seconds=1, failure_threshold=1),
        Probe(http_get=HTTPGetAction(port=1234), success_threshold=1),
        Probe(exec_=ExecAction(), success_threshold=1),
    ],
)
def test_accepts(probe: Probe | None) -> None:
    assert readiness_errors(probe, "http") == ()


@pytest.mark.parametrize(
    ("probe", "text"),
    [
        (
            Probe(success_threshold=1),
            "expected exactly one, got neither: exec, grpc, httpGet, tcpSocket",
        ),
        (
            Probe(success_threshold=1, exec_=ExecAction(), grpc=GRPCAction()),
            "expected exactly one, got both: exec, gRPC",
        ),
        (
            tcp(success_threshold=1, failure_threshold=3, timeout_seconds=1),
            "failureThreshold is disallowed when periodSeconds is zero: failureThreshold\n"
            "timeoutSeconds is disallowed when periodSeconds is zero: timeoutSeconds",
        ),
        (tcp(), "expected 1 <= 0 <= 2147483647: successThreshold"),
        (
            tcp(success_threshold=1, period_seconds=5),
            "expected 1 <= 0 <= 2147483647: failureThreshold, timeoutSeconds",
        ),
        (
            tcp(success_threshold=1, initial_delay_seconds=-1),
            "expected 0 <= -1 <= 2147483647: initialDelaySeconds",
        ),
        (
            tcp(success_threshold=1, period_seconds=-5, timeout_seconds=1, failure_threshold=1),
            "expected 0 <= -5 <= 2147483647: periodSeconds",
        ),
    ],
)
def test_refuses_a_readiness_probe(probe: Probe, text: str) -> None:
    assert rendered(readiness_errors(probe, "http")) == text


def test_numbers_of_other_probes_are_left_to_kubernetes() -> None:
    assert probe_errors(tcp(period_seconds=-1, failure_threshold=-1), "http") == ()


@pytest.mark.parametrize(
    ("port", "named", "text"),
    [
        (0, "http", ""),
        (9999, "http", ""),
        ("http", "http", ""),
        (
            "foo",
            "http",
            "invalid value: foo: httpGet.port, tcpSocket.port\n"
            "Probe port must match container port",
        ),
        (1, None, ""),
        (
            0,
            None,
            "invalid value: 0: httpGet.port, tcpSocket.port\nProbe port must be specified",
        ),
    ],
)
def test_a_probe_asks_a_port_that_exists(port: Port, named: str | None, text: str) -> None:
    errors = (
        *probe_errors(Probe(http_get=HTTPGetAction(port=port)), named),
        *probe_errors(Probe(tcp_socket=TCPSocketAction(port=port)), named),
    )
    assert rendered(errors) == text
