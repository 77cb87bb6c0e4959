"""Results, retries and waits (Eventing data plane reference §2.2, §3)."""

from datetime import UTC, datetime

import pytest

from knlite.eventing.delivery import DeliveryPolicy, backoff, judge, policy_of, wait
from knlite.kinds.eventing.delivery import DeliverySpec

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("statuses", "result"),
    [
        ((200, 201, 202, 204, 299), "delivered"),
        ((0, 404, 408, 409, 429, 500, 502, 503, 599), "retry"),
        ((301, 400, 401, 403, 405, 410, 413, 415, 422, 425), "failed"),
    ],
)
def test_what_an_answer_means(statuses: tuple[int, ...], result: str) -> None:
    assert {judge(status) for status in statuses} == {result}


@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        ("linear", [0.0, 0.2, 0.4]),
        ("exponential", [0.2, 0.4, 0.8]),
        (None, [0.0, 0.0, 0.0]),
    ],
)
def test_the_waits_of_upstreams_dispatcher(policy: str | None, waits: list[float]) -> None:
    found = policy_of(DeliverySpec(retry=3, backoff_policy=policy, backoff_delay="PT0.2S"))
    assert [round(backoff(found, attempt), 6) for attempt in (1, 2, 3)] == waits


def test_no_delivery_is_one_attempt() -> None:
    assert policy_of(None).retry == 0


def test_durations_have_one_decimal() -> None:
    found = policy_of(DeliverySpec(backoff_delay="PT0.25S", timeout="PT1.5S"))
    assert (found.delay, found.timeout) == (0.2, 1.5)


@pytest.mark.parametrize(
    ("status", "header", "longest", "seconds"),
    [
        pytest.param(503, "3", 10.0, 3.0, id="seconds"),
        pytest.param(429, "30", 10.0, 10.0, id="no longer than allowed"),
        pytest.param(503, "Fri, 02 Jan 2026 00:00:04 GMT", 10.0, 4.0, id="a date"),
        pytest.param(503, "Thu, 01 Jan 2026 00:00:00 GMT", 10.0, 0.2, id="a date that has passed"),
        pytest.param(503, "soon", 10.0, 0.2, id="nonsense"),
        pytest.param(500, "3", 10.0, 0.2, id="another status"),
        pytest.param(503, "3", 0.0, 0.2, id="not asked for"),
    ],
)
def test_retry_after(status: int, header: str, longest: float, seconds: float) -> None:
    policy = DeliveryPolicy(policy="exponential", delay=0.2, retry_after_max=longest)
    assert wait(policy, 1, status, header, NOW) == seconds
