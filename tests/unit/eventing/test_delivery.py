"""Results, retries and waits of deliveries (Eventing data plane reference §2.2, §3)."""

from datetime import UTC, datetime
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.delivery import (
    UNBOUNDED,
    DeliveryPolicy,
    Result,
    backoff,
    judge,
    policy_of,
    wait,
)
from knlite.kinds.eventing.delivery import DeliverySpec

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("statuses", "result"),
    [
        pytest.param([200, 202, 204, 299], "delivered", id="2xx"),
        pytest.param([0], "retry", id="no answer"),
        pytest.param([404, 408, 409, 429], "retry", id="4xx that may change"),
        pytest.param([500, 501, 502, 503, 504, 599], "retry", id="5xx"),
        pytest.param([400, 401, 403, 405, 410, 413, 415, 422, 425], "failed", id="other 4xx"),
        pytest.param([301, 304, 307], "failed", id="3xx"),
        pytest.param([100, 101], "failed", id="1xx"),
    ],
)
def test_what_an_answer_means(statuses: list[int], result: Result) -> None:
    assert {judge(status) for status in statuses} == {result}


@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        pytest.param("linear", [0, 0.2, 0.4], id="linear"),
        pytest.param("exponential", [0.2, 0.4, 0.8], id="exponential"),
        pytest.param("", [0, 0, 0], id="no policy"),
    ],
)
def test_waits_between_attempts(
    policy: Literal["", "linear", "exponential"], waits: list[float]
) -> None:
    delivery = DeliveryPolicy(retry=3, policy=policy, delay=0.2)
    assert [backoff(delivery, attempt) for attempt in (1, 2, 3)] == pytest.approx(waits)


def test_the_default_of_brokers_waits_205_seconds_in_all() -> None:
    spec = DeliverySpec(retry=10, backoff_policy="exponential", backoff_delay="PT0.2S")
    policy = policy_of(spec)
    assert sum(backoff(policy, k) for k in range(1, policy.retry + 1)) == pytest.approx(204.6)


@pytest.mark.parametrize("policy", ["linear", "exponential"])
@pytest.mark.parametrize("delay", [None, 0.0, -1.0])
def test_without_a_positive_delay_there_is_no_wait(
    policy: Literal["linear", "exponential"], delay: float | None
) -> None:
    assert backoff(DeliveryPolicy(policy=policy, delay=delay), 5) == 0


@given(st.integers(1, 10_000), st.sampled_from(["linear", "exponential"]))
def test_waits_never_shrink(attempt: int, policy: Literal["linear", "exponential"]) -> None:
    delivery = DeliveryPolicy(policy=policy, delay=0.2)
    assert 0 <= backoff(delivery, attempt) <= backoff(delivery, attempt + 1)


@pytest.mark.parametrize(
    ("status", "header", "most", "seconds"),
    [
        pytest.param(503, "7", 10, 7, id="503"),
        pytest.param(429, "7", 10, 7, id="429"),
        pytest.param(500, "7", 10, 1, id="another status"),
        pytest.param(503, "70", 10, 10, id="at most what is allowed"),
        pytest.param(503, "0", 10, 1, id="not less than the backoff"),
        pytest.param(503, "7", 0, 1, id="not allowed at all"),
        pytest.param(503, None, 10, 1, id="no header"),
        pytest.param(503, "Wed, 01 May 2024 12:00:05 GMT", 10, 5, id="date"),
        pytest.param(503, "Wed, 01 May 2024 11:00:00 GMT", 10, 1, id="date that is past"),
        pytest.param(503, "soon", 10, 1, id="word"),
        pytest.param(503, "-7", 10, 1, id="negative"),
        pytest.param(503, "7.5", 10, 1, id="fraction"),
        pytest.param(503, " 7 ", 10, 7, id="blanks around"),
    ],
)
def test_what_the_answer_asks_for(
    status: int, header: str | None, most: float, seconds: float
) -> None:
    policy = DeliveryPolicy(policy="exponential", delay=1, retry_after_max=most)
    assert wait(policy, 1, status, header, NOW) == seconds


@given(st.text(max_size=40) | st.integers().map(str))
def test_no_retry_after_raises_or_waits_too_long(header: str) -> None:
    policy = DeliveryPolicy(retry_after_max=9)
    assert 0 <= wait(policy, 1, 503, header, NOW) <= 9


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Wed, 01 May 99999999999 12:00:05 GMT", id="year"),
        pytest.param("Wed, 01 May 2024 12:00:05 +999999999", id="zone"),
        pytest.param("9" * 400, id="seconds"),
    ],
)
def test_a_retry_after_beyond_all_bounds_does_not_raise(header: str) -> None:
    assert 0 <= wait(DeliveryPolicy(retry_after_max=9), 1, 503, header, NOW) <= 9


def test_no_delivery_is_one_attempt_without_a_wait() -> None:
    assert policy_of(None) == DeliveryPolicy(retry=0, policy="", delay=None, timeout=UNBOUNDED)


def test_what_is_missing_in_a_delivery_is_unset() -> None:
    assert policy_of(DeliverySpec()) == policy_of(None)


def test_a_delivery_is_read_in_seconds() -> None:
    spec = DeliverySpec(
        retry=3,
        timeout="PT5S",
        backoff_policy="linear",
        backoff_delay="PT0.25S",
        retry_after_max="PT1M",
        format="json",
    )
    assert policy_of(spec) == DeliveryPolicy(
        retry=3, policy="linear", delay=0.2, timeout=5, retry_after_max=60, structured=True
    )
